//! What a handler reads and writes: defaults, paths, counters, and keys and values at the edges.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use tenure_core::{ErrorKind, Key};

use crate::visitor::{Visitor, shop};

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
struct Item {
    sku: String,
    price: f64,
}

/// A5: a default stands for what is absent and for null, but not for what is of another type.
#[tokio::test]
async fn a5_a_default_stands_for_what_is_absent() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    const THEME: Key<String> = Key::new("theme");
    ada.get(|session| {
        assert_eq!(session.get_or(THEME, "light".to_owned())?, "light");
        session.set("theme", Option::<String>::None)?;
        assert!(session.contains("theme"));
        assert_eq!(session.get_or(THEME, "light".to_owned())?, "light");
        assert_eq!(session.get_or("theme", Some(1))?, Some(1));
        session.set("theme", "dark")?;
        assert_eq!(session.get_or(THEME, "light".to_owned())?, "dark");
        assert_eq!(session.get_or("theme", 1).unwrap_err().kind(), ErrorKind::Type);
        Ok(())
    })
    .await;
    assert_eq!(ada.get(|session| session.get_or(THEME, String::new())).await, "dark");
}

/// A5: paths lead into values, and keys with dots are keys first.
#[tokio::test]
async fn a5_paths_lead_into_values() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    let items =
        vec![Item { sku: "tea".into(), price: 3.5 }, Item { sku: "milk".into(), price: 1.25 }];
    ada.get(|session| {
        session.set("cart", &items)?;
        session.set("errors", BTreeMap::from([("title", "is missing"), ("a.b", "odd")]))?;
        session.set("user.name", BTreeMap::from([("first", "Ada")]))?;
        session.set("user", BTreeMap::from([("name", BTreeMap::from([("first", "Eve")]))]))?;
        session.set("plain", 1)
    })
    .await;
    ada.get(|session| {
        let text = |path: &str| session.get_path::<String>(path);
        assert_eq!(text("cart.1.sku")?.as_deref(), Some("milk"));
        assert_eq!(session.get_path("cart.0")?, Some(items[0].clone()));
        assert_eq!(session.get_path("cart")?, Some(items.clone()));
        assert_eq!(text("errors.title")?.as_deref(), Some("is missing"));
        assert_eq!(text("user.name.first")?.as_deref(), Some("Ada"), "the longer key");
        assert_eq!(session.get_path("plain")?, Some(1));
        for nowhere in [
            "",
            ".",
            "cart.",
            "cart.2",
            "cart.x",
            "cart.0.sku.0",
            "nothing",
            "nothing.more",
            "plain.0",
            "errors.a.b",
            ".cart",
            "cart..0",
            "cart.0.price.5",
            "errors.title.length",
        ] {
            assert_eq!(text(nowhere)?, None, "{nowhere:?}");
        }
        assert_eq!(session.get_path::<u8>("cart.0.sku").unwrap_err().kind(), ErrorKind::Type);
        Ok(())
    })
    .await;
    ada.get(|session| {
        session.update("cart", |cart: &mut Vec<Item>| cart.truncate(1))?;
        assert_eq!(session.get_path::<String>("cart.1.sku")?, None, "it sees its own writes");
        Ok(())
    })
    .await;
}

/// A6: everything at once, and what is taken is gone.
#[tokio::test]
async fn a6_all_and_take() {
    #[derive(Deserialize, Debug, PartialEq)]
    struct Settings {
        theme: String,
        #[serde(rename = "odd \"key\"")]
        odd: u8,
        columns: Option<u8>,
    }
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| {
        assert!(session.all::<HashMap<String, u8>>()?.is_empty());
        session.set("theme", "dark")?;
        session.set("odd \"key\"", 7)
    })
    .await;
    ada.get(|session| {
        let all = Settings { theme: "dark".into(), odd: 7, columns: None };
        assert_eq!(session.all::<Settings>()?, all);
        assert_eq!(session.all::<HashMap<String, u8>>().unwrap_err().kind(), ErrorKind::Type);
        assert_eq!(session.take::<u8>("theme").unwrap_err().kind(), ErrorKind::Type);
        assert_eq!(session.take::<String>("theme")?.as_deref(), Some("dark"));
        assert_eq!(session.take::<String>("theme")?, None);
        Ok(())
    })
    .await;
    assert_eq!(ada.get(|session| Ok(session.keys())).await, ["odd \"key\""]);
}

/// A7: steps in both directions; what is no number, and what would overflow, changes nothing.
#[tokio::test]
async fn a7_counters_have_steps_and_typed_errors() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| {
        session.increment("n", 5)?;
        session.decrement("n", 7)?;
        session.increment("f", 0.5)?;
        session.set("text", "5")?;
        session.set("most", i64::MAX)?;
        session.set("least", i64::MIN)
    })
    .await;
    ada.get(|session| {
        assert_eq!(session.get::<i64>("n")?, Some(-2));
        assert_eq!(session.get::<f64>("f")?, Some(0.5));
        let kind = |outcome: tenure_core::Result<()>| outcome.unwrap_err().kind();
        assert_eq!(kind(session.increment("text", 1)), ErrorKind::Type);
        assert_eq!(kind(session.increment("most", 1)), ErrorKind::Overflow);
        assert_eq!(kind(session.decrement("least", 1)), ErrorKind::Overflow);
        assert_eq!(kind(session.decrement("n", i64::MIN)), ErrorKind::Overflow);
        assert!(!session.is_modified());
        session.decrement("most", i64::MAX)?;
        session.increment("least", i64::MAX)
    })
    .await;
    assert_eq!(ada.number("most").await, Some(0));
    assert_eq!(ada.number("least").await, Some(-1));
}

/// K16: of two requests that both find nothing, the first to commit decides.
#[tokio::test]
async fn k16_get_or_insert_keeps_what_came_first() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("null", ())).await;
    let (mut other, exchange) = (ada.clone(), ada.open());
    let late = exchange.session().load().await.unwrap();
    assert_eq!(late.get_or_insert_with("seed", || 1).unwrap(), 1);
    assert_eq!(late.get_or_insert_with("seed", || 2).unwrap(), 1);
    assert_eq!(late.get_or_insert_with("null", || 3).unwrap(), 3);
    other.get(|session| session.get_or_insert_with("seed", || 4)).await;
    ada.close(exchange).await.closed.unwrap();
    assert_eq!(ada.number("seed").await, Some(4));
    assert_eq!(ada.number("null").await, Some(3));
    let failed = ada.get(|session| Ok(session.get_or_insert_with("seed", String::new))).await;
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::Type);
}

/// Keys and values at the edges come back as they were, or are refused, and nothing panics.
#[tokio::test]
async fn edges_of_keys_and_values() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    let keys = ["", " ", ".", "a.b", "a\0b", "😀", "\u{10FFFF}", "\"", "\\", "__proto__", "null"];
    ada.get(|session| {
        for key in keys {
            session.set(key, key)?;
            session.increment(format!("{key}#"), i64::MAX)?;
        }
        Ok(())
    })
    .await;
    ada.get(|session| {
        for key in keys {
            assert_eq!(session.get::<String>(key)?.as_deref(), Some(key), "{key:?}");
            assert_eq!(session.get_path::<String>(key)?.as_deref(), Some(key), "{key:?}");
            assert_eq!(session.get::<i64>(format!("{key}#"))?, Some(i64::MAX));
        }
        let error = session.set("huge", "x".repeat(10 << 20)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        let error = session.set("k".repeat(10 << 20), 1).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        assert!(!session.is_modified());
        Ok(())
    })
    .await;
}
