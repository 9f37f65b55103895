//! P10, A6, A7, K12: values through requests.

use std::collections::BTreeMap;

use axum::Router;
use axum::routing::get;
use tenure_core::value::Json;
use tenure_core::{ErrorKind, Sessions};
use tenure_tower::SessionLayer;
use tenure_tower::axum::{Error, Session};

use crate::client::Client;

fn app(routes: Router) -> Client {
    Client::new(&routes.layer(SessionLayer::new(Sessions::in_memory().unwrap())))
}

#[tokio::test]
async fn p10_values_of_mixed_types_come_back_as_they_were() {
    async fn write(session: Session) -> Result<(), Error> {
        session.set("text", "tea")?;
        session.set("number", -3)?;
        session.set("large", u64::MAX)?;
        session.set("yes", true)?;
        session.set("list", vec![1, 2])?;
        session.set("map", BTreeMap::from([("a", 1.5)]))?;
        Ok(session.set("none", None::<u8>)?)
    }
    async fn read(session: Session) -> Result<(), Error> {
        assert_eq!(session.get::<String>("text")?.as_deref(), Some("tea"));
        assert_eq!(session.get("number")?, Some(-3));
        assert_eq!(session.get("large")?, Some(u64::MAX));
        assert_eq!(session.get("yes")?, Some(true));
        assert_eq!(session.get("list")?, Some(vec![1, 2]));
        assert_eq!(session.get("map")?, Some(BTreeMap::from([("a".to_owned(), 1.5)])));
        assert_eq!(session.get::<Option<u8>>("none")?, Some(None));
        assert_eq!(session.get::<u8>("absent")?, None);
        assert_eq!(session.get::<u8>("text").unwrap_err().kind(), ErrorKind::Type);
        Ok(())
    }
    let mut client = app(Router::new().route("/write", get(write)).route("/read", get(read)));
    assert_eq!(client.get("/write").await.status, 200);
    assert_eq!(client.get("/read").await.status, 200);
}

#[tokio::test]
async fn a6_k12_insert_all_remove_and_clear() {
    async fn begin(session: Session) -> Result<(), Error> {
        Ok(session.merge([("a", 1), ("b", 2), ("c", 3)])?)
    }
    async fn change(session: Session) -> Result<(), Error> {
        assert_eq!((session.len(), session.contains("a")), (3, true));
        session.remove("a")?;
        session.update("b", |b: &mut i32| *b *= 10)?;
        Ok(session.push("list", "x")?)
    }
    async fn look(session: Session) -> Result<String, Error> {
        Ok(format!("{:?} {:?}", session.keys(), session.get::<i32>("b")?))
    }
    async fn clear(session: Session) -> Result<(), Error> {
        Ok(session.clear()?)
    }
    let routes = Router::new()
        .route("/begin", get(begin))
        .route("/change", get(change))
        .route("/look", get(look))
        .route("/clear", get(clear));
    let mut client = app(routes);
    client.get("/begin").await;
    client.get("/change").await;
    assert_eq!(client.get("/look").await.body, r#"["b", "c", "list"] Some(20)"#);
    client.get("/clear").await;
    assert_eq!(client.get("/look").await.body, "[] None");
}

#[tokio::test]
async fn a7_increment_and_decrement_and_what_is_no_number() {
    async fn count(session: Session) -> Result<String, Error> {
        session.increment("n", 5)?;
        session.decrement("n", 2)?;
        session.increment("half", 0.5)?;
        Ok(format!("{:?} {:?}", session.get::<i64>("n")?, session.get::<f64>("half")?))
    }
    async fn wrong(session: Session) -> Result<String, Error> {
        session.set("text", "tea")?;
        let kind = session.increment("text", 1).unwrap_err().kind();
        Ok(format!("{kind:?} {:?}", session.get::<String>("text")?))
    }
    async fn blind(session: tenure_tower::axum::LazySession) -> Result<(), Error> {
        session.increment("n", 1)?;
        Ok(session.increment("text", 1)?)
    }
    let routes = Router::new()
        .route("/count", get(count))
        .route("/wrong", get(wrong))
        .route("/blind", get(blind));
    let mut client = app(routes);
    assert_eq!(client.get("/count").await.body, "Some(3) Some(0.5)");
    assert_eq!(client.get("/count").await.body, "Some(6) Some(1.0)");
    assert_eq!(client.get("/wrong").await.body, r#"Type Some("tea")"#);
    // Seen only at the commit, which then applies nothing of this request.
    assert_eq!(client.get("/blind").await.status, 500);
    assert_eq!(client.get("/count").await.body, "Some(9) Some(1.5)");
}

/// K18: what the application's own check refuses is 422, at the call and at the commit.
#[tokio::test]
async fn k18_values_that_a_validation_refuses_are_unprocessable() {
    let small = |_: &str, value: &Json| match value.decode::<i64>()? {
        ..=2 => Ok(()),
        _ => Err(tenure_core::Error::invalid("more than two")),
    };
    let store = tenure_core::store::MemoryStore::new();
    let sessions = Sessions::builder().store(store).validate(small).build().unwrap();
    async fn count(session: Session) -> Result<String, Error> {
        session.increment("n", 1)?;
        Ok(session.get_or("n", 0)?.to_string())
    }
    async fn blind(session: tenure_tower::axum::LazySession) -> Result<(), Error> {
        Ok(session.increment("n", 1)?)
    }
    let routes = Router::new().route("/count", get(count)).route("/blind", get(blind));
    let mut client = Client::new(&routes.layer(SessionLayer::new(sessions)));
    for n in ["1", "2"] {
        assert_eq!(client.get("/count").await.body, n);
    }
    for path in ["/count", "/blind"] {
        let answer = client.get(path).await;
        assert_eq!(
            (answer.status.as_u16(), &*answer.body),
            (422, "Unprocessable Entity"),
            "{path}"
        );
    }
}
