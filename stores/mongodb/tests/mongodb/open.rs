use std::time::{Duration, Instant};

use mongodb::Client;
use tenure_core::store::{AnyStore, Store, StoreErrorKind};
use tenure_mongodb::{MongoOptions, MongoStore};
use tokio::net::TcpListener;

use crate::support::{NOW, Place, key, loaded, record};

const SECRET: &str = "geheim";

/// No error and no Debug shows a password, whatever is wrong with the URL.
#[tokio::test]
async fn what_cannot_be_read_is_refused_without_its_password() {
    for url in [
        "mongodb://shop:geheim@",
        "mongodb://shop:geheim@localhost:port/shop",
        "mongodb://shop:geheim@geheim@localhost/shop",
        "mongodb://shop:gehe/im@localhost/shop",
        "mongodb://shop:geheim@localhost/shop?authMechanism=none",
        "mongodb://shop:geheim@localhost/a b.c",
        "postgres://shop:geheim@localhost/shop",
        "shop:geheim@localhost",
        "",
    ] {
        let error = MongoStore::connect(url).await.unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(!text.contains(SECRET), "{url:?}: {text}");
        assert!(
            error.to_string().contains("mongodb://user:password@localhost"),
            "{url:?}: {error}"
        );
        assert_eq!(error.kind(), StoreErrorKind::Other, "{url:?}: {error}");
    }
}

#[tokio::test]
async fn a_url_without_a_database_is_refused_and_may_be_completed() {
    let Some(place) = Place::new() else { return };
    let (server, query) = place.url.split_once("/tenure").unwrap_or((&place.url, ""));
    let bare = format!("{server}/{query}");
    let error = MongoStore::connect(&bare).await.unwrap_err().to_string();
    assert!(error.starts_with("database: ") && error.contains("MongoOptions::database"), "{error}");
    let store = place.options().database("tenure").unwrap().connect(&bare).await.unwrap();
    store.migrate().await.unwrap();
    store.create(&key(1), &record(), NOW).await.unwrap();
    loaded(&place.store().await, &key(1)).await;
}

#[tokio::test]
async fn a_wrong_password_is_named() {
    let Some(place) = Place::new() else { return };
    let url = place.url.replace("mongodb://", "mongodb://shop:geheim@");
    let error = MongoStore::connect(&url).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Other);
    assert!(error.to_string().contains("check the user, password and authSource"), "{error}");
    assert!(!format!("{error} {error:?}").contains(SECRET), "{error:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable_in_time() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let begun = Instant::now();
    let options = MongoOptions::new().operation_timeout(Duration::from_millis(800));
    let error = options.connect(format!("mongodb://{closed}/shop")).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.to_string().contains("no MongoDB server can be reached"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

/// A server that accepts and never answers.
#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up_in_time() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let begun = Instant::now();
    let options = MongoOptions::new().operation_timeout(Duration::from_millis(800));
    let url = format!("mongodb://{}/shop?directConnection=true", silent.local_addr().unwrap());
    let error = options.connect(url).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_certificate_file_that_is_not_there_is_named() {
    let options = MongoOptions::new().tls_ca_file("/nowhere/ca.pem");
    let error = options.connect("mongodb://localhost/shop").await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Other);
    assert!(error.to_string().contains("MongoOptions::tls_ca_file"), "{error}");
}

#[tokio::test]
async fn a_closed_store_answers_no_more() {
    let Some(place) = Place::new() else { return };
    let store = AnyStore::new(place.store().await);
    store.create(&key(1), &record(), NOW).await.unwrap();
    store.close().await;
    store.close().await;
    let error = store.load(&key(1), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
    loaded(&place.store().await, &key(1)).await;
}

/// The application's own client stays usable, and what it says of concerns does not weaken
/// what the store promises.
#[tokio::test]
async fn a_client_of_the_application_is_used() {
    let Some(place) = Place::new() else { return };
    let url = format!("{}&w=0&readPreference=secondaryPreferred", place.url);
    let client = Client::with_uri_str(url).await.unwrap();
    let store = place.options().with_client(client.clone()).unwrap();
    store.migrate().await.unwrap();
    store.create(&key(1), &record(), NOW).await.unwrap();
    assert!(store.delete(&key(1), NOW).await.unwrap(), "w=0 would not know");
    client.list_database_names().await.unwrap();
}

#[test]
fn nothing_secret_is_printed() {
    let options = MongoOptions::new().database("shop").unwrap();
    let shown = format!("{options:?}");
    assert!(shown.contains("shop") && shown.contains("tenure_sessions"), "{shown}");
}
