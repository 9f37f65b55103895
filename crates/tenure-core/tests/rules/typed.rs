//! Classes of the application as the session's data, and as principals.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde::{Deserialize, Serialize};
use tenure_core::session::{Principal, SessionData};
use tenure_core::store::MemoryStore;
use tenure_core::{ErrorKind, Result, Session, UserId};
use tenure_testkit::ManualClock;

use crate::visitor::{Visitor, configured, shop};

#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
struct Visit {
    theme: String,
    pages: u32,
    #[serde(rename = "last-search", default, skip_serializing_if = "Option::is_none")]
    search: Option<String>,
    note: Option<String>,
}

impl SessionData for Visit {}

fn visit(theme: &str, pages: u32) -> Visit {
    Visit { theme: theme.into(), pages, ..Visit::default() }
}

#[tokio::test]
async fn k1_f10_each_field_has_a_key_and_untyped_access_stays() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| {
        let typed = session.typed::<Visit>();
        assert_eq!(typed.get()?, None);
        assert_eq!(typed.get_or_default()?, Visit::default());
        assert!(!session.is_modified());
        session.set("cart", ["tea"])?;
        typed.set(&Visit { search: Some("milk".into()), ..visit("dark", 3) })
    })
    .await;
    ada.get(|session| {
        assert_eq!(session.keys(), ["cart", "last-search", "note", "pages", "theme"]);
        assert_eq!(session.get::<u32>("pages")?, Some(3));
        session.increment("pages", 1)?;
        let typed = session.typed::<Visit>();
        let seen = typed.get()?.unwrap();
        assert_eq!(seen, Visit { search: Some("milk".into()), ..visit("dark", 4) });
        typed.set(&Visit { search: None, ..seen })
    })
    .await;
    ada.get(|session| {
        assert!(!session.contains("last-search"), "a field that is not written is removed");
        assert_eq!(session.raw("note")?.unwrap().as_str(), "null");
        session.typed::<Visit>().clear()?;
        assert_eq!(session.keys(), ["cart"]);
        assert_eq!(session.typed::<Visit>().get()?, None);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn k1_what_is_there_in_part_is_an_error_and_not_nothing() {
    let (sessions, _clock) = shop();
    let session = sessions.start().await.unwrap();
    session.set("theme", "dark").unwrap();
    let error = session.typed::<Visit>().get().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Type);
    session.set("pages", "many").unwrap();
    assert_eq!(session.typed::<Visit>().get().unwrap_err().kind(), ErrorKind::Type);
    session.typed::<Visit>().clear().unwrap();
    assert!(session.is_empty());
}

/// K12: a changed copy writes only what was changed.
#[tokio::test]
async fn k12_copies_that_change_different_fields_both_survive() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.typed().set(&visit("light", 1))).await;
    let (first, second) = (ada.open(), ada.open());
    let one = first.session().load().await.unwrap().typed::<Visit>();
    let two = second.session().load().await.unwrap().typed::<Visit>();
    one.set(&Visit { theme: "dark".into(), ..one.get().unwrap().unwrap() }).unwrap();
    two.set(&Visit { note: Some("hi".into()), ..two.get().unwrap().unwrap() }).unwrap();
    assert_eq!(one.get().unwrap().unwrap().theme, "dark", "its own write");
    ada.close(first).await.closed.unwrap();
    ada.close(second).await.closed.unwrap();
    let seen = ada.get(|session| session.typed::<Visit>().get()).await;
    assert_eq!(seen, Some(Visit { note: Some("hi".into()), ..visit("dark", 1) }));
}

#[tokio::test]
async fn k12_a_copy_that_changes_nothing_writes_nothing() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.typed().set(&visit("light", 1))).await;
    ada.get(|session| {
        session.typed().set(&visit("light", 1))?;
        session.typed::<Visit>().update(|visit| visit.pages *= 1)?;
        assert!(!session.is_modified());
        Ok(())
    })
    .await;
}

/// K12, X1: fifty requests at once change one field, and each another one.
#[tokio::test]
async fn k12_x1_fifty_parallel_updates_lose_nothing() {
    #[derive(Serialize, Deserialize, Default)]
    #[serde(default)]
    struct Board {
        count: u32,
        list: Vec<u32>,
        #[serde(flatten)]
        marks: BTreeMap<String, u32>,
    }
    impl SessionData for Board {
        const PREFIX: &'static str = "board";
    }
    for begun in [true, false] {
        let (sessions, _clock) = shop();
        let mut ada = Visitor::new(&sessions);
        ada.get(|session| session.set("other", 1)).await;
        if begun {
            ada.get(|session| session.typed::<Board>().update(|board| board.count = 0)).await;
        }
        let runs = Arc::new(AtomicU32::new(0));
        let mut open = Vec::new();
        for i in 0..50 {
            let exchange = ada.open();
            let board = exchange.session().load().await.unwrap().typed::<Board>();
            let runs = Arc::clone(&runs);
            let update = move |board: &mut Board| {
                runs.fetch_add(1, Ordering::Relaxed);
                board.count += 1;
                board.list.push(i);
                board.marks.insert(format!("m{i}"), i);
            };
            board.update(update).unwrap();
            open.push(exchange);
        }
        assert_eq!(runs.load(Ordering::Relaxed), 50, "once each, as long as nothing meets");
        for exchange in open {
            ada.close(exchange).await.closed.unwrap();
        }
        let board = ada.get(|session| session.typed::<Board>().get()).await.unwrap();
        assert_eq!((board.count, board.marks.len()), (50, 50));
        assert_eq!(board.list, (0..50).collect::<Vec<_>>());
    }
}

/// Two requests that meet an absent value: a field that one of them left at its default does not
/// take back what the other one set.
#[tokio::test]
async fn k12_defaults_yield_to_what_another_request_set() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("other", 1)).await;
    let (first, second) = (ada.open(), ada.open());
    let one = first.session().load().await.unwrap().typed::<Visit>();
    let two = second.session().load().await.unwrap().typed::<Visit>();
    one.update(|visit| visit.theme = "dark".into()).unwrap();
    two.update(|visit| visit.pages = 7).unwrap();
    ada.close(first).await.closed.unwrap();
    ada.close(second).await.closed.unwrap();
    let seen = ada.get(|session| session.typed::<Visit>().get()).await;
    assert_eq!(seen, Some(visit("dark", 7)));
}

/// Whoever clears a value while another request changes it leaves none, and not half of one.
#[tokio::test]
async fn k12_what_is_cleared_meanwhile_stays_cleared() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| {
        session.set("other", 1)?;
        session.typed().set(&visit("light", 1))
    })
    .await;
    let (clears, updates) = (ada.open(), ada.open());
    clears.session().load().await.unwrap().typed::<Visit>().clear().unwrap();
    let typed = updates.session().load().await.unwrap().typed::<Visit>();
    typed.update(|visit| visit.pages += 1).unwrap();
    ada.close(clears).await.closed.unwrap();
    ada.close(updates).await.closed.unwrap();
    let seen = ada.get(|session| session.typed::<Visit>().get()).await;
    assert_eq!(seen, None);

    ada.get(|session| session.typed().set(&visit("light", 1))).await;
    let (adds, clears) = (ada.open(), ada.open());
    clears.session().load().await.unwrap().typed::<Visit>().clear().unwrap();
    let typed = adds.session().load().await.unwrap().typed::<Visit>();
    typed.update(|visit| visit.search = Some("tea".into())).unwrap();
    ada.close(adds).await.closed.unwrap();
    ada.close(clears).await.closed.unwrap();
    let seen = ada.get(|session| session.typed::<Visit>().get()).await;
    assert_eq!(seen, None, "a field that was new to the one who cleared goes, too");
}

#[tokio::test]
async fn k16_get_or_insert_with_makes_it_once() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("other", 1)).await;
    let (first, second) = (ada.open(), ada.open());
    for (exchange, pages) in [(&first, 1), (&second, 2)] {
        let typed = exchange.session().load().await.unwrap().typed::<Visit>();
        let made = typed.get_or_insert_with(|| visit("dark", pages)).unwrap();
        assert_eq!(made.pages, pages, "neither has seen the other");
    }
    ada.close(first).await.closed.unwrap();
    ada.close(second).await.closed.unwrap();
    let seen = ada
        .get(|session| session.typed::<Visit>().get_or_insert_with(|| panic!("it is there")))
        .await;
    assert_eq!(seen, visit("dark", 1));
}

/// All of a value is recorded, or nothing of it.
#[tokio::test]
async fn k1_a_value_over_the_limit_leaves_the_session_as_it_was() {
    let clock = ManualClock::new();
    let sessions = configured(MemoryStore::new(), &clock).max_session_keys(2).build().unwrap();
    let session = sessions.start().await.unwrap();
    let error = session.typed().set(&visit("dark", 1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(session.is_empty());
    let read_only = session.read_only().typed::<Visit>();
    for error in [
        read_only.set(&visit("dark", 1)).unwrap_err(),
        read_only.update(|_| {}).unwrap_err(),
        read_only.clear().unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::ReadOnly);
    }
}

/// An update that itself changes the session runs again on what is there then.
#[tokio::test]
async fn k12_an_update_may_call_the_session() {
    let (sessions, _clock) = shop();
    let session = sessions.start().await.unwrap();
    session.typed().set(&visit("dark", 1)).unwrap();
    let (inner, runs) = (session.clone(), AtomicU32::new(0));
    let update = move |visit: &mut Visit| {
        if runs.fetch_add(1, Ordering::Relaxed) == 0 {
            inner.increment("pages", 10).unwrap();
        }
        visit.pages += 1;
    };
    session.typed::<Visit>().update(update).unwrap();
    assert_eq!(session.get::<u32>("pages").unwrap(), Some(12));
    let inner = session.clone();
    let restless = move |visit: &mut Visit| {
        inner.increment("pages", 1).unwrap();
        visit.pages += 1;
    };
    let error = session.typed::<Visit>().update(restless).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Account {
    name: String,
}

impl SessionData for Account {
    const PREFIX: &'static str = "account";
}

impl Principal for Account {
    fn of(_user: UserId, session: &Session) -> Result<Option<Self>> {
        session.typed().get()
    }
}

/// K15, V14: a class in the session is the principal, once somebody is logged in.
#[tokio::test]
async fn k15_v14_a_class_is_the_principal_of_a_login() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| {
        session.typed().set(&Account { name: "Ada".into() })?;
        assert_eq!(session.principal::<Account>()?, None, "nobody is logged in");
        assert_eq!(session.principal::<UserId>()?, None);
        session.login("ada")
    })
    .await;
    ada.get(|session| {
        assert_eq!(session.principal::<Account>()?.unwrap().name, "Ada");
        assert_eq!(session.principal::<UserId>()?.unwrap().as_str(), "ada");
        session.login("grace")?;
        assert_eq!(session.principal::<Account>()?, None, "it was another user's");
        session.logout()?;
        assert_eq!(session.principal::<UserId>()?, None);
        Ok(())
    })
    .await;
}
