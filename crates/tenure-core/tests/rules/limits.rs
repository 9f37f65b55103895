use tenure_core::ErrorKind;
use tenure_core::store::{AnyStore, MemoryStore};
use tenure_core::transform::{Keyring, SecretKey};
use tenure_testkit::{ManualClock, Recorder};

use crate::visitor::{Visitor, configured, shop};

/// R7, T-LAZY-1: whoever only looks, and whoever sends nonsense, leaves nothing behind.
#[tokio::test]
async fn r7_visitors_and_bogus_ids_fill_no_store() {
    let clock = ManualClock::new();
    let store = Recorder::new(MemoryStore::new());
    let sessions = configured(store.clone(), &clock).build().unwrap();
    let mut visitor = Visitor::new(&sessions);
    for i in 0..100_000_u32 {
        visitor.token = (i % 2 == 0).then(|| format!("{i:0>80}"));
        let exchange = visitor.open();
        if i % 3 == 0 {
            let session = exchange.session().load().await.unwrap();
            assert!(session.is_empty() && !session.exists());
            if i % 9 == 0 {
                session.remove("nothing").unwrap();
                session.clear().unwrap();
                session.touch().unwrap();
                session.regenerate().unwrap();
            }
            if i % 27 == 0 {
                session.logout().unwrap();
            }
        }
        assert!(!visitor.close(exchange).await.sets_cookie());
    }
    assert!(store.calls().is_empty());
}

/// R28, R7: size is limited at the call that crosses the limit, and the session is as before.
#[tokio::test]
async fn r28_a_session_that_grows_too_large_is_refused() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("kept", "x".repeat(60_000))).await;
    let (_, answer) = ada
        .visit(|session| {
            let too_large = |outcome: tenure_core::Result<()>| {
                let error = outcome.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::TooLarge);
                assert!(error.to_string().contains("max_session_bytes"), "{error}");
            };
            too_large(session.set("more", "x".repeat(10_000)));
            too_large(session.push("list", "x".repeat(10_000)));
            too_large(session.update("more", |more: &mut String| *more = "x".repeat(10_000)));
            assert_eq!(session.keys(), ["kept"]);
            session.set("kept", "x".repeat(65_000)).unwrap();
            session.set("kept", "x".repeat(10)).unwrap();
            session.set("more", "x".repeat(10_000)).unwrap();
        })
        .await;
    answer.closed.unwrap();
    assert_eq!(ada.get(|session| Ok(session.keys())).await, ["kept", "more"]);
}

/// R28: so are the number of keys and that of operations in one request.
#[tokio::test]
async fn r28_too_many_keys_or_operations_are_refused() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    let refused = |outcome: tenure_core::Result<()>, setting: &str| {
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        assert!(error.to_string().contains(setting), "{error}");
    };
    ada.get(|session| session.merge((0..127).map(|i| (format!("k{i}"), i)))).await;
    ada.get(|session| {
        session.set("last", 1)?;
        refused(session.set("more", 1), "max_session_keys");
        refused(session.push("more", 1), "max_session_keys");
        refused(session.increment("more", 1), "max_session_keys");
        assert_eq!(session.len(), 128);
        session.set("last", 2)?;
        session.remove("k0")?;
        session.set("more", 1)
    })
    .await;
    ada.get(|session| {
        session.clear()?;
        for i in 0..256 {
            session.increment("n", 1)?;
            session.push("list", i)?;
        }
        session.remove("list")?;
        session.set("list", [0_u8; 0])
    })
    .await;
    ada.get(|session| {
        for i in 0..256 {
            session.push("list", i)?;
        }
        refused(session.push("list", 256), "max_operations");
        refused(session.set("n", 0), "max_operations");
        assert_eq!(session.get::<Vec<u16>>("list")?.unwrap().len(), 256);
        session.remove("list")?;
        session.set("n", 0)
    })
    .await;
    assert_eq!(ada.get(|session| Ok(session.keys())).await, ["n"]);
}

/// R28: what was filled under higher limits can be made smaller, but not larger.
#[tokio::test]
async fn r28_a_session_over_a_limit_can_shrink() {
    let (store, clock) = (AnyStore::new(MemoryStore::new()), ManualClock::new());
    let keyring = Keyring::new([SecretKey::generate().unwrap()]);
    let large = configured(store.clone(), &clock).signing_keys(keyring.clone()).build().unwrap();
    let mut ada = Visitor::new(&large);
    ada.get(|session| session.merge((0..9).map(|i| (format!("k{i}"), "x".repeat(100))))).await;
    let lower = configured(store, &clock).signing_keys(keyring);
    ada.sessions = lower.max_session_bytes(200).max_session_keys(3).build().unwrap();
    ada.get(|session| {
        session.remove("k0")?;
        session.set("k1", "short")?;
        let longer = session.set("k2", "x".repeat(101));
        assert_eq!(longer.unwrap_err().kind(), ErrorKind::TooLarge);
        assert_eq!(session.set("new", 1).unwrap_err().kind(), ErrorKind::TooLarge);
        Ok(())
    })
    .await;
    assert_eq!(ada.get(|session| Ok(session.len())).await, 8);
}
