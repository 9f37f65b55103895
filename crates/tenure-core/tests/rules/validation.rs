//! K18: values are validated when they are set, and once more where a commit makes others.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde::{Deserialize, Serialize};
use tenure_core::session::SessionData;
use tenure_core::store::MemoryStore;
use tenure_core::value::Json;
use tenure_core::{Error, ErrorKind, Result, Session, Sessions};
use tenure_testkit::ManualClock;

use crate::visitor::{Visitor, configured};

/// Numbers up to 5, lists of up to 3 words.
fn limited(key: &str, value: &Json) -> Result<()> {
    match key {
        "free" => Ok(()),
        "list" if value.decode::<Vec<String>>()?.len() > 3 => Err(Error::invalid("a long list")),
        "list" => Ok(()),
        _ if value.decode::<i64>()? > 5 => Err(Error::invalid("a number above 5")),
        _ => Ok(()),
    }
}

fn shop() -> Sessions {
    let clock = ManualClock::new();
    configured(MemoryStore::new(), &clock).validate(limited).build().unwrap()
}

#[track_caller]
fn is_refused<T: std::fmt::Debug>(outcome: Result<T>, operation: &str, why: &str) {
    let error = outcome.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Invalid, operation), "{error}");
    assert!(format!("{error} {error:?}").contains(why), "{error:?}");
}

async fn number(visitor: &mut Visitor, key: &'static str) -> Option<i64> {
    visitor.get(move |session| session.get(key)).await
}

/// K18: every way to write, and the session is as before.
#[tokio::test]
async fn k18_each_write_is_validated_at_the_call() {
    let mut ada = Visitor::new(&shop());
    ada.get(|session| {
        session.set("n", 5)?;
        session.set("list", ["a", "b", "c"])
    })
    .await;
    let ((), answer) = ada
        .visit(|session| {
            let above = "a number above 5";
            is_refused(session.set("n", 6), "set", above);
            is_refused(session.set("m", 6), "set", above);
            is_refused(session.merge([("n", 6)]), "set", above);
            is_refused(session.increment("n", 1), "increment", above);
            is_refused(session.update("n", |n: &mut i64| *n += 1), "update", above);
            is_refused(session.update_with("m", |_: Option<i64>| Some(6)), "update", above);
            is_refused(session.get_or_insert_with("m", || 6), "update", above);
            is_refused(session.push("list", "d"), "push", "a long list");
            is_refused(session.set("list", [1]), "set", "is no");
            assert_eq!(session.keys(), ["list", "n"]);
            assert!(!session.is_modified(), "nothing was recorded");

            session.decrement("n", 2).unwrap();
            session.increment("n", 1).unwrap();
            is_refused(session.increment("n", 2), "increment", above);
            session.set("free", "anything").unwrap();
            session.remove("list").unwrap();
            session.push("list", "a").unwrap();
        })
        .await;
    answer.closed.unwrap();
    assert_eq!(number(&mut ada, "n").await, Some(4));
    let keys = ada.get(|session| Ok(session.keys())).await;
    assert_eq!(keys, ["free", "list", "n"]);
}

/// K18: messages and what else is this library's are nobody else's to refuse.
#[tokio::test]
async fn k18_reserved_keys_are_not_asked_about() {
    let clock = ManualClock::new();
    let builder = configured(MemoryStore::new(), &clock);
    let sessions = builder.validate(|key, _| panic!("{key:?}")).build().unwrap();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| {
        session.flash("info", "welcome")?;
        session.csrf_token().map(drop)?;
        session.login("ada")
    })
    .await;
    let ((), answer) = ada
        .visit(|session| {
            assert!(!session.flash_messages().unwrap().is_empty());
            let error = session.set("n", 1).unwrap_err();
            assert!(error.to_string().contains("panicked"), "{error}");
        })
        .await;
    answer.closed.unwrap();
}

/// K18: an update that meets a newer value is validated with what it makes of that.
#[tokio::test]
async fn k18_what_a_merge_makes_is_validated() {
    type Write = fn(&Session) -> Result<()>;
    let writes: [Write; 3] = [
        |session| session.increment("n", 2),
        |session| session.update("n", |n: &mut i64| *n += 2),
        |session| {
            session.decrement("n", 1)?;
            session.update("n", |n: &mut i64| *n += 3)
        },
    ];
    for write in writes {
        let mut ada = Visitor::new(&shop());
        ada.get(|session| session.set("n", 2)).await;
        let mut parallel = ada.clone();
        let exchange = ada.open();
        let session = exchange.session().load().await.unwrap();
        write(&session).unwrap();
        assert_eq!(session.get("n").unwrap(), Some(4));
        session.set("free", 1).unwrap();
        parallel.get(|session| session.set("n", 4)).await;

        let closed = ada.close(exchange).await.closed;
        is_refused(closed, "commit", "a number above 5");
        assert_eq!(number(&mut ada, "n").await, Some(4));
        assert_eq!(number(&mut ada, "free").await, None, "nothing of it was written");

        // And where it fits, both take effect.
        let exchange = ada.open();
        let session = exchange.session().load().await.unwrap();
        session.decrement("n", 2).unwrap();
        parallel.get(|session| session.set("n", 5)).await;
        ada.close(exchange).await.closed.unwrap();
        assert_eq!(number(&mut ada, "n").await, Some(3));
    }
}

/// K18: lists that grow in parallel.
#[tokio::test]
async fn k18_parallel_pushes_are_validated() {
    let mut ada = Visitor::new(&shop());
    ada.get(|session| session.push("list", "a")).await;
    let mut parallel = ada.clone();
    let exchange = ada.open();
    let session = exchange.session().load().await.unwrap();
    session.push("list", "b").unwrap();
    session.push("list", "c").unwrap();
    parallel.get(|session| session.push("list", "d")).await;
    is_refused(ada.close(exchange).await.closed, "commit", "a long list");
    let list: Vec<String> = ada.get(|session| session.get("list")).await.unwrap();
    assert_eq!(list, ["a", "d"]);
}

/// K18: a session that is not loaded learns it at the commit, or as soon as the value is known.
#[tokio::test]
async fn k18_blind_writes_are_validated() {
    let mut ada = Visitor::new(&shop());
    ada.get(|session| session.set("n", 4)).await;
    let exchange = ada.open();
    let lazy = exchange.session();
    is_refused(lazy.set("m", 6), "set", "a number above 5");
    lazy.set("m", 5).unwrap();
    is_refused(lazy.increment("m", 1), "increment", "a number above 5");
    lazy.increment("n", 2).unwrap();
    is_refused(ada.close(exchange).await.closed, "commit", "a number above 5");
    assert_eq!(number(&mut ada, "n").await, Some(4));

    let exchange = ada.open();
    exchange.session().increment("n", 1).unwrap();
    ada.close(exchange).await.closed.unwrap();
    assert_eq!(number(&mut ada, "n").await, Some(5));

    // A session that begins.
    let mut bob = Visitor::new(&ada.sessions);
    let exchange = bob.open();
    exchange.session().increment("n", 6).unwrap();
    is_refused(bob.close(exchange).await.closed, "commit", "a number above 5");
}

/// K18: what a session holds already is not refused, whoever wrote it.
#[tokio::test]
async fn k18_values_of_before_stay() {
    let (store, clock) =
        (tenure_core::store::AnyStore::new(MemoryStore::new()), ManualClock::new());
    let key = tenure_core::transform::SecretKey::generate().unwrap();
    let keys = || tenure_core::transform::Keyring::new([key.clone()]);
    let before = configured(store.clone(), &clock).signing_keys(keys()).build().unwrap();
    let mut ada = Visitor::new(&before);
    ada.get(|session| session.set("n", 9)).await;
    let after = configured(store, &clock).signing_keys(keys());
    ada.sessions = after.validate(limited).build().unwrap();
    ada.get(|session| {
        assert_eq!(session.get_or_insert_with("n", || 0)?, 9);
        session.update("n", |_: &mut i64| {})?;
        session.set("m", 1)
    })
    .await;
    assert_eq!(number(&mut ada, "n").await, Some(9));
    ada.get(|session| session.decrement("n", 4)).await;
    assert_eq!(number(&mut ada, "n").await, Some(5));
}

/// K18: all hooks must accept, and each is asked outside of any lock.
#[tokio::test]
async fn k18_hooks_add_up_and_may_use_the_session() {
    let clock = ManualClock::new();
    let held: Arc<std::sync::Mutex<Option<Session>>> = Arc::default();
    let asked = Arc::new(AtomicU32::new(0));
    let builder = configured(MemoryStore::new(), &clock).validate(limited).validate({
        let (held, asked) = (Arc::clone(&held), Arc::clone(&asked));
        move |_, value| {
            asked.fetch_add(1, Ordering::Relaxed);
            let session = held.lock().unwrap().clone();
            if let Some(session) = session {
                session.get::<i64>("n")?;
            }
            if value.as_str() == "3" { Err(Error::invalid("a three")) } else { Ok(()) }
        }
    });
    let sessions = builder.build().unwrap();
    let session = sessions.start().await.unwrap();
    *held.lock().unwrap() = Some(Session::clone(&session));
    is_refused(session.set("n", 6), "set", "a number above 5");
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    is_refused(session.set("n", 3), "set", "a three");
    session.lazy().increment("n", 1).unwrap();
    is_refused(session.increment("n", 2), "increment", "a three");
    session.update("n", |n: &mut i64| *n += 1).unwrap();
    session.lazy().push("list", "a").unwrap();
    session.save().await.unwrap();
    assert_eq!(session.get("n").unwrap(), Some(2));
    held.lock().unwrap().take();
}

#[derive(Debug, Serialize, Deserialize, Default, PartialEq)]
#[serde(default)]
struct Cart {
    items: Vec<String>,
    voucher: Option<String>,
}

impl SessionData for Cart {
    const PREFIX: &'static str = "cart";

    fn validate(&self) -> Result<()> {
        if self.voucher.is_some() && self.items.is_empty() {
            return Err(Error::invalid("a voucher for nothing"));
        }
        if self.items.len() > 3 { Err(Error::invalid("a full cart")) } else { Ok(()) }
    }
}

/// K18: a class of the application validates itself.
#[tokio::test]
async fn k18_typed_sessions_are_validated() {
    let clock = ManualClock::new();
    let sessions = configured(MemoryStore::new(), &clock).build().unwrap();
    let mut ada = Visitor::new(&sessions);
    let ((), answer) = ada
        .visit(|session| {
            let cart = session.typed::<Cart>();
            let nothing = || Cart { items: Vec::new(), voucher: Some("GIFT".into()) };
            is_refused(cart.set(&nothing()), "set", "a voucher for nothing");
            is_refused(cart.get_or_insert_with(nothing), "get_or_insert_with", "a voucher");
            is_refused(
                cart.update(|cart| cart.voucher = Some("GIFT".into())),
                "update",
                "a voucher",
            );
            assert!(session.is_empty() && !session.is_modified());
            cart.set(&Cart { items: vec!["tea".into()], voucher: None }).unwrap();
        })
        .await;
    answer.closed.unwrap();

    // Two requests that each add two: together they are too many.
    let add = |cart: &mut Cart| cart.items.extend(["rice".into(), "salt".into()]);
    let mut parallel = ada.clone();
    let exchange = ada.open();
    let session = exchange.session().load().await.unwrap();
    session.typed::<Cart>().update(add).unwrap();
    parallel.get(|session| session.typed::<Cart>().update(add)).await;
    is_refused(ada.close(exchange).await.closed, "commit", "a full cart");
    let cart = ada.get(|session| session.typed::<Cart>().get()).await.unwrap();
    assert_eq!(cart.items, ["tea", "rice", "salt"]);
}

/// K18: the hook of the configuration sees the fields of a class as the keys that they are.
#[tokio::test]
async fn k18_typed_fields_pass_the_hook() {
    let clock = ManualClock::new();
    let builder = configured(MemoryStore::new(), &clock).validate(|key, value| match key {
        "cart.voucher" if value.as_str() == "\"FAKE\"" => Err(Error::invalid("no such voucher")),
        _ => Ok(()),
    });
    let session = builder.build().unwrap().start().await.unwrap();
    let cart = session.typed::<Cart>();
    let fake = Cart { items: vec!["tea".into()], voucher: Some("FAKE".into()) };
    is_refused(cart.set(&fake), "set", "no such voucher");
    assert!(session.is_empty(), "not half of it");
}
