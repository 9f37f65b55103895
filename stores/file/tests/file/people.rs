use std::fs;

use tenure_core::store::{Epoch, Store, StoreErrorKind, UserIndex};

use crate::support::{
    MINUTE, NOW, Sessions, administrative, applied, foreign, foreign_record, json, key, loaded,
    namespace, of_user, patch, record, user,
};
use tenure_file::FileStore;

async fn listed(store: &FileStore, id: &str) -> usize {
    store.users().unwrap().list(&namespace(), &user(id), NOW).await.unwrap().len()
}

/// The entries of all users.
fn entries(sessions: &Sessions) -> Vec<std::path::PathBuf> {
    let mut files = sessions.walk().0;
    files.retain(|file| file.starts_with(sessions.path().join("73686f70/users")));
    files
}

/// X6, A21: what was lost of the index comes back with the next touch, and what is too many goes
/// when it is seen.
#[tokio::test]
async fn x6_the_index_heals_itself() {
    let sessions = Sessions::new();
    let store = sessions.store().await;
    store.create(&key(1), &of_user("ada"), NOW).await.unwrap();
    store.create(&key(2), &of_user("ada"), NOW).await.unwrap();
    fs::remove_dir_all(sessions.path().join("73686f70/users")).unwrap();
    assert_eq!(listed(&store, "ada").await, 0);
    assert!(store.touch(&key(1), NOW + MINUTE, NOW).await.unwrap());
    applied(&store, &key(2), patch().set("a", json("1"))).await;
    assert_eq!(listed(&store, "ada").await, 2);

    fs::remove_file(sessions.file(1)).unwrap();
    let (mine, theirs) = (entries(&sessions), foreign("its id"));
    assert_eq!(mine.len(), 2);
    let stray = mine[0].parent().unwrap().join(format!("f{}", "0".repeat(64)));
    fs::write(stray, "").unwrap();
    fs::write(mine[0].parent().unwrap().join("not an entry"), "").unwrap();
    assert_eq!(listed(&store, "ada").await, 1);
    assert_eq!(entries(&sessions).len(), 2, "one of a session, and what is not ours");

    let mut bound = foreign_record();
    bound.user = Some(user("eve"));
    store.create(&theirs, &bound, NOW).await.unwrap();
    let found = store.users().unwrap().list(&namespace(), &user("eve"), NOW).await.unwrap();
    assert!(found[0].key.same_session(&theirs), "a foreign id is read back");
}

#[tokio::test]
async fn nothing_is_left_of_users_who_are_gone() {
    let sessions = Sessions::new();
    let store = sessions.store().await;
    for of in 1..=4 {
        store.create(&key(of), &of_user(&format!("user {of}")), NOW).await.unwrap();
    }
    store.delete(&key(1), NOW).await.unwrap();
    applied(&store, &key(2), patch().bind(None, NOW)).await;
    applied(&store, &key(3), patch().bind(Some(user("eve")), NOW)).await;
    store.users().unwrap().revoke(&namespace(), &user("user 4"), None, NOW).await.unwrap();
    assert_eq!(entries(&sessions).len(), 1);
    assert_eq!(listed(&store, "eve").await, 1);
    let folders = sessions.walk().1;
    let users = folders.iter().filter(|folder| folder.file_name().unwrap().len() == 64).count();
    assert_eq!(users, 1, "{folders:?}");
}

/// A process that was killed between the entry and the session leaves an entry that nobody lists.
#[tokio::test]
async fn entries_without_a_session_are_swept() {
    let sessions = Sessions::new();
    let store = sessions.store().await;
    for of in 1..=3 {
        store.create(&key(of), &of_user(&format!("user {of}")), NOW).await.unwrap();
    }
    fs::remove_file(sessions.file(1)).unwrap();
    fs::remove_file(sessions.file(2)).unwrap();
    for _ in 0..3 {
        assert_eq!(store.sweep(10, NOW).await.unwrap(), 0);
    }
    assert_eq!(entries(&sessions).len(), 1);
    assert_eq!(listed(&store, "user 3").await, 1);
}

/// T-OUT-5: what ends a user's sessions ends those too that the index has lost, on other stores
/// that are open.
#[tokio::test]
async fn revoking_a_user_ends_what_the_index_has_lost() {
    let sessions = Sessions::new();
    let (store, other) = (sessions.store().await, sessions.store().await);
    for of in 1..=3 {
        store.create(&key(of), &of_user("ada"), NOW).await.unwrap();
    }
    store.create(&key(4), &of_user("eve"), NOW).await.unwrap();
    fs::remove_dir_all(sessions.path().join("73686f70/users")).unwrap();
    assert!(store.touch(&key(1), NOW + MINUTE, NOW).await.unwrap());
    fs::write(sessions.file(2), "damaged").unwrap();
    let users = store.users().unwrap();
    assert_eq!(users.revoke(&namespace(), &user("ada"), None, NOW).await.unwrap(), 1);
    assert_eq!(other.load(&key(1), NOW).await.unwrap(), None);
    assert_eq!(other.load(&key(3), NOW).await.unwrap(), None);
    loaded(&other, &key(4)).await;
    store.create(&key(5), &of_user("ada"), NOW).await.unwrap();
    loaded(&other, &key(5)).await;
    assert_eq!(users.revoke(&namespace(), &user("ada"), None, NOW).await.unwrap(), 1);
    assert!(!store.delete(&administrative(5), NOW).await.unwrap());
}

/// An epoch that cannot be read lets nobody in.
#[tokio::test]
async fn a_damaged_epoch_is_an_error_that_names_it() {
    let sessions = Sessions::new();
    let store = sessions.store().await;
    store.create(&key(1), &record(), NOW).await.unwrap();
    let epoch = store.epoch().unwrap();
    epoch.revoke_everybody(&namespace(), NOW).await.unwrap();
    let file = sessions.path().join("73686f70/epochs/everybody");
    assert_eq!(fs::read_to_string(&file).unwrap(), "1\n");
    for content in ["", "1", "one\n", "-1\n"] {
        fs::write(&file, content).unwrap();
        let error = store.load(&key(1), NOW).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{content:?}");
        assert!(error.to_string().contains(file.to_str().unwrap()), "{error}");
        epoch.revoke_everybody(&namespace(), NOW).await.unwrap_err();
    }
    fs::write(&file, "2\n").unwrap();
    assert_eq!(store.load(&key(1), NOW).await.unwrap(), None);
}
