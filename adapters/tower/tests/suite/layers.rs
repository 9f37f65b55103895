//! Several layers on one request, and middleware inside of one.

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use http::header::SET_COOKIE;
use tenure_core::Sessions;
use tenure_core::store::MemoryStore;
use tenure_core::transport::{Cookie, SameSite};
use tenure_tower::axum::{Error, LazySession, Session, Sessions as Manager};
use tenure_tower::{Installed, SessionLayer};

use crate::app::routes;
use crate::client::Client;
use crate::store::Spy;

fn named(name: &str) -> Sessions {
    Sessions::builder().store(MemoryStore::new()).cookie(Cookie::named(name)).build().unwrap()
}

#[tokio::test]
async fn two_names_are_two_sessions_and_session_is_the_inner_one() {
    async fn both(
        session: Session,
        manager: Manager,
        Extension(installed): Extension<Installed>,
    ) -> Result<String, Error> {
        session.increment("n", 1)?;
        let outer = installed.named("__Host-outer").unwrap().session().load().await?;
        outer.increment("n", 10)?;
        assert!(installed.named("__Host-other").is_none());
        assert_eq!(installed.outer().unwrap().sessions().name(), "__Host-outer");
        let seen = (session.get::<u32>("n")?, outer.get::<u32>("n")?);
        Ok(format!("{} {seen:?}", manager.name()))
    }
    async fn end_inner(session: Session) -> Result<(), Error> {
        Ok(session.destroy()?)
    }
    let app = Router::new()
        .route("/both", get(both))
        .route("/end", get(end_inner))
        .layer(SessionLayer::new(named("__Host-inner")))
        .layer(SessionLayer::new(named("__Host-outer")));
    let mut client = Client::new(&app);
    assert_eq!(client.get("/both").await.body, "__Host-inner (Some(1), Some(10))");
    assert_eq!(client.jar.len(), 2);
    assert_eq!(client.get("/both").await.body, "__Host-inner (Some(2), Some(20))");
    client.get("/end").await;
    assert_eq!(client.jar.keys().collect::<Vec<_>>(), ["__Host-outer"]);
    assert_eq!(client.get("/both").await.body, "__Host-inner (Some(1), Some(30))");
}

#[tokio::test]
async fn of_one_name_twice_the_outer_layer_has_the_session() {
    let (outer, inner) = (Spy::default(), Spy::default());
    let app = routes()
        .layer(SessionLayer::new(inner.builder().build().unwrap()))
        .layer(SessionLayer::new(outer.builder().build().unwrap()));
    let mut client = Client::new(&app);
    let answer = client.get("/set/a/b").await;
    assert_eq!(answer.all(SET_COOKIE).len(), 1);
    assert_eq!(client.get("/get/a").await.body, "b");
    assert_eq!(outer.calls(), ["create", "load"]);
    assert_eq!(inner.calls(), [""; 0]);
}

#[tokio::test]
async fn of_one_name_twice_with_another_between_the_outer_one_is_found() {
    async fn names(Extension(installed): Extension<Installed>) -> String {
        let mut names = Vec::new();
        let mut at = Some(&installed);
        while let Some(installed) = at {
            names.push(installed.sessions().name().to_owned());
            at = installed.outer();
        }
        names.join(" ")
    }
    let sessions = named("__Host-id");
    let app = Router::new()
        .route("/", get(names))
        .layer(SessionLayer::new(sessions.clone()))
        .layer(SessionLayer::new(named("__Host-cart")))
        .layer(SessionLayer::new(sessions));
    assert_eq!(Client::new(&app).get("/").await.body, "__Host-cart __Host-id");
}

/// F9: sessions by a cookie of another name are a layer of their own; by one of the same name, with
/// whatever options, they are the same layer.
#[tokio::test]
async fn f9_another_cookie_is_another_layer_if_its_name_is() {
    async fn names(session: Session, Extension(installed): Extension<Installed>) -> String {
        session.set("seen", true).unwrap();
        let outer = installed.outer().map(|outer| outer.sessions().name().to_owned());
        format!("{} {outer:?}", installed.sessions().name())
    }
    let sessions = named("__Host-shop");
    let admin = sessions.with_cookie(Cookie::named("__Host-admin")).unwrap();
    let strict = Cookie::named("__Host-shop").same_site(SameSite::Strict);
    let strict = sessions.with_cookie(strict).unwrap();
    for (inner, body) in
        [(admin, "__Host-admin Some(\"__Host-shop\")"), (strict, "__Host-shop None")]
    {
        let app = Router::new()
            .route("/", get(names))
            .layer(SessionLayer::new(inner))
            .layer(SessionLayer::new(sessions.clone()));
        let answer = Client::new(&app).get("/").await;
        assert_eq!(answer.body, body);
        let name = body.split(' ').next().unwrap();
        assert!(answer.cookie().starts_with(name));
        assert!(!answer.cookie().contains("Strict"), "the outer layer's options");
    }
}

#[tokio::test]
async fn middleware_of_axum_has_the_same_session() {
    async fn counts(session: Session, request: Request, next: Next) -> Result<Response, Error> {
        session.increment("requests", 1)?;
        let mut response = next.run(request).await;
        let keys = session.keys().join(",");
        response.headers_mut().insert("x-keys", keys.parse().unwrap());
        session.remove("once")?;
        Ok(response)
    }
    async fn handler(lazy: LazySession, session: Session) -> Result<String, Error> {
        lazy.set("once", true)?;
        Ok(format!("{:?}", session.get::<u32>("requests")?))
    }
    let store = Spy::default();
    let app = Router::new()
        .route("/", get(handler))
        .layer(from_fn(counts))
        .layer(SessionLayer::new(store.builder().build().unwrap()));
    let mut client = Client::new(&app);
    for count in 1..3 {
        let answer = client.get("/").await;
        assert_eq!(answer.body, format!("Some({count})"));
        assert_eq!(answer.headers["x-keys"], "once,requests");
    }
    assert_eq!(store.calls(), ["create", "load", "apply"]);
}

#[tokio::test]
async fn middleware_that_answers_for_the_handler_commits_too() {
    async fn refuses(session: Session, _: Request, _: Next) -> Result<&'static str, Error> {
        session.set("seen", true)?;
        Ok("not today")
    }
    let layer = SessionLayer::new(Sessions::in_memory().unwrap());
    let app = routes().layer(from_fn(refuses)).layer(layer);
    let answer = Client::new(&app).get("/plain").await;
    assert_eq!(answer.body, "not today");
    answer.cookie();
}
