//! The sessions of a user: listed, and ended by their user or by an administrator.

use std::time::{Duration, SystemTime};

use tenure_core::store::MemoryStore;
use tenure_core::{ErrorKind, Handle, Session, Sessions, UserId};
use tenure_testkit::{Bare, Fault, FaultStore, ManualClock, Operation};

use crate::visitor::{Visitor, configured, shop};

fn user(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

/// Visitors who are logged in, each on a device of their own.
async fn logged_in<const N: usize>(sessions: &Sessions, users: [&str; N]) -> [Visitor; N] {
    let mut visitors = users.map(|_| Visitor::new(sessions));
    for (visitor, user) in visitors.iter_mut().zip(users) {
        visitor.get(|session| session.login(user)).await;
    }
    visitors
}

async fn handle(visitor: &mut Visitor) -> Handle {
    visitor.get(|session| Ok(session.handle())).await.unwrap()
}

async fn with<T>(visitor: &mut Visitor, work: impl AsyncFnOnce(&Session) -> T) -> T {
    let exchange = visitor.open();
    let session = exchange.session().load().await.unwrap();
    let done = work(&session).await;
    visitor.close(exchange).await.closed.unwrap();
    done
}

/// X6, P4, A21: a user's live sessions with what a page shows of them, the last used first.
#[tokio::test]
async fn x6_a_user_sees_their_sessions() {
    let (sessions, clock) = shop();
    let [mut phone, mut laptop, mut eve, mut visitor] =
        logged_in(&sessions, ["ada", "ada", "eve", "gone"]).await;
    visitor.get(Session::logout).await;
    clock.advance(Duration::from_secs(120));
    phone.get(|session| session.set("n", 1)).await;
    let (phones, laptops) = (handle(&mut phone).await, handle(&mut laptop).await);
    let devices = with(&mut laptop, async |session| session.devices().await.unwrap()).await;
    assert_eq!(devices.len(), 2);
    let seen = devices.iter().map(|device| (device.handle, device.current)).collect::<Vec<_>>();
    assert!(seen.contains(&(phones, false)) && seen.contains(&(laptops, true)));
    assert!(devices.is_sorted_by(|a, b| a.last_seen >= b.last_seen));
    for device in &devices {
        assert!(device.created_at <= device.last_seen && device.last_seen < device.expires_at);
        assert_eq!(device.authenticated_at, Some(device.created_at));
        assert!(device.expires_at > SystemTime::UNIX_EPOCH);
    }
    let of_ada = sessions.of_user(&user("ada")).await.unwrap();
    assert_eq!(of_ada.len(), 2);
    assert!(of_ada.iter().all(|device| !device.current), "nobody asks");
    assert_eq!(with(&mut eve, async |session| session.devices().await.unwrap().len()).await, 1);
    assert!(sessions.of_user(&user("gone")).await.unwrap().is_empty());
    let nobody = with(&mut visitor, async |session| session.devices().await.unwrap()).await;
    assert!(nobody.is_empty(), "nobody is logged in");
}

/// X6, K16, R24: ended by handle, but only by their own user, and with whatever is in flight.
#[tokio::test]
async fn x6_r24_a_session_is_ended_by_its_own_user_only() {
    let (sessions, _clock) = shop();
    let [mut phone, mut laptop, mut eve] = logged_in(&sessions, ["ada", "ada", "eve"]).await;
    let (phones, laptops) = (handle(&mut phone).await, handle(&mut laptop).await);
    for stranger in [phones, laptops, Handle::from_bytes([7; 12])] {
        let ended = with(&mut eve, async |session| session.revoke(stranger).await.unwrap()).await;
        assert!(!ended, "eve");
    }
    let itself = with(&mut laptop, async |session| session.revoke(laptops).await.unwrap()).await;
    assert!(!itself, "that is a logout");
    let flying = phone.open();
    let in_flight = flying.session().load().await.unwrap();
    in_flight.set("n", 1).unwrap();
    assert!(with(&mut laptop, async |session| session.revoke(phones).await.unwrap()).await);
    assert!(!with(&mut laptop, async |session| session.revoke(phones).await.unwrap()).await);
    let replay = phone.clone();
    let answer = phone.close(flying).await;
    assert!(answer.closed.is_ok() && !answer.sets_cookie());
    assert_eq!(replay.clone().user().await, None, "its next click is logged out");
    assert_eq!(laptop.user().await.as_deref(), Some("ada"));
    assert!(sessions.revoke(laptops).await.unwrap(), "an administrator may");
    assert_eq!(laptop.user().await, None);
    assert!(!sessions.revoke(laptops).await.unwrap());
}

/// X6, T-OUT-4: all others, sparing one, and all.
#[tokio::test]
async fn x6_others_and_all_are_ended() {
    let (sessions, _clock) = shop();
    let [mut one, mut two, mut three, mut eve] =
        logged_in(&sessions, ["ada", "ada", "ada", "eve"]).await;
    assert_eq!(with(&mut one, async |session| session.revoke_others().await.unwrap()).await, 2);
    assert_eq!(one.user().await.as_deref(), Some("ada"));
    assert_eq!((two.user().await, three.user().await), (None, None));
    let [mut two] = logged_in(&sessions, ["ada"]).await;
    with(&mut one, async |session| {
        session.logout_everywhere().await.unwrap();
        session.flash("info", "You are logged out everywhere.").unwrap();
    })
    .await;
    assert_eq!((one.user().await, two.user().await), (None, None));
    assert!(one.get(|session| Ok(session.flash_messages()?.contains("info"))).await);
    assert_eq!(eve.user().await.as_deref(), Some("eve"));
    assert_eq!(sessions.revoke_user(&user("eve")).await.unwrap(), 1);
    assert_eq!(eve.user().await, None);
}

/// R27: an epoch ends everybody's sessions, those in flight too, and nothing of it comes back.
#[tokio::test]
async fn r27_everybody_is_ended_by_one_write() {
    let (sessions, _clock) = shop();
    let visitors = logged_in(&sessions, ["ada", "eve", "bob"]).await;
    let mut flying = visitors[0].clone();
    let exchange = flying.open();
    let session = exchange.session().load().await.unwrap();
    session.set("n", 1).unwrap();
    sessions.revoke_everybody().await.unwrap();
    assert!(!flying.close(exchange).await.sets_cookie());
    for mut visitor in visitors {
        assert_eq!(visitor.user().await, None);
    }
    let [mut ada] = logged_in(&sessions, ["ada"]).await;
    assert_eq!(ada.user().await.as_deref(), Some("ada"), "who comes later is not concerned");
}

/// T-LIST-1: nothing that is listed opens a session.
#[tokio::test]
async fn t_list_1_a_list_holds_no_secret() {
    let (sessions, _clock) = shop();
    let [mut ada] = logged_in(&sessions, ["ada"]).await;
    let token = ada.token.clone().unwrap();
    let devices = with(&mut ada, async |session| session.devices().await.unwrap()).await;
    let printed = format!("{devices:?}");
    let handle = devices[0].handle.to_string();
    assert!(token.starts_with(&handle) && printed.contains(&handle));
    for at in 0..token.len() - handle.len() - 8 {
        assert!(!printed.contains(&token[handle.len() + at..][..8]), "a part of the secret");
    }
    assert!(sessions.open_token(&handle).await.unwrap().is_none());
}

/// Errors say what to do, and a store that is down is not an empty list.
#[tokio::test]
async fn what_goes_wrong_is_no_empty_list() {
    let clock = ManualClock::new();
    let without = configured(Bare::new(MemoryStore::new()), &clock).build().unwrap();
    let [mut ada] = logged_in(&without, ["ada"]).await;
    let error = with(&mut ada, async |session| session.devices().await.unwrap_err()).await;
    assert_eq!(error.kind(), ErrorKind::Misuse);
    assert!(error.to_string().contains("index"), "{error}");
    assert_eq!(without.revoke_everybody().await.unwrap_err().kind(), ErrorKind::Misuse);
    assert_eq!(without.revoke_user(&user("ada")).await.unwrap_err().kind(), ErrorKind::Misuse);

    let store = FaultStore::new(MemoryStore::new());
    let sessions = configured(store.clone(), &clock).build().unwrap();
    let [mut ada] = logged_in(&sessions, ["ada"]).await;
    for operation in [Operation::List, Operation::Revoke] {
        store.inject_times(operation, Fault::unavailable(), 2);
    }
    let error = with(&mut ada, async |session| session.devices().await.unwrap_err()).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let error = with(&mut ada, async |session| session.revoke_others().await.unwrap_err()).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let read_only = with(&mut ada, async |session| {
        let view = session.read_only();
        (view.devices().await.unwrap().len(), view.revoke_others().await.unwrap_err().kind())
    })
    .await;
    assert_eq!(read_only, (1, ErrorKind::ReadOnly));
}
