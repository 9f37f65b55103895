//! Failures that need a process of their own: the test binary runs itself again for them.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use tenure_core::store::{Store, StoreErrorKind};
use tenure_file::FileStore;

use crate::support::{NOW, ONE, Sessions, applied, json, key, loaded, of_user, patch, record};

const PATH: &str = "TENURE_TEST_PATH";
/// A user that owns nothing.
const NOBODY: u32 = 65_534;

/// The folder that the test `name` works on where it runs a second time.
fn told() -> Option<PathBuf> {
    std::env::var_os(PATH).map(PathBuf::from)
}

/// The command that runs the test `name` again, on this folder.
fn again(mut command: Command, name: &str, folder: &Path) -> Command {
    let test = format!("faults::{name}");
    command.args([test.as_str(), "--exact", "--nocapture"]).env(PATH, folder);
    command
}

fn succeeded(output: &Output) {
    let text = [&output.stdout[..], &output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

/// A write that fails in the middle of the temporary file leaves the old session, no orphan and a
/// clear error. A limit on the size of files stands in for the full disk: both fail in the same
/// call, after a part was written.
#[tokio::test]
async fn a_disk_that_is_full_loses_nothing() {
    if let Some(folder) = told() {
        let store = FileStore::open(folder).await.unwrap();
        let large = patch().set("a", json(&format!("\"{}\"", "x".repeat(20_000))));
        let error = store.apply(&key(1), &large, NOW).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
        assert!(error.is_retryable() && error.to_string().contains("ulimit -f"), "{error}");
        loaded(&store, &key(1)).await;
        return;
    }
    let sessions = Sessions::new();
    let store = sessions.store().await;
    store.create(&key(1), &of_user("ada"), NOW).await.unwrap();
    let before = applied(&store, &key(1), patch().set("a", json("1"))).await;
    let mut shell = Command::new("sh");
    // Ignored, the signal becomes an error of the call, as a full disk is.
    shell.args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\""]);
    shell.arg(std::env::current_exe().unwrap());
    let mut child = again(shell, "a_disk_that_is_full_loses_nothing", &sessions.path());
    succeeded(&child.output().unwrap());
    assert_eq!(loaded(&store, &key(1)).await, before);
    assert_eq!(fs::read_dir(sessions.shelf(1)).unwrap().count(), 2, "the session and the lock");
}

/// In a folder that cannot be written sessions are read, and every write is an error.
#[tokio::test]
async fn a_folder_that_cannot_be_written_is_unavailable() {
    const TEST: &str = "a_folder_that_cannot_be_written_is_unavailable";
    if let Some(folder) = told() {
        return cannot_be_written(&folder).await;
    }
    let sessions = Sessions::new();
    fs::set_permissions(sessions.parent(), fs::Permissions::from_mode(0o755)).unwrap();
    let store = sessions.store().await;
    store.create(&key(1), &record(), NOW).await.unwrap();
    drop(store);
    // Nothing is forbidden to root, so there somebody else has to try, with a binary of their own.
    if chown(sessions.path(), Some(NOBODY), None).is_err() {
        return cannot_be_written(&sessions.path()).await;
    }
    let (files, folders) = sessions.walk();
    for path in files.iter().chain(&folders) {
        chown(path, Some(NOBODY), None).unwrap();
    }
    let binary = sessions.parent().join("test");
    fs::copy(std::env::current_exe().unwrap(), &binary).unwrap();
    let mut command = Command::new(binary);
    command.uid(NOBODY).gid(NOBODY);
    succeeded(&again(command, TEST, &sessions.path()).output().unwrap());
}

async fn cannot_be_written(folder: &Path) {
    let store = FileStore::open(folder).await.unwrap();
    let shelf = folder.join("73686f70/handles/01");
    let mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    for path in [&shelf, &folder.join("73686f70/handles"), &folder.join("73686f70")] {
        mode(path, 0o500);
    }
    let there = loaded(&store, &key(1)).await;
    for error in [
        store.apply(&key(1), &patch().set("a", json("1")), NOW).await.unwrap_err(),
        store.delete(&key(1), NOW).await.unwrap_err(),
        store.create(&key(2), &record(), NOW).await.unwrap_err(),
        store.create(&key(3), &of_user("ada"), NOW).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
        let text = error.to_string();
        assert!(text.contains("owns the folder") && text.contains("73686f70"), "{text}");
    }
    assert_eq!(loaded(&store, &key(1)).await, there);
    for path in [&folder.join("73686f70"), &folder.join("73686f70/handles"), &shelf] {
        mode(path, 0o700);
    }
    applied(&store, &key(1), patch().set("a", json("1"))).await;
}

/// A process that is killed at any moment has lost nothing that it was told, and leaves nothing
/// that cannot be read or that keeps others waiting.
#[tokio::test]
async fn a_process_that_is_killed_loses_nothing() {
    const TEST: &str = "a_process_that_is_killed_loses_nothing";
    if let Some(folder) = told() {
        let store = FileStore::open(folder).await.unwrap();
        for number in 1.. {
            applied(&store, &key(1), patch().add("n", ONE)).await;
            // The parent kills when it likes: the line has to be out.
            let _ = std::io::Write::write_all(
                &mut std::io::stdout(),
                format!("\ndone {number}\n").as_bytes(),
            );
        }
    }
    let sessions = Sessions::new();
    let store = sessions.store().await;
    store.create(&key(1), &of_user("ada"), NOW).await.unwrap();
    let mut least = 0;
    for round in 0..12_u32 {
        let command = Command::new(std::env::current_exe().unwrap());
        let mut command = again(command, TEST, &sessions.path());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // From the first commit on: to start takes longer than all that comes after.
        let first = lines.by_ref().map_while(Result::ok).find(|line| line.starts_with("done"));
        assert!(first.is_some(), "it did not begin");
        tokio::time::sleep(Duration::from_micros(u64::from(1 + round * 1_700 % 20_011))).await;
        child.kill().unwrap();
        child.wait().unwrap();
        let acknowledged =
            1 + lines.map_while(Result::ok).filter(|line| line.starts_with("done")).count();
        let number: usize = loaded(&store, &key(1)).await.data.get("n").unwrap().parse().unwrap();
        least += acknowledged;
        assert!(number == least || number == least + 1, "{number} of at least {least}");
        least = number;
        let after = applied(&store, &key(1), patch().set("a", json("1"))).await;
        assert_eq!(after.data.get("n"), Some(number.to_string().as_str()));
    }
    store.sweep(10, NOW).await.unwrap();
    assert_eq!(fs::read_dir(sessions.shelf(1)).unwrap().count(), 2, "the session and the lock");
}
