use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;

use tenure_core::store::{Store, StoreErrorKind};
use tenure_file::{FileOptions, FileStore};

use crate::support::{
    NOW, ONE, Sessions, applied, foreign, foreign_record, key, loaded, of_user, patch,
};

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

async fn refused(path: impl AsRef<Path>, words: &[&str]) {
    let error = FileStore::open(path.as_ref()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Other, "{error}");
    for word in words {
        assert!(error.to_string().contains(word), "{word:?} in {error}");
    }
}

/// K6, A3: sessions in a folder of the application's choice, by path and by URL.
#[tokio::test]
async fn k6_a3_sessions_survive_reopening() {
    let sessions = Sessions::new();
    let store = sessions.store().await;
    store.create(&key(1), &of_user("ada"), NOW).await.unwrap();
    let before = applied(&store, &key(1), patch().add("n", ONE)).await;
    drop(store);
    let url = format!("file://{}", sessions.path().display());
    let store = FileStore::open(url).await.unwrap();
    assert_eq!(loaded(&store, &key(1)).await, before);
    assert_eq!(store.path(), sessions.path());
    assert!(format!("{store:?}").contains("sessions"));
}

/// T-FILE-1: whatever the process's mask, nobody else reads or writes anything.
#[tokio::test]
async fn t_file_1_all_is_the_owners_alone() {
    let sessions = Sessions::new();
    let store = sessions.store().await;
    store.create(&key(1), &of_user("ada"), NOW).await.unwrap();
    store.create(&foreign("../../etc"), &foreign_record(), NOW).await.unwrap();
    store.epoch().unwrap();
    let (files, folders) = sessions.walk();
    // Two sessions, their two locks, the entry and the mark.
    assert_eq!(files.len(), 6, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{file:?}");
    }
    for folder in folders {
        assert_eq!(mode(&folder), 0o700, "{folder:?}");
    }
}

/// R18, T-FILE-1: nobody chooses the folder by a link.
#[tokio::test]
async fn r18_a_link_is_refused() {
    let sessions = Sessions::new();
    drop(sessions.store().await);
    let link = sessions.parent().join("link");
    symlink(sessions.path(), &link).unwrap();
    refused(&link, &["link", "name the folder itself"]).await;
    refused(format!("{}/", link.display()), &["link", "name the folder itself"]).await;
    refused(format!("{}/.", link.display()), &["link", "name the folder itself"]).await;
    let file = sessions.parent().join("file");
    fs::write(&file, "").unwrap();
    refused(&file, &["link or a file"]).await;
    let nowhere = sessions.parent().join("nowhere");
    symlink(sessions.parent().join("absent"), &nowhere).unwrap();
    refused(&nowhere, &["link"]).await;
    assert!(!sessions.parent().join("absent").exists());
}

/// R18, T-FILE-1: a folder that somebody else has made is somebody else's.
#[tokio::test]
async fn r18_a_folder_of_somebody_else_is_refused() {
    let sessions = Sessions::new();
    let (path, words) = (sessions.path(), ["belongs to the user", "chown"]);
    fs::create_dir(&path).unwrap();
    set_mode(&path, 0o700);
    if chown(&path, Some(65_533), None).is_ok() {
        refused(&path, &words).await;
        assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
    } else {
        // Without the rights of root the folder of root is at hand.
        refused("/usr", &words).await;
    }
}

#[tokio::test]
async fn a_folder_that_others_may_use_is_refused() {
    let sessions = Sessions::new();
    drop(sessions.store().await);
    for mode in [0o755, 0o750, 0o701, 0o770, 0o1777] {
        set_mode(&sessions.path(), mode);
        refused(sessions.path(), &["others may use it", "chmod 700"]).await;
    }
    set_mode(&sessions.path(), 0o700);
    sessions.store().await;
}

#[tokio::test]
async fn a_parent_that_others_may_write_is_refused() {
    let sessions = Sessions::new();
    for mode in [0o770, 0o777, 0o702] {
        set_mode(sessions.parent(), mode);
        refused(sessions.path(), &["folder above", "go-w", "insecure_shared_parent"]).await;
        let accepted = FileOptions::new().insecure_shared_parent();
        accepted.open(sessions.path()).await.unwrap();
    }
    // As in /tmp, where nobody can move what is somebody else's.
    for mode in [0o1777, 0o1770, 0o755] {
        set_mode(sessions.parent(), mode);
        sessions.store().await;
    }
}

#[tokio::test]
async fn a_folder_of_something_else_is_left_alone() {
    let sessions = Sessions::new();
    set_mode(sessions.parent(), 0o700);
    fs::create_dir(sessions.path()).unwrap();
    set_mode(&sessions.path(), 0o700);
    sessions.store().await;
    let file = sessions.parent().join("letter");
    fs::write(&file, "dear Ada").unwrap();
    refused(sessions.parent(), &["no folder of sessions", "empty folder"]).await;
    assert_eq!(fs::read_dir(sessions.parent()).unwrap().count(), 2);
}

/// Opened by a version that does not know what lies there, nothing is touched.
#[tokio::test]
async fn a_folder_of_another_version_is_refused() {
    let sessions = Sessions::new();
    drop(sessions.store().await);
    fs::rename(sessions.path().join("tenure-file-1"), sessions.path().join("tenure-file-2"))
        .unwrap();
    refused(sessions.path(), &["version 2", "version 1;"]).await;
    assert_eq!(sessions.walk().0.len(), 1);
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let sessions = Sessions::new();
    let path = sessions.path().join("deeper");
    let error = FileStore::open(&path).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    let text = error.to_string();
    assert!(text.contains(path.to_str().unwrap()) && text.contains("is there"), "{text}");
    assert!(!sessions.path().exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_new_folder_may_be_opened_by_many_at_once() {
    for _ in 0..20 {
        let sessions = Sessions::new();
        let mut tasks = tokio::task::JoinSet::new();
        for of in 0..8 {
            let path = sessions.path();
            tasks.spawn(async move {
                let store = FileStore::open(path).await?;
                store.create(&key(of), &of_user("ada"), NOW).await
            });
        }
        for done in tasks.join_all().await {
            done.unwrap();
        }
    }
}

#[tokio::test]
async fn without_waiting_for_the_disk_it_keeps_sessions_too() {
    let sessions = Sessions::new();
    let options = FileOptions::new().relaxed_durability();
    assert!(format!("{options:?}").contains("relaxed_durability: true"));
    let store = options.open(sessions.path()).await.unwrap();
    store.create(&key(1), &of_user("ada"), NOW).await.unwrap();
    applied(&store, &key(1), patch().add("n", ONE)).await;
    let data = loaded(&sessions.store().await, &key(1)).await.data;
    assert_eq!(data.get("n"), Some("1"));
}
