//! No session crosses from one tenant to another.

#[path = "../../examples/tenants.rs"]
#[expect(dead_code, reason = "the example's `main`")]
mod recipe;

use axum::Router;
use http::{Request, StatusCode};
use tenure::store::{AnyStore, MemoryStore};
use tenure::transform::{Keyring, SecretKey};
use tenure_testkit::{Operation, Recorder};

use crate::client::Client;

fn app() -> (Router, Recorder<MemoryStore>) {
    let store = Recorder::new(MemoryStore::new());
    let keys = Keyring::new([SecretKey::generate().unwrap()]);
    let hosts = ["north.test", "south.test"];
    let app = recipe::router(&AnyStore::new(store.clone()), &keys, &hosts).unwrap();
    (app, store)
}

#[tokio::test]
async fn t_iso_1_r9_a_cookie_of_one_tenant_is_nothing_at_another() {
    let (app, store) = app();
    let mut north = Client::new(&app, "https://north.test");
    assert_eq!(north.post("/login", "user=ada").await.location(), "/");
    assert!(north.get("/").await.body.contains("You are logged in at north.test"));

    let mut south = Client::new(&app, "https://south.test");
    let token = north.jar["__Host-north.test"].clone();
    south.jar.insert("__Host-south.test".into(), token.clone());
    south.jar.extend(north.jar.clone());
    store.clear();
    let answer = south.get("/").await;
    assert!(answer.body.contains("Nobody is logged in at south.test"), "{answer:?}");
    assert_eq!(store.operations(), [] as [Operation; 0], "the signature does not fit");
    assert_eq!(south.post("/login", "user=bob").await.location(), "/");
    assert_ne!(south.jar["__Host-south.test"], token, "a secret of its own");
    assert!(north.get("/").await.body.contains("You are logged in"), "untouched");
}

#[tokio::test]
async fn t_iso_1_another_tenant_cannot_act_for_a_visitor() {
    let (app, _) = app();
    let mut north = Client::new(&app, "https://north.test");
    let forged = Request::post("/login").header("sec-fetch-site", "same-site");
    let answer = north.send(forged, "user=eve").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let forged = Request::post("/login").header("origin", "https://south.test");
    assert_eq!(north.send(forged, "user=eve").await.status, StatusCode::FORBIDDEN);
    assert!(north.jar.is_empty());
}

#[tokio::test]
async fn t_iso_1_a_host_of_nobody_has_no_session() {
    let (app, store) = app();
    let mut north = Client::new(&app, "https://NORTH.test:443");
    north.post("/login", "user=ada").await;
    assert!(north.get("/").await.body.contains("logged in at north.test"), "port and case");
    let mut other = Client::new(&app, "https://elsewhere.test");
    other.jar = north.jar.clone();
    store.clear();
    let answer = other.get("/").await;
    assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST);
    assert_eq!(store.operations(), [] as [Operation; 0]);
}
