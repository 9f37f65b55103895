use tenure_core::ErrorKind;
use tenure_core::store::MemoryStore;
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
