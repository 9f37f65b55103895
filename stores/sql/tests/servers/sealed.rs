//! X8: what lies in the database where data is sealed.

use tenure_core::store::{Created, Sealed, Store, StoreErrorKind};
use tenure_core::transform::Keyring;
use tenure_core::value::Json;

use crate::support::{
    Kind, NOW, Place, Wish, applied, data, foreign, foreign_record, key, loaded, on_each, patch,
    record,
};

on_each! {
    x8_the_database_has_neither_keys_nor_values
    x8_rows_exchanged_in_the_database_are_noticed
}

fn sealed<K: Kind>(place: &Place<K>) -> Sealed<K::Store> {
    let keys = Keyring::from_secrets(["k7Q2mXv9LrT4wB8nZ1cJ6hY3pD5sF0gA"]).unwrap();
    Sealed::new(place.store.clone(), keys)
}

/// In how many rows the word is.
async fn rows_with<K: Kind>(place: &Place<K>, word: &str) -> i64 {
    place.number(&format!("SELECT count(*) FROM sessions WHERE record LIKE '%{word}%'")).await
}

/// X8: neither keys nor values are in the database, after a session's beginning or its commits.
async fn x8_the_database_has_neither_keys_nor_values<K: Kind>() {
    let Some(place) = Place::<K>::new(Wish::new()).await else { return };
    let store = sealed(&place);
    let mut record = record();
    record.data = data([("diagnosis", "\"influenza\"")]);
    store.create(&key(1), &record, NOW).await.unwrap();
    applied(&store, &key(1), patch().set("remedy", Json::parse("\"chamomile\"").unwrap())).await;
    for word in ["diagnosis", "influenza", "remedy", "chamomile"] {
        assert_eq!(rows_with(&place, word).await, 0, "{word}");
    }
    assert_eq!(rows_with(&place, "sealed").await, 1);
    let there = loaded(&store, &key(1)).await.data;
    assert_eq!(there.keys().collect::<Vec<_>>(), ["diagnosis", "remedy"]);

    // The same without a seal, so that this test would see them.
    place.store.create(&key(2), &record, NOW).await.unwrap();
    for word in ["diagnosis", "influenza"] {
        assert_eq!(rows_with(&place, word).await, 1, "{word}");
    }
    assert_eq!(loaded(&store, &key(2)).await.data, record.data);
    assert!(store.sealed_only().load(&key(2), NOW).await.is_err());
    place.end().await;
}

/// X8, T-ISO-1: rows that somebody exchanges in the database are errors for both sessions, for
/// reading and writing.
async fn x8_rows_exchanged_in_the_database_are_noticed<K: Kind>() {
    let Some(place) = Place::<K>::new(Wish::new()).await else { return };
    let store = sealed(&place);
    // A proof is a column, and both have the same here: nothing but the seal tells them apart.
    for (keys, mut record) in
        [([key(1), key(2)], record()), ([foreign("first"), foreign("second")], foreign_record())]
    {
        for (key, n) in keys.iter().zip(["1", "2"]) {
            record.data = data([("n", n)]);
            assert_eq!(store.create(key, &record, NOW).await.unwrap(), Created::Created);
        }
        let exchange = "UPDATE sessions SET record = (SELECT other.record \
                        FROM (SELECT id, record FROM sessions) AS other \
                        WHERE other.id <> sessions.id)";
        place.run(exchange).await;
        for key in &keys {
            for outcome in [
                store.load(key, NOW).await.map(drop),
                store.apply(key, &patch().remove("n"), NOW).await.map(drop),
            ] {
                let error = outcome.unwrap_err();
                assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{error}");
                assert!(error.to_string().contains("another session"), "{error}");
            }
        }
        place.run(exchange).await;
        for (key, n) in keys.iter().zip(["1", "2"]) {
            assert_eq!(loaded(&store, key).await.data.get("n"), Some(n));
        }
        place.run("DELETE FROM sessions").await;
    }
    place.end().await;
}
