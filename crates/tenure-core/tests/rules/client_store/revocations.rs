//! What has ended, and stays so.

use tenure_core::store::{AnyStore, ClientStore, MemoryStore};
use tenure_core::{ErrorKind, Sessions};
use tenure_testkit::{ManualClock, Operation, Recorder};

use super::{kept_by, keyring, sealed};
use crate::visitor::{MILLI, Visitor};

fn remembered() -> (Sessions, ManualClock, Recorder<MemoryStore>) {
    let (clock, store) = (ManualClock::new(), Recorder::new(MemoryStore::new()));
    let client = ClientStore::sealed(keyring()).revocations(store.clone());
    (kept_by(client, &clock).build().unwrap(), clock, store)
}

/// R3: each old value is refused after a logout, a rotation, and both kinds of revocation.
#[tokio::test]
async fn r3_an_old_value_is_refused_where_revocations_are_remembered() {
    let (sessions, clock, store) = remembered();
    let mut ada = Visitor::new(&sessions);
    let mut old = Vec::new();
    ada.get(|session| session.set("cart", 1)).await;
    old.push(ada.clone());
    clock.advance(MILLI);
    ada.get(|session| session.login("ada")).await;
    old.push(ada.clone());
    assert_eq!(old[0].clone().number("cart").await, None, "superseded by the login");
    ada.get(|session| session.set("cart", 2)).await;
    old.push(ada.clone());
    ada.get(|session| session.logout()).await;
    for old in &mut old {
        assert_eq!((old.user().await, old.number("cart").await), (None, None));
    }

    // By the user, from another device, which stays.
    let (mut phone, mut laptop) = (Visitor::new(&sessions), Visitor::new(&sessions));
    phone.get(|session| session.login("ada")).await;
    laptop.get(|session| session.login("ada")).await;
    let before = laptop.clone();
    let exchange = laptop.open();
    exchange.session().load().await.unwrap().revoke_others().await.unwrap();
    assert!(laptop.close(exchange).await.sets_cookie(), "it must show that it knows");
    assert_eq!(phone.user().await, None);
    assert_eq!(laptop.user().await.as_deref(), Some("ada"));
    assert_eq!(before.clone().user().await, None, "the copy of before");

    // By the application.
    let mut bob = Visitor::new(&sessions);
    bob.get(|session| session.login("bob")).await;
    let handle = laptop.get(|session| Ok(session.handle())).await.unwrap();
    assert!(sessions.revoke(handle).await.unwrap());
    assert_eq!((laptop.user().await, bob.user().await.as_deref()), (None, Some("bob")));
    sessions.revoke_everybody().await.unwrap();
    assert_eq!(bob.user().await, None);
    let mut again = Visitor::new(&sessions);
    again.get(|session| session.login("bob")).await;
    assert_eq!(again.user().await.as_deref(), Some("bob"), "who logs in afterwards is in");
    assert!(!store.operations().is_empty());
}

/// R3: what a request writes after it has rotated the session belongs to the new secret, also where
/// all of it happens within a millisecond.
#[tokio::test]
async fn r3_a_write_after_a_rotation_stays_with_the_new_secret() {
    let (sessions, _, _) = remembered();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("cart", 1)).await;
    let exchange = ada.open();
    let session = exchange.session().load().await.unwrap();
    session.login("ada").unwrap();
    session.save().await.unwrap();
    session.set("cart", 2).unwrap();
    assert!(ada.close(exchange).await.sets_cookie());
    assert_eq!((ada.user().await.as_deref(), ada.number("cart").await), (Some("ada"), Some(2)));
}

/// R1: a request in flight cannot bring back what was logged out meanwhile.
#[tokio::test]
async fn r1_a_request_in_flight_does_not_undo_a_logout() {
    let (sessions, _, _) = remembered();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.login("ada")).await;
    let mut slow = ada.clone();
    let exchange = slow.open();
    let session = exchange.session().load().await.unwrap();
    session.set("late", true).unwrap();
    ada.get(|session| session.logout()).await;
    let answer = slow.close(exchange).await;
    assert!(answer.closed.is_ok() && !answer.sets_cookie());
    assert_eq!(slow.user().await, None);
}

/// Without revocations nothing can end a session by force, and whoever tries is told what to do.
#[tokio::test]
async fn r3_without_revocations_one_is_told() {
    let (sessions, _) = sealed();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.login("ada")).await;
    let copy = ada.clone();
    let handle = ada.get(|session| Ok(session.handle())).await.unwrap();
    let error = sessions.revoke(handle).await.unwrap_err();
    assert!(format!("{error} {:?}", std::error::Error::source(&error)).contains("revocations"));
    assert_eq!(sessions.revoke_everybody().await.unwrap_err().kind(), ErrorKind::Misuse);
    ada.get(|session| session.logout()).await;
    assert_eq!(copy.clone().user().await.as_deref(), Some("ada"), "as the documentation says");
}

/// A revocation that nobody can look up is an error, not an answer.
#[tokio::test]
async fn x14_a_store_of_revocations_that_is_down_is_an_error() {
    let clock = ManualClock::new();
    let store = tenure_testkit::FaultStore::new(MemoryStore::new());
    let client = ClientStore::sealed(keyring()).revocations(store.clone());
    let sessions = kept_by(client, &clock).build().unwrap();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.login("ada")).await;
    // Three look-ups, and once more.
    store.inject_times(Operation::Load, tenure_testkit::Fault::unavailable(), 6);
    let exchange = ada.open();
    let error = exchange.session().load().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    drop(exchange);
    assert_eq!(ada.user().await.as_deref(), Some("ada"));
}

/// Revocations of two applications in one store do not meet, nor do their sessions there.
#[tokio::test]
async fn law_12_revocations_of_others_do_not_matter() {
    let (clock, store) = (ManualClock::new(), AnyStore::new(MemoryStore::new()));
    let keys = keyring();
    let build = |namespace: &str| {
        let client = ClientStore::sealed(keys.clone()).revocations(store.clone());
        kept_by(client, &clock).namespace(namespace).build().unwrap()
    };
    let (shop, blog) = (build("shop"), build("blog"));
    let (mut ada, mut bob) = (Visitor::new(&shop), Visitor::new(&blog));
    ada.get(|session| session.login("ada")).await;
    bob.get(|session| session.login("ada")).await;
    shop.revoke_everybody().await.unwrap();
    assert_eq!((ada.user().await, bob.user().await.as_deref()), (None, Some("ada")));
    ada.get(|session| session.login("ada")).await;
    let user = tenure_core::UserId::new("ada").unwrap();
    blog.revoke_user(&user).await.unwrap();
    assert_eq!((ada.user().await.as_deref(), bob.user().await), (Some("ada"), None));
}
