#![doc = include_str!("config.md")]

mod client;
mod connection;
mod cookie;
mod duration;
mod format;
mod guards;
mod keys;
mod layer;
mod names;
mod near_cache;
mod reader;
mod settings;
mod sources;
mod transports;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::path::Path;

use tenure_core::store::AnyStore;
use tenure_core::store::cache::Watcher;
use tenure_core::transform::KeyFileWatcher;
use tenure_core::{Error, ErrorKind, Result, Sessions, SessionsBuilder};

use self::client::Kept;
use self::format::Format;
pub use self::layer::LayerConfig;
use self::near_cache::{NearCache, RunWatcher};
use self::reader::{Reader, Shown};
use self::settings::Keys;
pub use self::sources::Sources;
use crate::connect::Schemes;

/// The settings of sessions, from files and from the environment; see [the module](self).
///
/// It prints what was set, and where; never a secret, nor a URL that may hold one.
///
/// ```
/// use tenure::config::SessionConfig;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> tenure::Result<()> {
/// let config = SessionConfig::sources()
///     .vars([("TENURE_STORE", "memory:"), ("TENURE_AGE", "2h"), ("TENURE_COOKIE_SECURE", "auto")])
///     .read()?;
/// assert!(config.to_string().contains("age = \"2h\" (TENURE_AGE)"));
/// let sessions = config.build().await?;
/// # drop(sessions);
/// # Ok(())
/// # }
/// ```
#[must_use = "there are no sessions until `build` is called"]
pub struct SessionConfig {
    enabled: bool,
    store: Option<String>,
    format: Format,
    /// What is said of them, where the clients keep the sessions.
    kept: Option<Kept>,
    keys: Keys,
    builder: SessionsBuilder,
    layer: LayerConfig,
    near_cache: Option<NearCache>,
    run_watcher: Option<RunWatcher>,
    schemes: Schemes,
    shown: Vec<Shown>,
}

impl SessionConfig {
    /// No settings yet, to be gathered from several places.
    ///
    /// ```
    /// # use tenure::config::SessionConfig;
    /// let config = SessionConfig::sources().vars([("TENURE_ENABLED", "no")]).read()?;
    /// assert!(!config.is_enabled());
    /// # Ok::<(), tenure::Error>(())
    /// ```
    pub fn sources() -> Sources {
        Sources::default()
    }

    /// The settings of the environment, above those of the file that `TENURE_CONFIG` names.
    ///
    /// ```no_run
    /// # use tenure::config::SessionConfig;
    /// # async fn example() -> tenure::Result<()> {
    /// let sessions = SessionConfig::from_env()?.build().await?;
    /// # drop(sessions);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Sources::read`].
    pub fn from_env() -> Result<Self> {
        Self::sources().env().read()
    }

    /// The settings of a file, and above them those of the environment.
    ///
    /// ```
    /// # use tenure::config::SessionConfig;
    /// let error = SessionConfig::from_file("missing.json").unwrap_err();
    /// assert!(error.to_string().contains("missing.json cannot be read"));
    /// ```
    ///
    /// # Errors
    /// As [`Sources::read`].
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        Self::sources().file(path).env().read()
    }

    /// Whether there are to be sessions at all, as in the example of [`sources`](Self::sources).
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// Also knows the stores of these schemes.
    ///
    /// ```
    /// use tenure::config::SessionConfig;
    /// use tenure::store::{MemoryStore, Schemes};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure::Result<()> {
    /// let own = Schemes::new().add("carrier", |_url: String| async { Ok(MemoryStore::new()) })?;
    /// let config = SessionConfig::sources().vars([("TENURE_STORE", "carrier:home")]).read()?;
    /// let sessions = config.schemes(own).build().await?;
    /// # drop(sessions);
    /// # Ok(())
    /// # }
    /// ```
    pub fn schemes(mut self, schemes: Schemes) -> Self {
        self.schemes = schemes;
        self
    }

    /// Lets a near cache hear of changes: `run` is to spawn the task on the application's runtime. It
    /// is called when the store is opened, if there is a cache before a store that tells of changes.
    ///
    /// ```
    /// # use tenure::config::SessionConfig;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure::Result<()> {
    /// # let settings = r#"{"store": "memory:", "near_cache": {"enabled": true}}"#;
    /// let config = SessionConfig::sources().json(settings).read()?.run_watcher(|watcher| {
    ///     let watcher = watcher.on_lost(|error| eprintln!("the cache is off: {error}"));
    ///     tokio::spawn(watcher.run());
    /// });
    /// let sessions = config.build().await?;
    /// # drop(sessions);
    /// # Ok(())
    /// # }
    /// ```
    pub fn run_watcher(
        mut self,
        run: impl FnOnce(Watcher<AnyStore>) + Send + Sync + 'static,
    ) -> Self {
        self.run_watcher = Some(Box::new(run));
        self
    }

    /// The settings of the layer: to be taken before the sessions are built, and
    /// [applied](LayerConfig::apply) to their layer.
    ///
    /// See the example of [`LayerConfig`].
    pub fn take_layer(&mut self) -> LayerConfig {
        std::mem::take(&mut self.layer)
    }

    /// What reads the file of `secret_file` again, so that keys can be changed while the application
    /// runs; none if the secrets are not from a file. Ask for it before the sessions are built, and
    /// spawn it.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tenure::config::SessionConfig;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure::Result<()> {
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("secret");
    /// # std::fs::write(&path, tenure::transform::SecretKey::generate_secret()?).unwrap();
    /// # #[cfg(unix)]
    /// # {
    /// #     use std::os::unix::fs::PermissionsExt;
    /// #     std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    /// # }
    /// # let path = path.to_str().unwrap();
    /// # let config = SessionConfig::sources();
    /// # let config = config.vars([("TENURE_STORE", "memory:"), ("TENURE_SECRET_FILE", path)]);
    /// # let config = config.read()?;
    /// # let shutdown = std::future::ready(());
    /// if let Some(watcher) = config.key_file_watcher() {
    ///     let watcher = watcher.interval(Duration::from_secs(10));
    ///     tokio::spawn(watcher.run_until(shutdown));
    /// }
    /// let sessions = config.build().await?;
    /// # drop(sessions);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn key_file_watcher(&self) -> Option<KeyFileWatcher> {
        match &self.keys {
            Keys::Given(secrets) => Some(secrets.ring.watch_file(secrets.file.as_ref()?)),
            Keys::Unsigned | Keys::Missing => None,
        }
    }

    /// Opens the store, and hands over for what only code can say, such as hooks.
    ///
    /// ```
    /// # use tenure::config::SessionConfig;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure::Result<()> {
    /// # let config = SessionConfig::sources().json(r#"{"store": "memory:"}"#).read()?;
    /// let builder = config.builder().await?;
    /// let sessions = builder.on_error(|error| eprintln!("{error}")).build()?;
    /// # drop(sessions);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`] without a store, or without keys for one that outlives the process; with
    /// settings of the layer that were not [taken](Self::take_layer), or a near cache that cannot
    /// know what has changed; what the store says when it cannot be opened.
    pub async fn builder(self) -> Result<SessionsBuilder> {
        self.layer.check_taken()?;
        if !self.enabled {
            return Ok(self.builder.disabled());
        }
        let url = self.store.ok_or_else(|| {
            refused(
                "store: none was given; set it, or TENURE_STORE, to a URL such as \
                 `sqlite:sessions.sqlite`, or to `memory:` for sessions that end with the process",
            )
        })?;
        let cached = |store: AnyStore| match self.near_cache {
            Some(near_cache) => near_cache.before(store, self.run_watcher),
            None => Ok(store),
        };
        if let Some(kept) = self.kept {
            let Keys::Given(secrets) = self.keys else {
                return Err(refused(
                    "secret: none was given, and nothing else protects sessions that clients keep; \
                     put what `openssl rand -base64 33` prints into a file and set `secret_file`, or \
                     into TENURE_SECRET",
                ));
            };
            let store = self.format.of_client(kept.store(secrets.ring));
            return Ok(self.builder.client_store(match kept.revocations {
                Some(url) => store.revocations(cached(self.schemes.connect(&url).await?)?),
                None => store,
            }));
        }
        let store = self.format.connect(&self.schemes, &url).await?;
        let builder = match self.keys {
            Keys::Given(secrets) => self.builder.signing_keys(secrets.ring),
            Keys::Missing if !store.is_volatile() => {
                return Err(refused(
                    "secret: none was given, and sessions in this store outlive the process; put \
                     what `openssl rand -base64 33` prints into a file and set `secret_file`, or \
                     into TENURE_SECRET",
                ));
            }
            Keys::Missing | Keys::Unsigned => self.builder,
        };
        Ok(builder.store(cached(store)?))
    }

    /// Opens the store and builds the manager.
    ///
    /// ```
    /// # use tenure::config::SessionConfig;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure::Result<()> {
    /// let settings = r#"{"store": "memory:", "profile": "aal3", "idle_timeout": "1h"}"#;
    /// let error = SessionConfig::sources().json(settings).read()?.build().await.unwrap_err();
    /// assert!(error.to_string().contains("idle_timeout: 1 hour is more than 15 minutes"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`builder`](Self::builder) and [`SessionsBuilder::build`].
    pub async fn build(self) -> Result<Sessions> {
        self.builder().await?.build()
    }

    fn of(mut reader: Reader, vars: &BTreeMap<String, String>) -> Result<Self> {
        let enabled = reader.switch("enabled").unwrap_or(true);
        let urls = connection::urls(&mut reader, vars);
        let store = connection::url(&mut reader, "store", &urls);
        let kept = client::kept(&mut reader, store.as_deref(), &urls);
        let format = format::format(&mut reader);
        let (builder, keys) = settings::settings(&mut reader, vars);
        let layer = LayerConfig::of(&mut reader);
        let near_cache = near_cache::near_cache(&mut reader);
        if let Some(kept) = &kept {
            kept.check(&mut reader, &keys, near_cache.is_some());
        }
        let (schemes, shown) = (Schemes::new(), reader.finish()?);
        let run_watcher = None;
        Ok(Self {
            enabled,
            store,
            format,
            kept,
            keys,
            builder,
            layer,
            near_cache,
            run_watcher,
            schemes,
            shown,
        })
    }
}

/// `Sessions::from_env()`, when this is in scope.
///
/// ```no_run
/// use tenure::{FromEnv, Sessions};
///
/// # async fn example() -> tenure::Result<()> {
/// let sessions = Sessions::from_env().await?; // TENURE_STORE, TENURE_SECRET, TENURE_AGE=2h, …
/// # drop(sessions);
/// # Ok(())
/// # }
/// ```
pub trait FromEnv: Sized {
    /// The sessions that the environment describes: [`SessionConfig::from_env`] and
    /// [`build`](SessionConfig::build).
    ///
    /// # Errors
    /// As those two.
    fn from_env() -> impl Future<Output = Result<Self>> + Send;
}

impl FromEnv for Sessions {
    async fn from_env() -> Result<Self> {
        SessionConfig::from_env()?.build().await
    }
}

fn refused(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Config, "configuration", message)
}

/// What was set, one setting a line.
impl fmt::Display for SessionConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown
            .iter()
            .try_for_each(|Shown { path, value, from }| writeln!(f, "{path} = {value} ({from})"))
    }
}

impl fmt::Debug for SessionConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.shown.iter().map(|Shown { path, value, .. }| (path, value));
        f.debug_map().entries(entries).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A1: no setting is known by name alone.
    #[test]
    fn a1_each_setting_is_read() {
        for path in names::SETTINGS {
            let value = path
                .rsplit('.')
                .fold(String::from("[[]]"), |value, name| format!("{{\"{name}\": {value}}}"));
            let error = SessionConfig::sources().json(&value).read().unwrap_err().to_string();
            assert!(error.contains(&format!("{path} = ")), "{error}");
            assert!(error.contains("write "), "{error}");
        }
    }

    /// A1: and the manual names it.
    #[test]
    fn a1_each_setting_is_in_the_manual() {
        for path in names::SETTINGS {
            assert!(include_str!("config.md").contains(&format!("`{path}`")), "{path}");
        }
    }
}
