use tenure_core::store::{MemoryStore, Store, StoreKey};
use tenure_core::{ErrorKind, Result, Session};
use tenure_testkit::{Fault, FaultStore, ManualClock, Operation};

use crate::visitor::{Visitor, configured, shop};

/// R5, T-FIX-2: for every call that changes privileges the old token is dead at once, without grace.
#[tokio::test]
async fn r5_every_change_of_privilege_kills_the_old_token() {
    type Change = fn(&Session) -> Result<()>;
    let changes: [(&str, Change); 6] = [
        ("login", |session| session.login("ada")),
        ("login again", |session| session.login("bob")),
        ("login_keeping", |session| session.login_keeping("ada", &["n"])),
        ("regenerate", Session::regenerate),
        ("regenerate_keeping", |session| session.regenerate_keeping(&["n"])),
        ("logout", Session::logout),
    ];
    for (name, change) in changes {
        let (sessions, _clock) = shop();
        let mut ada = Visitor::new(&sessions);
        ada.get(|session| {
            session.set("n", 1)?;
            session.login("bob")
        })
        .await;
        let mut planted = ada.clone();
        let (_, answer) = ada.visit(change).await;
        answer.closed.as_ref().unwrap();
        assert!(answer.sets_cookie(), "{name}");
        assert_ne!(ada.token, planted.token, "{name}");
        assert_eq!(planted.number("n").await, None, "{name}");
        assert_eq!(planted.user().await, None, "{name}");
    }
}

/// T-FIX-2: data is kept at login, dropped when another user logs in, but for what is asked for.
#[tokio::test]
async fn t_fix_2_what_a_login_keeps() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("cart", 1)).await;
    ada.get(|session| session.login("ada")).await;
    assert_eq!(ada.number("cart").await, Some(1));
    ada.get(|session| session.login("ada")).await;
    assert_eq!(ada.number("cart").await, Some(1), "the same user again");
    ada.get(|session| {
        session.set("theme", 2)?;
        session.login_keeping("bob", &["theme"])
    })
    .await;
    assert_eq!((ada.number("cart").await, ada.number("theme").await), (None, Some(2)));
    ada.get(|session| session.login("eve")).await;
    assert!(ada.get(|session| Ok(session.is_empty())).await);
    assert_eq!(ada.user().await.as_deref(), Some("eve"));
}

/// The user is in a slot of its own that no key reaches (T-PUZ-1).
#[tokio::test]
async fn t_puz_1_keys_do_not_reach_the_user() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.login("ada")).await;
    ada.get(|session| {
        for key in ["user", "", "_user", "authenticated", "proof", "record"] {
            session.set(key, "root")?;
        }
        session.clear()
    })
    .await;
    assert_eq!(ada.user().await.as_deref(), Some("ada"));
}

/// T-FIX-4: a rotation that fails has destroyed nothing.
#[tokio::test]
async fn t_fix_4_a_failed_rotation_leaves_the_session_as_it_was() {
    let clock = ManualClock::new();
    let store = FaultStore::new(MemoryStore::new());
    let sessions = configured(store.clone(), &clock).build().unwrap();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("n", 1)).await;
    store.inject_times(Operation::Apply, Fault::unavailable(), 2);
    let (_, answer) = ada.visit(|session| session.login("ada")).await;
    assert_eq!(answer.closed.as_ref().unwrap_err().kind(), ErrorKind::Unavailable);
    assert!(!answer.sets_cookie());
    assert_eq!(ada.number("n").await, Some(1));
    assert_eq!(ada.user().await, None);
}

/// T-OUT-1: whatever is sent after a logout, in whatever order.
#[tokio::test]
async fn t_out_1_an_old_cookie_is_worth_nothing_after_logout() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.login("ada")).await;
    let mut replay = ada.clone();
    ada.get(Session::logout).await;
    assert_eq!(ada.token, None);
    assert_eq!(replay.user().await, None);
    replay.get(|session| session.set("n", 1)).await;
    assert_eq!(replay.user().await, None);
}

/// After a logout what is written goes to a fresh session with a new handle.
#[tokio::test]
async fn after_logout_a_fresh_session_begins() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| {
        session.set("old", 1)?;
        session.login("ada")
    })
    .await;
    let before = ada.get(|session| Ok(session.handle())).await;
    ada.get(|session| {
        session.logout()?;
        session.set("farewell", 1)
    })
    .await;
    let after = ada.get(|session| Ok(session.handle())).await;
    assert!(after.is_some() && after != before);
    assert_eq!((ada.number("old").await, ada.number("farewell").await), (None, Some(1)));
}

/// V11: destroyed is final for the request.
#[tokio::test]
async fn v11_destroy_refuses_later_writes() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("n", 1)).await;
    let (outcome, answer) = ada
        .visit(|session| {
            session.destroy()?;
            session.set("n", 2)
        })
        .await;
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Destroyed);
    assert!(answer.sets_cookie() && ada.token.is_none());
}

/// R6: after a logout there is no id, and blank ids never load.
#[tokio::test]
async fn r6_blank_ids_are_no_sessions() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.login("ada")).await;
    ada.get(Session::logout).await;
    for blank in ["", "\"\"", "null", "undefined", "AAAA"] {
        ada.token = Some(blank.to_owned());
        assert_eq!(ada.user().await, None, "{blank:?}");
    }
    assert_eq!(sessions.counts().loads, 1, "none of them reached the store");
}

/// A key without a proof, made to revoke by handle, deletes and does nothing else.
#[tokio::test]
async fn an_administrative_key_only_deletes() {
    let (sessions, clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("n", 1)).await;
    let handle = ada.get(|session| Ok(session.handle().unwrap())).await;
    let key = StoreKey::new(sessions.namespace().clone(), handle);
    let now = tenure_core::Clock::now(&clock);
    assert!(sessions.store().load(&key, now).await.unwrap().is_none());
    assert!(sessions.store().delete(&key, now).await.unwrap());
    assert_eq!(ada.number("n").await, None);
}
