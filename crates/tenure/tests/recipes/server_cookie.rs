//! K14: the id in a cookie, the session in a store.

#[path = "../../examples/server_cookie.rs"]
#[expect(dead_code, reason = "the example's `main`")]
mod recipe;

use http::Request;
use tenure::store::MemoryStore;
use tenure::transform::{Keyring, SecretKey};
use tenure_testkit::{Operation, Recorder};

use crate::client::Client;

/// K14, K5: the cookie has an id and no more; one that is forged costs no store call.
#[tokio::test]
async fn k14_the_cookie_has_a_signed_id() {
    let store = Recorder::new(MemoryStore::new());
    let keys = Keyring::new([SecretKey::generate().unwrap()]);
    let app = recipe::router(store.clone(), keys).unwrap();
    let mut visitor = Client::new(&app, "https://shop.test");
    assert_eq!(visitor.get("/cart").await.body, "[]");
    assert_eq!(store.operations(), [] as [Operation; 0]);
    visitor.post("/cart", "item=tea").await;
    let id = visitor.jar["__Host-id"].clone();
    assert_eq!(id.len(), 80, "however large the cart is");
    assert_eq!(visitor.post("/cart", "item=milk").await.body, r#"["tea","milk"]"#);
    assert_eq!(visitor.jar["__Host-id"], id);

    store.clear();
    let mut forger = visitor.clone();
    for at in [0, 40, 79] {
        let mut forged = id.clone().into_bytes();
        forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
        forger.jar.insert("__Host-id".into(), String::from_utf8(forged).unwrap());
        assert_eq!(forger.get("/cart").await.body, "[]");
    }
    assert_eq!(store.operations(), [] as [Operation; 0], "the signature does not fit");

    let copy = visitor.clone();
    visitor.send(Request::delete("/cart").header("sec-fetch-site", "same-origin"), "").await;
    assert!(visitor.jar.is_empty());
    assert_eq!(copy.clone().get("/cart").await.body, "[]", "it has ended for every copy");
}

/// K14, K5: what happens at the same moment merges, unlike in a cookie.
#[tokio::test]
async fn k14_parallel_items_are_all_there() {
    let keys = Keyring::new([SecretKey::generate().unwrap()]);
    let app = recipe::router(MemoryStore::new(), keys).unwrap();
    let mut visitor = Client::new(&app, "https://shop.test");
    visitor.post("/cart", "item=0").await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 1..20 {
        let mut tab = visitor.clone();
        tasks.spawn(async move { tab.post("/cart", &format!("item={n}")).await.status });
    }
    assert!(tasks.join_all().await.iter().all(|status| status.is_success()));
    let cart: Vec<String> = serde_json::from_str(&visitor.get("/cart").await.body).unwrap();
    assert_eq!(cart.len(), 20);
}
