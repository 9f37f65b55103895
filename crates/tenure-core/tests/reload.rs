//! F8: `reload` shows what the store has, and drops what was not saved.

use tenure_core::{ErrorKind, Sessions};

#[tokio::test]
async fn f8_reload_sees_what_others_saved_and_drops_what_was_not() {
    let sessions = Sessions::in_memory().unwrap();
    let mine = sessions.start().await.unwrap();
    mine.set("a", 1).unwrap();
    mine.commit().await.unwrap();
    let token = mine.danger_expose_token().unwrap();
    let theirs = sessions.open_token(&token).await.unwrap().unwrap();
    theirs.set("b", 2).unwrap();
    theirs.commit().await.unwrap();

    mine.set("c", 3).unwrap();
    mine.reload().await.unwrap();
    assert_eq!(mine.keys(), ["a", "b"]);
    assert_eq!(mine.get("b").unwrap(), Some(2));
    mine.increment("b", 1).unwrap();
    mine.commit().await.unwrap();
    theirs.reload().await.unwrap();
    assert_eq!(theirs.get("b").unwrap(), Some(3));
}

#[tokio::test]
async fn f8_reload_of_a_session_that_has_ended_is_an_error_and_shows_nothing() {
    let sessions = Sessions::in_memory().unwrap();
    let mine = sessions.start().await.unwrap();
    mine.set("a", 1).unwrap();
    mine.commit().await.unwrap();
    let token = mine.danger_expose_token().unwrap();
    let theirs = sessions.open_token(&token).await.unwrap().unwrap();
    theirs.logout().unwrap();
    theirs.commit().await.unwrap();

    assert_eq!(mine.reload().await.unwrap_err().kind(), ErrorKind::Gone);
    assert!(mine.is_empty() && !mine.exists());
}
