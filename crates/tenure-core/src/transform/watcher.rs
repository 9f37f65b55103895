use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use super::{Keyring, file};
use crate::clock::{Clock, SystemClock, or};
use crate::error::{Error, Result};

type ErrorHook = Arc<dyn Fn(&Error) + Send + Sync>;

/// The task that reads the keys of a [`Keyring`] from a file again, so that they can be changed while
/// the application runs. What the file says is all that counts: keys that were added otherwise go.
/// A file that is gone, broken or open to others changes nothing, and is an error each time.
///
/// Change the file in one step, by renaming a new one over it, as container platforms do: half of it
/// might be read otherwise.
///
/// ```
/// # use std::time::Duration;
/// # use tenure_core::transform::SecretKey;
/// use tenure_core::transform::Keyring;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> tenure_core::Result<()> {
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("secrets");
/// # let write = |secrets: &[&str]| {
/// #     let next = folder.path().join("next");
/// #     std::fs::write(&next, secrets.join("\n")).unwrap();
/// #     #[cfg(unix)]
/// #     {
/// #         use std::os::unix::fs::PermissionsExt;
/// #         std::fs::set_permissions(&next, PermissionsExt::from_mode(0o600)).unwrap();
/// #     }
/// #     std::fs::rename(&next, &path).unwrap();
/// # };
/// # let [old, new] = [SecretKey::generate_secret()?, SecretKey::generate_secret()?];
/// # write(&[&old]);
/// let keyring = Keyring::from_file(&path)?;
/// let watcher = keyring.watch_file(&path).interval(Duration::from_secs(10));
/// let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
/// let task = tokio::spawn(async move { watcher.run_until(stopped).await });
/// # drop(stop);
/// # task.await.unwrap();
///
/// // Or whenever something else says so, such as a signal:
/// let watcher = keyring.watch_file(&path);
/// write(&[&new, &old]);
/// assert!(watcher.check()?, "the keys have changed");
/// assert_eq!(keyring.ids()[0], SecretKey::new(&new)?.id());
/// # Ok(())
/// # }
/// ```
#[must_use = "the file is not read until `run_until` or `check` is called"]
pub struct KeyFileWatcher {
    keyring: Keyring,
    path: PathBuf,
    interval: Duration,
    clock: Arc<dyn Clock>,
    on_error: Option<ErrorHook>,
}

impl KeyFileWatcher {
    pub(super) fn new(keyring: Keyring, path: &Path) -> Self {
        let (path, interval) = (path.to_owned(), Duration::from_secs(30));
        Self { keyring, path, interval, clock: Arc::new(SystemClock), on_error: None }
    }

    /// The time between two looks at the file; 30 seconds by default. The file is small and is read
    /// each time, by whichever thread runs the task.
    ///
    /// See the example of the [type](Self).
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// Where the time comes from, for tests.
    ///
    /// ```
    /// # use tenure_core::transform::{Keyring, SecretKey};
    /// # let keyring = Keyring::new([SecretKey::generate()?]);
    /// let clock = tenure_testkit::ManualClock::new();
    /// let watcher = keyring.watch_file("/run/secrets/session").clock(clock.clone());
    /// # drop(watcher);
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Hears of files that cannot be used; the message names the file, and no secret. With the
    /// feature `tracing` they are warnings in any case.
    ///
    /// ```
    /// # use std::sync::{Arc, Mutex};
    /// # use std::time::Duration;
    /// # use tenure_core::{Clock, transform::{Keyring, SecretKey}};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let keyring = Keyring::new([SecretKey::generate()?]);
    /// # let clock = tenure_testkit::ManualClock::new();
    /// let errors = Arc::new(Mutex::new(Vec::new()));
    /// let log = Arc::clone(&errors);
    /// let watcher = keyring
    ///     .watch_file("/nowhere/secret")
    ///     .on_error(move |error| log.lock().unwrap().push(error.to_string()));
    /// # let watcher = watcher.clock(clock.clone());
    /// # let task = tokio::spawn(watcher.run_until(clock.sleep(Duration::from_secs(40))));
    /// # for _ in 0..40 {
    /// #     tokio::task::yield_now().await;
    /// #     clock.advance(Duration::from_secs(1));
    /// # }
    /// # task.await.unwrap();
    /// // After 30 seconds of `run_until`:
    /// assert!(errors.lock().unwrap()[0].contains("/nowhere/secret: the file cannot be read"));
    /// assert_eq!(keyring.len(), 1, "the keys are as they were");
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_error(mut self, hook: impl Fn(&Error) + Send + Sync + 'static) -> Self {
        self.on_error = Some(Arc::new(hook));
        self
    }

    /// Reads the file, and tells whether the keys have changed.
    ///
    /// See the example of the [type](Self).
    ///
    /// # Errors
    /// As [`Keyring::from_file`]; the keys are as they were.
    pub fn check(&self) -> Result<bool> {
        Ok(self.keyring.replace(file::keys(&self.path)?))
    }

    /// Reads the file after each interval until `stop` ends. Dropping the future stops it as well.
    ///
    /// See the example of the [type](Self).
    pub async fn run_until(self, stop: impl Future) {
        let mut stop = pin!(stop);
        while !or(stop.as_mut(), self.clock.sleep(self.interval)).await {
            if let Err(error) = self.check() {
                #[cfg(feature = "tracing")]
                tracing::warn!(%error, "keys cannot be read again; the old ones stay");
                if let Some(hook) = &self.on_error {
                    hook(&error);
                }
            }
        }
    }
}

impl fmt::Debug for KeyFileWatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyFileWatcher")
            .field("keyring", &self.keyring)
            .field("path", &self.path)
            .field("interval", &self.interval)
            .finish_non_exhaustive()
    }
}
