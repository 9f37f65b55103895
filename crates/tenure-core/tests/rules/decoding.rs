//! Values that are no longer of the type that a handler asks for, as after a deployment.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tenure_core::engine::Undecodable;
use tenure_core::store::{AnyStore, MemoryStore};
use tenure_core::transform::{Keyring, SecretKey};
use tenure_core::value::Json;
use tenure_core::{ErrorKind, Result, Sessions, SessionsBuilder};
use tenure_testkit::ManualClock;

use crate::visitor::{Visitor, configured};

/// A visitor whose session was written by the release before.
async fn after_a_deployment(
    configure: impl FnOnce(SessionsBuilder) -> SessionsBuilder,
) -> (Visitor, Sessions) {
    let (store, clock) = (AnyStore::new(MemoryStore::new()), ManualClock::new());
    let keys = Keyring::new([SecretKey::generate().unwrap()]);
    let before = configured(store.clone(), &clock).signing_keys(keys.clone()).build().unwrap();
    let mut ada = Visitor::new(&before);
    ada.get(|session| {
        session.set("theme", 7)?;
        session.set("cart", "tea")?;
        session.set("profile", Json::parse(r#"{"name":"Ada","born":"1815"}"#)?.decode::<Profile>()?)
    })
    .await;
    ada.sessions = configure(configured(store, &clock).signing_keys(keys)).build().unwrap();
    (ada, before)
}

type Profile = std::collections::BTreeMap<String, String>;

fn is_type_error<T>(outcome: Result<T>) -> bool {
    outcome.is_err_and(|error| error.kind() == ErrorKind::Type)
}

#[tokio::test]
async fn by_default_every_read_fails_and_the_value_stays() {
    let (mut ada, _) = after_a_deployment(|sessions| sessions).await;
    let ((), answer) = ada
        .visit(|session| {
            assert!(is_type_error(session.get::<String>("theme")));
            assert!(is_type_error(session.get_or("theme", String::new())));
            assert!(is_type_error(session.get_or_insert_with("theme", String::new)));
            assert!(is_type_error(session.take::<String>("theme")));
            assert!(is_type_error(session.get_path::<String>("theme")));
            assert!(is_type_error(session.get_path::<u16>("profile.born")));
            assert!(is_type_error(session.update("theme", |theme: &mut String| theme.clear())));
            assert!(!session.is_modified());
        })
        .await;
    answer.closed.unwrap();
    assert_eq!(ada.number("theme").await, Some(7));
}

#[tokio::test]
async fn reset_reads_as_absent_and_removes_with_the_commit() {
    let reset = |sessions: SessionsBuilder| sessions.undecodable(Undecodable::Reset);
    let (mut ada, _) = after_a_deployment(reset).await;
    ada.get(|session| {
        assert_eq!(session.get::<String>("theme")?, None);
        assert!(!session.contains("theme"));
        assert_eq!(session.get_or("cart", vec!["milk".to_owned()])?, ["milk"]);
        Ok(())
    })
    .await;
    assert_eq!(ada.get(|session| Ok(session.keys())).await, ["profile"]);

    let (mut ada, _) = after_a_deployment(reset).await;
    ada.get(|session| {
        assert_eq!(session.get_or_insert_with("theme", || "dark".to_owned())?, "dark");
        assert_eq!(session.take::<Vec<String>>("cart")?, None);
        session.update("profile", |born: &mut u16| *born += 1815)
    })
    .await;
    let exchange = ada.open();
    let session = exchange.session().load().await.unwrap();
    session.set("code", 7).unwrap();
    assert_eq!(session.take_once::<String>("code").await.unwrap(), None);
    assert!(!session.contains("code"));
    ada.close(exchange).await.closed.unwrap();
    ada.get(|session| {
        assert_eq!(session.get::<String>("theme")?.as_deref(), Some("dark"));
        assert_eq!(session.get::<u16>("profile")?, Some(1815));
        assert_eq!(session.keys(), ["profile", "theme"]);
        Ok(())
    })
    .await;
}

/// A part that does not decode is no reason to drop the whole.
#[tokio::test]
async fn reset_leaves_the_rest_of_a_value_alone() {
    let reset = |sessions: SessionsBuilder| sessions.undecodable(Undecodable::Reset);
    let (mut ada, _) = after_a_deployment(reset).await;
    ada.get(|session| {
        assert_eq!(session.get_path::<u16>("profile.born")?, None);
        assert_eq!(session.get_path::<String>("profile.name")?.as_deref(), Some("Ada"));
        assert!(!session.is_modified());
        assert_eq!(session.get_path::<String>("theme")?, None, "a whole value");
        assert!(session.is_modified());
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn who_may_not_write_reads_nothing_and_leaves_the_value() {
    let reset = |sessions: SessionsBuilder| sessions.undecodable(Undecodable::Reset);
    let (mut ada, _) = after_a_deployment(reset).await;
    ada.get(|session| {
        let view = session.read_only();
        assert_eq!(view.get::<String>("theme")?, None);
        assert_eq!(view.get_or("theme", "light".to_owned())?, "light");
        assert!(view.contains("theme") && !view.is_modified());
        assert!(is_type_error(view.all::<std::collections::BTreeMap<String, String>>()));
        Ok(())
    })
    .await;
    assert_eq!(ada.number("theme").await, Some(7));
}

/// While both releases run, what the one writes is not dropped for what the other read before.
#[tokio::test]
async fn a_reset_does_not_drop_what_was_written_meanwhile() {
    let reset = |sessions: SessionsBuilder| sessions.undecodable(Undecodable::Reset);
    let (mut ada, _) = after_a_deployment(reset).await;
    let slow = ada.open();
    let session = slow.session().load().await.unwrap();
    assert_eq!(session.get::<String>("theme").unwrap(), None);
    ada.get(|session| session.set("theme", "dark")).await;
    ada.close(slow).await.closed.unwrap();
    let theme = ada.get(|session| session.get::<String>("theme")).await;
    assert_eq!(theme.as_deref(), Some("dark"));
}

#[tokio::test]
async fn a_hook_sees_the_value_and_brings_it_into_its_new_form() {
    let asked = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&asked);
    let (mut ada, before) = after_a_deployment(move |sessions| {
        sessions.on_undecodable(move |key, value, error| {
            counter.fetch_add(1, Ordering::Relaxed);
            assert_eq!(error.kind(), ErrorKind::Type);
            match (key, value.as_str()) {
                ("theme", "7") => Undecodable::Reset,
                ("cart", tea) => {
                    Json::parse(&format!("[{tea}]")).map_or(Undecodable::Fail, Undecodable::Replace)
                }
                ("profile.born", r#""1815""#) => Undecodable::Replace(Json::of(&1815).unwrap()),
                _ => Undecodable::Fail,
            }
        })
    })
    .await;
    ada.get(|session| {
        assert_eq!(session.get::<String>("theme")?, None);
        assert_eq!(session.get::<Vec<String>>("cart")?.unwrap(), ["tea"]);
        assert_eq!(session.get::<Vec<String>>("cart")?.unwrap(), ["tea"]);
        assert_eq!(asked.load(Ordering::Relaxed), 2, "once a value");
        assert_eq!(session.get_path::<u16>("profile.born")?, Some(1815));
        assert!(is_type_error(session.get::<u8>("profile")));
        Ok(())
    })
    .await;
    ada.sessions = before;
    assert_eq!(ada.get(|session| Ok(session.keys())).await, ["cart", "profile"]);
    assert_eq!(ada.get(|session| session.raw("cart")).await.unwrap().as_str(), r#"["tea"]"#);
}

#[tokio::test]
async fn a_hook_may_use_the_session_and_may_panic() {
    let (mut ada, _) = after_a_deployment(|sessions| {
        sessions.on_undecodable(|key, _, _| panic!("nothing is known of {key}"))
    })
    .await;
    ada.get(|session| {
        let error = session.get::<String>("theme").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Other);
        assert!(error.to_string().contains("on_undecodable"), "{error}");
        assert!(error.to_string().contains("theme"), "{error}");
        let updated = session.update("theme", |theme: &mut String| theme.clear());
        assert_eq!(updated.unwrap_err().kind(), ErrorKind::Other);
        assert_eq!(session.get::<u8>("theme")?, Some(7), "it goes on");
        Ok(())
    })
    .await;

    let other = Arc::new(std::sync::Mutex::new(None::<tenure_core::Session>));
    let session = Arc::clone(&other);
    let (mut ada, _) = after_a_deployment(move |sessions| {
        sessions.on_undecodable(move |_, _, _| {
            let session = session.lock().unwrap().clone().unwrap();
            session.increment("reset", 1).unwrap();
            Undecodable::Reset
        })
    })
    .await;
    ada.get(|session| {
        *other.lock().unwrap() = Some(session.clone());
        assert_eq!(session.get::<String>("theme")?, None);
        Ok(())
    })
    .await;
    assert_eq!(ada.number("reset").await, Some(1));
}
