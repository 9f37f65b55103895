use std::sync::Arc;

use tenure_core::UserId;
use tenure_core::store::{Created, Store, Swap, UserIndex};
use tenure_core::value::Json;

use crate::support::{MINUTE, NOW, ONE, Place, applied, id, key, loaded, namespace, patch, record};

/// A read is one request, a new session one, a change on what the request saw one; a revision
/// is named in the URL, and never in a header.
#[tokio::test]
async fn an_operation_is_one_request() {
    let Some(place) = Place::new() else { return };
    let (store, relay) = place.watched().await;
    let id = id(1);
    store.create(&key(1), &record(), NOW).await.unwrap();
    assert_eq!(relay.take(), [format!("PUT {id}")]);
    let base = Arc::new(loaded(&store, &key(1)).await);
    assert_eq!(relay.take(), [format!("GET {id}?deleted_conflicts=true")]);
    let change = patch().set("a", Json::of("x").unwrap()).add("n", ONE).extend(NOW + MINUTE);
    let after = applied(&store, &key(1), change.on(Arc::clone(&base))).await;
    let sent = relay.take();
    assert!(sent.len() == 1 && sent[0].starts_with(&format!("PUT {id}?rev=1-")), "{sent:?}");
    assert_eq!(after, loaded(&store, &key(1)).await);
    relay.take();

    // The base is out of date: 409, read, merged again.
    let change = patch().add("n", ONE).on(base);
    assert_eq!(applied(&store, &key(1), change).await.data.get("n"), Some("2"));
    let sent = relay.take();
    assert_eq!(sent.len(), 3, "{sent:?}");
    assert!(store.delete(&key(1), NOW).await.unwrap());
    let sent = relay.take();
    assert!(sent.len() == 2 && sent[1].starts_with(&format!("DELETE {id}?rev=3-")), "{sent:?}");
}

/// A record that was changed after it was read is not taken for what is stored.
#[tokio::test]
async fn a_base_that_was_never_stored_is_read_again() {
    let Some(place) = Place::new() else { return };
    let (store, relay) = place.watched().await;
    store.create(&key(1), &record(), NOW).await.unwrap();
    let mut base = loaded(&store, &key(1)).await;
    base.data = [("forged", "1")].into_iter().collect();
    relay.take();
    let after = applied(&store, &key(1), patch().add("n", ONE).on(Arc::new(base))).await;
    assert_eq!(after.data, [("n", "1")].into_iter().collect());
    assert_eq!(relay.take().len(), 2);
}

/// What a touch would not change is not written.
#[tokio::test]
async fn what_is_unchanged_is_not_written() {
    let Some(place) = Place::new() else { return };
    let (store, relay) = place.watched().await;
    store.create(&key(1), &record(), NOW).await.unwrap();
    let before = loaded(&store, &key(1)).await;
    relay.take();
    assert!(store.touch(&key(1), NOW + MINUTE, NOW).await.unwrap());
    assert_eq!(relay.take().len(), 1);
    assert_eq!(loaded(&store, &key(1)).await, before);
    assert!(store.touch(&key(1), NOW + 40 * MINUTE, NOW + 15 * MINUTE).await.unwrap());
    assert_eq!(loaded(&store, &key(1)).await.idle_deadline, NOW + 40 * MINUTE);
}

/// A tombstone is no session: neither its revision nor those before it bring one back.
#[tokio::test]
async fn x2_a_tombstone_stays_dead() {
    let Some(place) = Place::new() else { return };
    let store = place.store().await;
    store.create(&key(1), &record(), NOW).await.unwrap();
    let first = loaded(&store, &key(1)).await;
    let second = applied(&store, &key(1), patch().add("n", ONE)).await;
    assert!(store.delete(&key(1), NOW).await.unwrap());
    for seen in [&first, &second] {
        let swap = store.swap(&key(1), &seen.revision, seen, NOW).await.unwrap();
        assert_eq!(swap, Swap::Gone);
    }
    assert_eq!(store.create(&key(1), &record(), NOW).await.unwrap(), Created::Created);
    for seen in [&first, &second] {
        let swap = store.swap(&key(1), &seen.revision, seen, NOW).await.unwrap();
        assert_eq!(swap, Swap::Conflict);
    }
    let third = loaded(&store, &key(1)).await;
    assert!(third.revision.as_text().unwrap().starts_with("4-"), "{third:?}");
}

/// Replication may bring another version of a live session. A logout ends both.
#[tokio::test]
async fn x2_a_logout_ends_every_version() {
    let Some(place) = Place::new() else { return };
    let store = place.store().await;
    store.create(&key(1), &record(), NOW).await.unwrap();
    let (_, body) = place.ask("GET", &format!("/{}", id(1)), "").await;
    let (head, tail) = body.split_once("\"_rev\":\"").unwrap();
    let (_, tail) = tail.split_once('"').unwrap();
    let other = format!("{head}\"_rev\":\"1-{}\"{tail}", "f".repeat(32));
    let replicated = format!("{{\"new_edits\":false,\"docs\":[{}]}}", other.trim());
    let (status, answer) = place.ask("POST", "/_bulk_docs", &replicated).await;
    assert_eq!(status, 201, "{answer}");
    let (_, versions) = place.ask("GET", &format!("/{}?conflicts=true", id(1)), "").await;
    assert!(versions.contains("_conflicts"), "{versions}");

    assert!(store.delete(&key(1), NOW).await.unwrap());
    assert_eq!(store.load(&key(1), NOW).await.unwrap(), None);
    let (status, _) = place.ask("GET", &format!("/{}", id(1)), "").await;
    assert_eq!(status, 404, "no version came to light");
}

/// Mango's index by deadline, asked with a lower bound: a document that has none is no session.
#[tokio::test]
async fn sweeping_leaves_what_is_no_session() {
    let Some(place) = Place::new() else { return };
    let (store, relay) = place.watched().await;
    store.create(&key(1), &record(), NOW).await.unwrap();
    for document in ["/notes", "/notes:1"] {
        assert_eq!(place.ask("PUT", document, "{\"exp\":5}").await.0, 201);
    }
    assert_eq!(place.ask("PUT", "/notes:h2", "{\"text\":\"no exp\"}").await.0, 201);
    relay.take();
    assert_eq!(store.sweep(100, NOW + 30 * MINUTE).await.unwrap(), 1);
    for document in ["/notes", "/notes:1", "/notes:h2"] {
        assert_eq!(place.ask("GET", document, "").await.0, 200, "{document}");
    }
}

/// CouchDB purges tombstones; the server of the tests says 400, and is not asked again.
#[tokio::test]
async fn purging_ends_where_the_server_cannot() {
    let Some(place) = Place::new() else { return };
    let (store, relay) = place.watched().await;
    let cannot = place.ask("POST", "/_purge", "{}").await.0 >= 400;
    for round in 1..=2 {
        store.create(&key(round), &record(), NOW).await.unwrap();
        assert!(store.delete(&key(round), NOW).await.unwrap());
        relay.take();
        assert_eq!(store.sweep(100, NOW).await.unwrap(), 0);
        let purges = relay.take().iter().filter(|sent| *sent == "POST _purge").count();
        assert_eq!(purges == 0, cannot && round == 2, "round {round}");
    }
}

/// Users are compared octet by octet, and all of a user's sessions are found: Mango alone would
/// stop at 25.
#[tokio::test]
async fn x6_more_sessions_than_mango_gives_by_itself() {
    let Some(place) = Place::new() else { return };
    let store = place.store().await;
    let ada = UserId::new("ada").unwrap();
    for of in 1..=30 {
        let mut record = record();
        record.user = Some(ada.clone());
        store.create(&key(of), &record, NOW).await.unwrap();
    }
    let shop = namespace("shop");
    assert_eq!(store.list(&shop, &ada, NOW).await.unwrap().len(), 30);
    assert_eq!(store.revoke(&shop, &ada, Some(&key(7)), NOW).await.unwrap(), 29);
    loaded(&store, &key(7)).await;
    assert_eq!(store.revoke(&shop, &ada, None, NOW).await.unwrap(), 1);
}
