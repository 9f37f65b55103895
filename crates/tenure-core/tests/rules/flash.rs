//! Messages for the next request that reads them.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use tenure_core::session::Level;
use tenure_core::store::MemoryStore;
use tenure_core::{ErrorKind, Result, Session};
use tenure_testkit::{ManualClock, Operation, Provided, Recorder};

use crate::visitor::{Visitor, configured, shop};

fn shown(session: &Session) -> Result<Vec<String>> {
    let messages = session.flash_messages()?;
    Ok(messages.iter().map(|(key, value)| format!("{key}={}", value.as_str())).collect())
}

/// A13: the first later request that reads them gets all of them, and no other.
#[tokio::test]
async fn a13_messages_are_shown_once() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| {
        session.flash("success", "Added")?;
        session.flash("count", 2)?;
        assert!(shown(session)?.is_empty(), "not to the request itself");
        session.flash("success", "Saved")
    })
    .await;
    for _ in 0..3 {
        ada.get(|session| session.get::<u8>("an image")).await;
    }
    let all = ["success=\"Added\"", "count=2", "success=\"Saved\""];
    ada.get(|session| {
        assert_eq!(shown(session)?, all);
        assert_eq!(shown(session)?, all, "as often as it asks");
        assert!(session.is_empty(), "they are no keys");
        session.flash("next", 1)?;
        assert_eq!(shown(session)?, all);
        Ok(())
    })
    .await;
    assert_eq!(ada.get(shown).await, ["next=1"]);
    assert!(ada.get(shown).await.is_empty());
}

/// A13: what parallel requests leave is all shown, and reading takes away only what was read.
#[tokio::test]
async fn a13_parallel_requests_lose_no_message() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.flash("first", 0)).await;
    let mut open = Vec::new();
    for i in 0..10 {
        let exchange = ada.open();
        let session = exchange.session().load().await.unwrap();
        if i == 5 {
            assert_eq!(shown(&session).unwrap(), ["first=0"]);
        }
        session.flash("n", i).unwrap();
        open.push(exchange);
    }
    for exchange in open {
        ada.close(exchange).await.closed.unwrap();
    }
    let expected: Vec<_> = (0..10).map(|i| format!("n={i}")).collect();
    assert_eq!(ada.get(shown).await, expected);
    assert!(ada.get(shown).await.is_empty());
}

/// A13: they survive what clears or rotates the session; a logout ends them, but not those that are
/// left after it, and they are not shown to another user.
#[tokio::test]
async fn a13_messages_follow_their_session() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    let survivable: [fn(&Session) -> Result<()>; 4] = [
        Session::clear,
        Session::regenerate,
        |session| session.regenerate_keeping(&[]),
        |session| session.login("ada"),
    ];
    for change in survivable {
        ada.get(|session| session.flash("kept", 1)).await;
        ada.get(change).await;
        ada.get(|session| {
            session.flash("new", 2)?;
            change(session)
        })
        .await;
        assert_eq!(ada.get(shown).await, ["kept=1", "new=2"]);
    }
    ada.get(|session| session.flash("ada's", 1)).await;
    ada.get(|session| session.login("eve")).await;
    assert!(ada.get(shown).await.is_empty());
    ada.get(|session| session.flash("eve's", 1)).await;
    ada.get(|session| {
        session.logout()?;
        session.flash(Level::Info, "You are logged out.")
    })
    .await;
    assert_eq!(ada.get(shown).await, ["info=\"You are logged out.\""]);
}

#[derive(Serialize)]
struct Form {
    email: &'static str,
    password: &'static str,
    password_confirmation: &'static str,
    #[serde(rename = "_csrf")]
    csrf: &'static str,
    #[serde(rename = "_method")]
    method: &'static str,
    items: Vec<BTreeMap<&'static str, &'static str>>,
    age: u8,
}

const FORM: fn() -> Form = || Form {
    email: "ada@example",
    password: "secret",
    password_confirmation: "secret",
    csrf: "secret",
    method: "PUT",
    items: vec![BTreeMap::from([("sku", "tea"), ("password", "secret")])],
    age: 36,
};

/// A14: input is left for the form without secrets, at every depth; or these fields; or all but
/// those.
#[tokio::test]
async fn a14_input_is_left_without_secrets() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.flash_all(&FORM())).await;
    ada.get(|session| {
        let old = session.flash_messages()?;
        assert_eq!(old.keys(), ["age", "email", "items"]);
        assert_eq!(old.old("email").as_deref(), Some("ada@example"));
        assert_eq!(old.old("age").as_deref(), Some("36"));
        assert_eq!(old.old("items.0.sku").as_deref(), Some("tea"));
        assert_eq!(old.old("items"), None);
        assert!(!serde_json::to_string(&old).unwrap().contains("secret"));
        session.flash_only(&FORM(), &["email", "password", "nothing"])
    })
    .await;
    ada.get(|session| {
        assert_eq!(session.flash_messages()?.keys(), ["email", "password"], "as it was asked for");
        session.flash_except(&FORM(), &["email"])
    })
    .await;
    ada.get(|session| {
        assert_eq!(session.flash_messages()?.keys(), ["age", "items"]);
        let json: serde_json::Value = serde_json::from_str(r#"{"a": {"b": [1, null]}}"#).unwrap();
        session.flash_all(&json)?;
        for nameless in ["[1]", "1", "null", "\"text\""] {
            let json: serde_json::Value = serde_json::from_str(nameless).unwrap();
            assert_eq!(session.flash_all(&json).unwrap_err().kind(), ErrorKind::Type);
        }
        session.flash_all(&HashMap::<String, u8>::new())
    })
    .await;
    ada.get(|session| {
        let old = session.flash_messages()?;
        assert_eq!(old.get::<u8>("a.b.0")?, Some(1));
        assert_eq!(
            (old.old("a.b.0").as_deref(), old.old("a.b.1"), old.old("b")),
            (Some("1"), None, None)
        );
        Ok(())
    })
    .await;
}

/// A15: what was shown is left again: all, some, or all but some.
#[tokio::test]
async fn a15_messages_are_left_again() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    let leave = |session: &Session| {
        session.flash("a", 1)?;
        session.flash("a", 2)?;
        session.flash("b", 3)
    };
    ada.get(leave).await;
    ada.get(Session::reflash).await;
    ada.get(|session| {
        assert_eq!(shown(session)?, ["a=1", "a=2", "b=3"]);
        session.reflash_only(&["a", "nothing"])
    })
    .await;
    ada.get(|session| {
        session.reflash_except(&["nothing"])?;
        assert_eq!(shown(session)?, ["a=1", "a=2"]);
        Ok(())
    })
    .await;
    ada.get(|session| session.reflash_except(&["a"])).await;
    assert!(ada.get(shown).await.is_empty());
}

/// A16, A20: paths into messages, errors a field, and levels in the order in which they came.
#[tokio::test]
async fn a16_a20_messages_are_read_by_path_field_and_level() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| {
        session.flash(Level::Warning, "one")?;
        session.flash("success", "two")?;
        session.flash("other", "no level")?;
        session.flash(Level::Warning, "three")?;
        session.flash_errors([("title", "is missing"), ("title", "is too long")])?;
        session.flash_errors([("title", "is taken"), ("body.0", "is odd")])
    })
    .await;
    ada.get(|session| {
        let messages = session.flash_messages()?;
        let levels: Vec<_> = messages.levels().collect();
        let expected =
            [(Level::Warning, "one"), (Level::Success, "two"), (Level::Warning, "three")];
        assert_eq!(levels, expected.map(|(level, text)| (level, text.to_owned())));
        assert_eq!(messages.errors("title"), ["is missing", "is too long", "is taken"]);
        assert_eq!(messages.errors("body.0"), ["is odd"]);
        assert!(messages.errors("nothing").is_empty());
        assert_eq!(messages.get::<String>("errors.title.0")?.as_deref(), Some("is taken"));
        assert_eq!(messages.get::<String>(Level::Warning)?.as_deref(), Some("three"));
        assert!(messages.contains("errors.title") && !messages.contains("errors.none"));
        assert!(messages.get::<u8>("success").is_err_and(|error| error.kind() == ErrorKind::Type));
        assert!(!format!("{messages:?}").contains("is missing"));
        Ok(())
    })
    .await;
}

/// F8: a handle for reading only looks, and after the head there is no taking any more.
#[tokio::test]
async fn messages_are_not_taken_where_nothing_can_be_recorded() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.flash("a", 1)).await;
    ada.get(|session| {
        assert_eq!(shown(&session.read_only())?, ["a=1"]);
        assert!(!session.is_modified());
        let refused = session.read_only().flash("b", 2);
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::ReadOnly);
        assert_eq!(session.read_only().reflash().unwrap_err().kind(), ErrorKind::ReadOnly);
        Ok(())
    })
    .await;
    let exchange = ada.open();
    let session = exchange.session().load().await.unwrap();
    ada.close(exchange).await.closed.unwrap();
    assert_eq!(session.flash_messages().unwrap_err().kind(), ErrorKind::Sealed);
    assert_eq!(ada.get(shown).await, ["a=1"]);
}

/// The library's own keys are nobody else's.
#[tokio::test]
async fn t_puz_1_own_keys_cannot_be_reached() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.flash("a", 1)).await;
    ada.get(|session| {
        let kind = |outcome: Result<()>| outcome.unwrap_err().kind();
        for key in ["\0flash", "\0"] {
            assert_eq!(kind(session.set(key, 1)), ErrorKind::Misuse);
            assert_eq!(kind(session.push(key, 1)), ErrorKind::Misuse);
            assert_eq!(kind(session.increment(key, 1)), ErrorKind::Misuse);
            assert_eq!(kind(session.update(key, |n: &mut u8| *n += 1)), ErrorKind::Misuse);
            assert_eq!(kind(session.remove(key)), ErrorKind::Misuse);
            assert_eq!(kind(session.merge([(key, 1)])), ErrorKind::Misuse);
            assert_eq!(kind(session.lazy().set(key, 1)), ErrorKind::Misuse);
            assert!(!session.contains(key) && session.raw(key)?.is_none());
        }
        assert!(session.keys().is_empty() && session.all::<BTreeMap<String, u8>>()?.is_empty());
        Ok(())
    })
    .await;
    assert_eq!(ada.get(shown).await, ["a=1"]);
}

/// What waits is bounded, and a message that is too large leaves the others.
#[tokio::test]
async fn messages_that_wait_are_bounded() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    let mut left = 0;
    let error = loop {
        let outcome = ada.visit(|session| session.flash("essay", "x".repeat(1_000))).await.0;
        match outcome {
            Ok(()) => left += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.to_string().contains("max_flash_bytes"), "{error}");
    assert_eq!(ada.get(shown).await.len(), left);
    assert_eq!(left, 15);
    ada.get(|session| session.flash("short", 1)).await;
    assert_eq!(ada.get(shown).await, ["short=1"]);
}

/// A page that reads five keys, shows messages and leaves one costs one load and one write.
#[tokio::test]
async fn a_page_with_messages_costs_one_load_and_one_write() {
    let calls = Recorder::new(MemoryStore::new());
    let store = Provided::new(calls.clone());
    let sessions = configured(store, &ManualClock::new()).build().unwrap();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.flash("a", 1)).await;
    for _ in 0..3 {
        calls.clear();
        ada.get(|session| {
            for key in ["one", "two", "three", "four", "five"] {
                session.get::<u8>(key)?;
            }
            assert_eq!(shown(session)?, ["a=1"]);
            session.flash("a", 1)
        })
        .await;
        assert_eq!(calls.operations(), [Operation::Load, Operation::Swap]);
    }
    calls.clear();
    ada.get(|session| session.get::<u8>("one")).await;
    assert_eq!(calls.operations(), [Operation::Load], "nothing is read, nothing is taken");
}
