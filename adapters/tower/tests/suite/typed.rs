//! K1, K2, K12, K16: classes of the application as sessions, several of them side by side.

use std::time::Duration;

use axum::extract::Path;
use axum::routing::get;
use axum::{Extension, Router};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use tenure_core::session::SessionData;
use tenure_core::store::MemoryStore;
use tenure_core::transport::{Cookie, SameSite};
use tenure_core::{Handle, Sessions};
use tenure_tower::axum::{Error, Session, Sessions as Manager, Typed};
use tenure_tower::{Installed, SessionLayer};

use crate::client::Client;
use crate::store::Spy;

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct Cart {
    items: Vec<String>,
    voucher: Option<String>,
}

impl SessionData for Cart {
    const SESSION: Option<&'static str> = Some("__Host-cart");
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct Profile {
    name: String,
    visits: u32,
}

impl SessionData for Profile {}

async fn add(cart: Typed<Cart>, Path(item): Path<String>) -> Result<(), Error> {
    Ok(cart.update(move |cart| cart.items.push(item.clone()))?)
}

async fn rename(profile: Typed<Profile>, Path(name): Path<String>) -> Result<(), Error> {
    Ok(profile.set(&Profile { name, ..profile.get_or_default()? })?)
}

async fn visit(profile: Typed<Profile>) -> Result<(), Error> {
    Ok(profile.update(|profile| profile.visits += 1)?)
}

async fn show(cart: Typed<Cart>, profile: Typed<Profile>) -> Result<String, Error> {
    let (cart, profile) = (cart.get_or_default()?, profile.get_or_default()?);
    Ok(format!("{} {}: {}", profile.name, profile.visits, cart.items.join(",")))
}

fn routes() -> Router {
    Router::new()
        .route("/add/{item}", get(add))
        .route("/rename/{name}", get(rename))
        .route("/visit", get(visit))
        .route("/show", get(show))
        .route("/clear-cart", get(|cart: Typed<Cart>| async move { cart.clear().unwrap() }))
        .route(
            "/end-cart",
            get(|cart: Typed<Cart>| async move { cart.session().destroy().unwrap() }),
        )
        .route("/keys", get(|session: Session| async move { session.keys().join(",") }))
}

/// Each with its own store, lifetime and cookie.
fn layered(routes: Router) -> (Client, [Spy; 2]) {
    let (profiles, carts) = (Spy::default(), Spy::default());
    let profile = profiles.builder().idle_timeout(Duration::from_secs(60)).build().unwrap();
    let cookie = Cookie::named("__Host-cart").same_site(SameSite::Strict);
    let cart = carts.builder().cookie(cookie).build().unwrap();
    let app = routes.layer(SessionLayer::new(profile)).layer(SessionLayer::new(cart));
    (Client::new(&app), [profiles, carts])
}

#[tokio::test]
async fn k1_k2_two_types_two_cookies_two_stores() {
    let (mut client, [profiles, carts]) = layered(routes());
    let answer = client.get("/add/tea").await;
    assert!(answer.cookie().starts_with("__Host-cart="), "the other one has nothing to say");
    assert!(answer.cookie().contains("SameSite=Strict"));
    assert_eq!((profiles.records(), carts.records()), (0, 1));
    let answer = client.get("/rename/ada").await;
    assert!(answer.cookie().starts_with("__Host-id="));
    assert_eq!((profiles.records(), carts.records()), (1, 1));
    client.get("/visit").await;
    assert_eq!(client.get("/show").await.body, "ada 1: tea");
    assert_eq!(client.get("/keys").await.body, "name,visits", "fields are keys");

    client.get("/clear-cart").await;
    assert_eq!(client.get("/show").await.body, "ada 1: ");
    client.get("/add/milk").await;
    client.get("/end-cart").await;
    assert_eq!(client.jar.keys().collect::<Vec<_>>(), ["__Host-id"]);
    assert_eq!((profiles.records(), carts.records()), (1, 0));
    assert_eq!(client.get("/show").await.body, "ada 1: ");
}

#[tokio::test]
async fn k2_a_session_that_no_layer_has_says_which_one() {
    let layer = SessionLayer::new(Sessions::in_memory().unwrap());
    let layer = layer.error_response(|error| {
        let body = axum::body::Body::from(error.to_string());
        http::Response::builder().status(500).body(body).unwrap()
    });
    let answer = Client::new(&routes().layer(layer)).get("/add/tea").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(answer.body.contains("__Host-cart") && answer.body.contains("SessionLayer"));
    let answer = Client::new(&routes()).get("/visit").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
}

/// K12, X1: through HTTP, on a runtime with several threads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn k12_x1_fifty_parallel_requests_change_two_fields() {
    let (mut client, _) = layered(routes());
    client.get("/rename/ada").await;
    let requests = (0..50).map(|i| {
        let mut client = client.clone();
        tokio::spawn(async move {
            let path = if i % 10 == 0 { "/rename/grace".to_owned() } else { "/visit".to_owned() };
            assert_eq!(client.get(&path).await.status, 200);
        })
    });
    for request in requests.collect::<Vec<_>>() {
        request.await.unwrap();
    }
    assert_eq!(client.get("/show").await.body, "grace 45: ");
}

/// K16: get, set and clear by name; get-or-set; clear by id, which ends another device's session.
#[tokio::test]
async fn k16_by_name_and_by_id() {
    async fn by_name(Extension(installed): Extension<Installed>) -> Result<String, Error> {
        let cart = installed.named("__Host-cart").unwrap().session().load().await?;
        let items = cart.get_or_insert_with("items", || vec!["first".to_owned()])?;
        cart.set("voucher", "ten")?;
        Ok(items.join(","))
    }
    async fn clear(Extension(installed): Extension<Installed>) -> Result<(), Error> {
        Ok(installed.named("__Host-cart").unwrap().session().load().await?.clear()?)
    }
    async fn made(cart: Typed<Cart>) -> Result<String, Error> {
        let make = || Cart { items: vec!["made".into()], voucher: None };
        Ok(cart.get_or_insert_with(make)?.items.join(","))
    }
    async fn handle(session: Session) -> String {
        session.handle().unwrap().to_string()
    }
    async fn end(manager: Manager, Path(handle): Path<String>) -> Result<String, Error> {
        let handle = handle.parse::<Handle>().unwrap();
        Ok(manager.revoke(handle).await?.to_string())
    }
    let routes = routes()
        .route("/by-name", get(by_name))
        .route("/clear-by-name", get(clear))
        .route("/made", get(made))
        .route("/handle", get(handle))
        .route("/end/{handle}", get(end));
    let (mut client, _) = layered(routes);
    assert_eq!(client.get("/by-name").await.body, "first");
    client.get("/add/tea").await;
    assert_eq!(client.get("/by-name").await.body, "first,tea");
    client.get("/clear-by-name").await;
    assert_eq!(client.get("/made").await.body, "made");
    assert_eq!(client.get("/made").await.body, "made");

    client.get("/rename/ada").await;
    let mut other = Client::new(client.app());
    other.get("/rename/ada").await;
    let theirs = other.get("/handle").await.body;
    assert_eq!(client.get(&format!("/end/{theirs}")).await.body, "true");
    assert_eq!(other.get("/show").await.body, " 0: ");
    assert_eq!(client.get("/show").await.body, "ada 0: made");
    assert_eq!(client.get(&format!("/end/{theirs}")).await.body, "false");
}

/// F10: the session's own keys are there beside the fields, and so is a type with a prefix.
#[tokio::test]
async fn f10_typed_fields_and_plain_keys_side_by_side() {
    #[derive(Serialize, Deserialize, Default)]
    struct Prefixed {
        name: String,
    }
    impl SessionData for Prefixed {
        const PREFIX: &'static str = "p";
    }
    async fn write(session: Session, p: Typed<Prefixed>, q: Typed<Profile>) -> Result<(), Error> {
        session.set("plain", 1)?;
        p.set(&Prefixed { name: "p".into() })?;
        Ok(q.set(&Profile { name: "q".into(), visits: 3 })?)
    }
    async fn read(
        session: Session,
        p: Typed<Prefixed>,
        q: Typed<Profile>,
    ) -> Result<String, Error> {
        let visits = session.get::<u32>("visits")?.unwrap();
        let names = (p.get()?.unwrap().name, q.get()?.unwrap().name);
        Ok(format!("{:?} {visits} {names:?}", session.keys()))
    }
    let sessions = Sessions::builder().store(MemoryStore::new()).build().unwrap();
    let app = Router::new().route("/write", get(write)).route("/read", get(read));
    let mut client = Client::new(&app.layer(SessionLayer::new(sessions)));
    client.get("/write").await;
    let body = r#"["name", "p.name", "plain", "visits"] 3 ("p", "q")"#;
    assert_eq!(client.get("/read").await.body, body);
}
