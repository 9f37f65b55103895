use std::time::Duration;

use tenure_core::store::{AnyStore, Store, StoreErrorKind};
use tenure_test_servers::Options;

use crate::support::{Kind, MariaDb, NOW, Place, Postgres, Wish, key, on_each, private, record};

on_each! {
    bad_logins_name_the_setting
    what_cannot_be_reached_is_named
    a_pool_without_a_free_connection_is_a_timeout
    a_closed_store_answers_no_more
}

/// P8: by host, port, user, password and database, one by one.
async fn bad_logins_name_the_setting<K: Kind>() {
    let Some(server) = private::<K>(&Options::new().volatile()) else { return };
    let port = server.nodes()[0].port();
    K::migrate(&K::fields(port, "tenure", "tenure").await.unwrap()).await.unwrap();
    let error = K::fields(port, "wr\u{f6}ng", "tenure").await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Other);
    assert!(error.to_string().contains("check user"), "{error}");
    assert!(error.to_string().contains(&port.to_string()), "{error}");
    assert!(!error.to_string().contains("wr\u{f6}ng"), "{error}");
    for database in ["nowhere", "a\"b`c'd; --"] {
        let error = K::fields(port, "tenure", database).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Other);
        assert!(error.to_string().contains("no such database"), "{error}");
        assert!(error.to_string().contains("check database"), "{error}");
    }
}

async fn what_cannot_be_reached_is_named<K: Kind>() {
    // Nobody listens on the port of a listener that is gone.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = K::fields(port, "tenure", "tenure").await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
    assert!(error.to_string().contains(&format!("127.0.0.1:{port}")), "{error}");
    assert!(error.to_string().contains("check host and port"), "{error}");
    // One that accepts and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let error = K::fields(port, "tenure", "tenure").await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Timeout, "{error}");
    assert!(error.to_string().contains("connect_timeout"), "{error}");
}

async fn a_pool_without_a_free_connection_is_a_timeout<K: Kind>() {
    let wish = Wish::new().connections(1).limit(Duration::from_secs(2));
    let Some(place) = Place::<K>::new(wish).await else { return };
    let key = key(1);
    place.store.create(&key, &record(), NOW).await.unwrap();
    let kept = K::keep(&place.store).await;
    let error = place.store.load(&key, NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Timeout);
    assert!(error.to_string().contains("allow more connections"), "{error}");
    drop(kept);
    assert!(place.store.load(&key, NOW).await.unwrap().is_some());
    place.end().await;
}

async fn a_closed_store_answers_no_more<K: Kind>() {
    let Some(place) = Place::<K>::new(Wish::new()).await else { return };
    let store = AnyStore::new(place.again().await);
    store.create(&key(1), &record(), NOW).await.unwrap();
    store.close().await;
    store.close().await;
    let error = store.load(&key(1), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    place.end().await;
}

/// P8: single fields, and names of tables.
#[test]
fn options_are_validated_and_print_no_password() {
    use tenure_sql::{MySqlOptions, PostgresOptions};
    assert!(Postgres::OPTIONS != MariaDb::OPTIONS);
    for value in ["", "a\0b"] {
        let refused = [
            PostgresOptions::new().host(value).err(),
            PostgresOptions::new().user(value).err(),
            PostgresOptions::new().database(value).err(),
            MySqlOptions::new().host(value).err(),
            MySqlOptions::new().user(value).err(),
            MySqlOptions::new().database(value).err(),
        ];
        assert!(refused.iter().all(Option::is_some), "{refused:?}");
    }
    assert!(PostgresOptions::new().password("a\0b").is_err());
    for name in ["", "1st", "a b", "a\"b", "a`b", "a;b", "a.b", &"x".repeat(49)] {
        assert!(PostgresOptions::new().table(name).is_err(), "{name}");
        assert!(MySqlOptions::new().table(name).is_err(), "{name}");
    }
    let shown = format!(
        "{:?} {:?}",
        PostgresOptions::new().user("ada").unwrap().password("hunter2").unwrap(),
        MySqlOptions::new().user("ada").unwrap().password("hunter2").unwrap()
    );
    assert!(shown.contains("ada") && !shown.contains("hunter2"), "{shown}");
}
