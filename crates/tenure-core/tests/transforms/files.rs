//! Keys in files, read once or again and again.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use tenure_core::transform::Keyring;
use tenure_core::{Clock, ErrorKind};
use tenure_testkit::ManualClock;

use crate::{OTHER_SECRET, SECRET, key};

struct Secrets(TempDir);

impl Secrets {
    fn of(text: &str) -> Self {
        let secrets = Self(tempfile::tempdir().unwrap());
        secrets.write(text);
        secrets
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("secrets")
    }

    /// In one step, as the documentation asks.
    fn write(&self, text: &str) {
        let next = self.0.path().join("next");
        std::fs::write(&next, text).unwrap();
        #[cfg(unix)]
        mode(&next, 0o600);
        std::fs::rename(next, self.path()).unwrap();
    }
}

#[cfg(unix)]
fn mode(path: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// K13, F1: one secret a line, the first signs.
#[test]
fn k13_keys_from_a_file() {
    let file = Secrets::of(&format!("# new\n{SECRET}\r\n\n\t {OTHER_SECRET} \n# end"));
    let keys = Keyring::from_file(file.path()).unwrap();
    assert_eq!(keys.ids(), [key(SECRET).id(), key(OTHER_SECRET).id()]);
}

/// K13: what cannot be used is refused with the file's name and the remedy, and without a secret.
#[test]
fn k13_files_that_are_refused() {
    for (text, word) in [
        ("", "there is no secret in it"),
        ("# nothing\n\n", "there is no secret in it"),
        ("hunter2\n", "a secret of 7 octets"),
        (&format!("{SECRET}\n{SECRET}\n"), "is there twice"),
        (&"hunter2\n".repeat(10_000), "too large"),
    ] {
        let file = Secrets::of(text);
        let error = Keyring::from_file(file.path()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        let text = error.to_string();
        assert!(text.contains(word) && text.contains(file.path().to_str().unwrap()), "{text}");
        assert!(!text.contains(SECRET) && !text.contains("hunter2"), "{text}");
    }
    let folder = tempfile::tempdir().unwrap();
    let text = Keyring::from_file(folder.path().join("none")).unwrap_err().to_string();
    assert!(text.contains("cannot be read"), "{text}");
}

/// K13: nor may others read it.
#[cfg(unix)]
#[test]
fn k13_the_mode_of_a_file_of_keys_is_checked() {
    let file = Secrets::of(SECRET);
    for good in [0o600, 0o400, 0o440, 0o640] {
        mode(&file.path(), good);
        assert!(Keyring::from_file(file.path()).is_ok());
    }
    for bad in [0o644, 0o660, 0o604, 0o602, 0o777] {
        mode(&file.path(), bad);
        let text = Keyring::from_file(file.path()).unwrap_err().to_string();
        for word in [&format!("0{bad:o}"), &format!("chmod 600 {}", file.path().display())] {
            assert!(text.contains(word), "{word:?} in {text}");
        }
    }
}

/// F1: a file that has changed changes the keys; one that is broken or gone leaves them alone.
#[test]
fn f1_a_file_is_read_again() {
    let file = Secrets::of(SECRET);
    let keys = Keyring::from_file(file.path()).unwrap();
    let watcher = keys.watch_file(file.path());
    assert!(!watcher.check().unwrap(), "nothing has changed");

    file.write(&format!("{OTHER_SECRET}\n{SECRET}"));
    assert!(watcher.check().unwrap());
    let both = [key(OTHER_SECRET).id(), key(SECRET).id()];
    assert_eq!(keys.ids(), both);
    assert!(!watcher.check().unwrap());

    for broken in ["", "hunter2", &format!("{SECRET}\nhunter2")] {
        file.write(broken);
        assert!(watcher.check().is_err());
        assert_eq!(keys.ids(), both);
    }
    std::fs::remove_file(file.path()).unwrap();
    assert!(watcher.check().is_err());
    assert_eq!(keys.ids(), both);

    file.write(OTHER_SECRET);
    assert!(watcher.check().unwrap());
    assert_eq!(keys.ids(), [key(OTHER_SECRET).id()], "the old one is retired");
}

/// F1: by a task, at intervals, until it is stopped; errors are told.
#[tokio::test]
async fn f1_a_task_reads_the_file_again() {
    let (file, clock) = (Secrets::of(SECRET), ManualClock::new());
    let keys = Keyring::from_file(file.path()).unwrap();
    let errors = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&errors);
    let watcher = keys
        .watch_file(file.path())
        .interval(Duration::from_secs(10))
        .clock(clock.clone())
        .on_error(move |error| log.lock().unwrap().push(error.to_string()));
    let task = tokio::spawn(watcher.run_until(clock.sleep(Duration::from_secs(60))));
    let pass = async |seconds: u64| {
        for _ in 0..seconds {
            tokio::task::yield_now().await;
            clock.advance(Duration::from_secs(1));
        }
        tokio::task::yield_now().await;
    };
    tokio::task::yield_now().await;
    file.write(OTHER_SECRET);
    assert_eq!(keys.ids(), [key(SECRET).id()], "not yet");
    pass(11).await;
    assert_eq!(keys.ids(), [key(OTHER_SECRET).id()]);

    file.write("hunter2");
    pass(25).await;
    assert_eq!(keys.ids(), [key(OTHER_SECRET).id()]);
    let told = errors.lock().unwrap().clone();
    assert!(!told.is_empty() && told[0].contains("secrets") && !told[0].contains("hunter2"));

    file.write(SECRET);
    pass(40).await;
    assert_eq!(keys.ids(), [key(SECRET).id()]);
    task.await.unwrap();
}
