use std::sync::Arc;

use tenure_core::store::{Created, ProofChange, Store, UserIndex};
use tenure_core::value::Json;
use tenure_core::{Namespace, UserId};

use crate::support::{MINUTE, NOW, ONE, Place, applied, key, loaded, patch, proof, record};

/// A read is one command, a new session one, a change on what the request saw one.
#[tokio::test]
async fn an_operation_is_one_command() {
    let Some(place) = Place::new() else { return };
    let (store, commands) = place.watched().await;
    store.create(&key(1), &record(), NOW).await.unwrap();
    assert_eq!(commands.take(), ["insert"]);
    let base = Arc::new(loaded(&store, &key(1)).await);
    assert_eq!(commands.take(), ["find"]);
    let change = patch()
        .set("a", Json::of("x").unwrap())
        .add("n", ONE)
        .push("list", Json::of(&1).unwrap())
        .update("u", |_| Json::of(&1).map(Some))
        .remove("gone")
        .extend(NOW + 40 * MINUTE);
    let after = applied(&store, &key(1), change.on(base)).await;
    assert_eq!(commands.take(), ["findAndModify"]);
    assert_eq!(after, loaded(&store, &key(1)).await);
    commands.take();

    assert!(store.touch(&key(1), NOW + 50 * MINUTE, NOW + MINUTE).await.unwrap());
    assert_eq!(commands.take(), ["update"]);
    let base = Arc::new(loaded(&store, &key(1)).await);
    let login = patch()
        .bind(Some(UserId::new("ada").unwrap()), NOW)
        .change_proof(ProofChange::Replace(proof(2)))
        .clear();
    commands.take();
    applied(&store, &key(1), login.on(base)).await;
    assert_eq!(commands.take(), ["update"]);
    let (shop, ada) = (Namespace::new("shop").unwrap(), UserId::new("ada").unwrap());
    assert_eq!(store.list(&shop, &ada, NOW).await.unwrap().len(), 1);
    assert_eq!(commands.take(), ["find"]);
    assert_eq!(store.revoke(&shop, &ada, None, NOW).await.unwrap(), 1);
    assert_eq!(commands.take(), ["delete"]);
    assert!(!store.delete(&key(1), NOW).await.unwrap());
    assert_eq!(commands.take(), ["delete"]);
}

/// X1: requests that saw the same record and change different keys need no second attempt; those
/// that change the same value need it, and lose nothing.
#[tokio::test]
async fn x1_different_keys_are_not_in_each_others_way() {
    let Some(place) = Place::new() else { return };
    let (store, commands) = place.watched().await;
    assert_eq!(store.create(&key(1), &record(), NOW).await.unwrap(), Created::Created);
    let base = Arc::new(loaded(&store, &key(1)).await);
    commands.take();
    for number in 0..5 {
        let change = patch().add(format!("n{number}"), ONE).extend(NOW + MINUTE);
        applied(&store, &key(1), change.on(Arc::clone(&base))).await;
        assert_eq!(commands.take(), ["findAndModify"]);
    }
    let again = patch().add("n0", ONE).on(base);
    let after = applied(&store, &key(1), again).await;
    assert_eq!(commands.take(), ["findAndModify", "find", "findAndModify"]);
    assert_eq!((after.data.get("n0"), after.data.get("n4")), (Some("2"), Some("1")));
    assert_eq!(after.data.len(), 5);
}

/// A value that is large is not sent twice to be compared, and is merged all the same.
#[tokio::test]
async fn large_values_are_compared_by_revision() {
    let Some(place) = Place::new() else { return };
    let (store, commands) = place.watched().await;
    store.create(&key(1), &record(), NOW).await.unwrap();
    let long = Json::of(&"x".repeat(2_000)).unwrap();
    applied(&store, &key(1), patch().push("list", long)).await;
    let base = Arc::new(loaded(&store, &key(1)).await);
    commands.take();
    for left in 0..3 {
        let push = patch().push("list", Json::of(&left).unwrap());
        applied(&store, &key(1), push.on(Arc::clone(&base))).await;
    }
    assert_eq!(commands.take(), ["update", "update", "find", "update", "update", "find", "update"]);
    let list = loaded(&store, &key(1)).await;
    assert!(list.data.get("list").unwrap().ends_with("x\",0,1,2]"));
}

/// Commits whose time is over are forgotten with the next one.
#[tokio::test]
async fn a_document_does_not_grow_by_its_commits() {
    let Some(place) = Place::new() else { return };
    let store = place.store().await;
    store.create(&key(1), &record(), NOW).await.unwrap();
    for second in [1_u32, 2, 3, 20] {
        let later = NOW + MINUTE / 60 * second;
        let base = Arc::new(store.load(&key(1), later).await.unwrap().unwrap());
        let change = patch().set("a", Json::of(&second).unwrap()).on(base);
        store.apply(&key(1), &change, later).await.unwrap();
        let expected = if second == 20 { 1 } else { second as usize + 1 };
        assert_eq!(loaded(&store, &key(1)).await.commits.len(), expected);
    }
}
