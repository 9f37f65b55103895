use std::sync::Arc;

use tenure_core::Timestamp;
use tenure_core::store::{
    AnyStore, Applied, Created, Epoch, ProofChange, Record, Store, StoreKey, UserIndex,
};
use tenure_sql::SqliteStore;

use crate::support::{
    Database, NOW, ONE, applied, key, loaded, namespace, number, patch, proof, record, run, user,
};

async fn log_in(store: &SqliteStore, key: &StoreKey, id: &str) -> Record {
    store.create(key, &record(), NOW).await.unwrap();
    let base = Arc::new(loaded(store, key).await);
    applied(store, key, patch().bind(Some(user(id)), NOW).on(base)).await
}

async fn handles(store: &SqliteStore, id: &str, now: Timestamp) -> Vec<u8> {
    let listed = store.list(&namespace("shop"), &user(id), now).await.unwrap();
    let mut handles: Vec<u8> = listed
        .iter()
        .map(|session| {
            assert!(session.key.proof().is_none());
            assert_eq!(session.record.user, Some(user(id)));
            session.key.handle().unwrap().as_bytes()[0]
        })
        .collect();
    handles.sort_unstable();
    handles
}

#[tokio::test]
async fn the_sessions_of_a_user_are_listed_as_they_are_now() {
    let database = Database::new();
    let store = database.store().await;
    for of in 1..=3 {
        log_in(&store, &key(of), "ada").await;
    }
    log_in(&store, &key(4), "Ada").await;
    assert_eq!(handles(&store, "ada", NOW).await, [1, 2, 3]);
    assert_eq!(handles(&store, "Ada", NOW).await, [4]);
    store.delete(&key(1), NOW).await.unwrap();
    applied(&store, &key(2), patch().bind(None, NOW)).await;
    assert_eq!(handles(&store, "ada", NOW).await, [3]);
    let end = loaded(&store, &key(3)).await.deadline();
    assert!(handles(&store, "ada", end).await.is_empty());
    let elsewhere = store.list(&namespace("blog"), &user("ada"), NOW).await.unwrap();
    assert!(elsewhere.is_empty());
}

/// T-OUT-4: the one that is spared must be of the same namespace.
#[tokio::test]
async fn revoking_the_others_keeps_one() {
    let database = Database::new();
    let store = database.store().await;
    for of in 1..=3 {
        log_in(&store, &key(of), "ada").await;
    }
    log_in(&store, &key(4), "bob").await;
    let revoke = async |keep: StoreKey| {
        store.revoke(&namespace("shop"), &user("ada"), Some(&keep), NOW).await.unwrap()
    };
    assert_eq!(revoke(key(2)).await, 2);
    assert_eq!(handles(&store, "ada", NOW).await, [2]);
    assert_eq!(number(&store, "SELECT count(*) FROM tenure_sessions_epochs").await, 0);
    let elsewhere = StoreKey::new(namespace("blog"), key(2).handle().unwrap());
    assert_eq!(revoke(elsewhere).await, 1, "a key of another namespace keeps nothing here");
    assert_eq!(handles(&store, "bob", NOW).await, [4]);
}

#[tokio::test]
async fn revoking_all_moves_the_users_epoch() {
    let database = Database::new();
    let store = database.store().await;
    log_in(&store, &key(1), "ada").await;
    log_in(&store, &key(2), "bob").await;
    let old = loaded(&store, &key(1)).await;
    run(&store, "CREATE TABLE backup AS SELECT * FROM tenure_sessions").await;
    assert_eq!(store.revoke(&namespace("shop"), &user("ada"), None, NOW).await.unwrap(), 1);
    assert_eq!(store.load(&key(1), NOW).await.unwrap(), None);

    // A row that comes back, as from a replica that was behind, is dead for every operation.
    run(
        &store,
        "INSERT OR IGNORE INTO tenure_sessions (namespace, id, revision, proof, last_seen, \
         idle_timeout, idle_deadline, absolute_deadline, user_id, epoch, user_epoch, record) \
         SELECT namespace, id, revision, proof, last_seen, idle_timeout, idle_deadline, \
         absolute_deadline, user_id, epoch, user_epoch, record FROM backup",
    )
    .await;
    assert_eq!(number(&store, "SELECT count(*) FROM tenure_sessions").await, 2);
    assert_eq!(store.load(&key(1), NOW).await.unwrap(), None);
    assert!(!store.touch(&key(1), NOW, NOW).await.unwrap());
    assert!(!store.delete(&key(1), NOW).await.unwrap());
    let late = patch().add("n", ONE).on(Arc::new(old));
    assert!(matches!(store.apply(&key(1), &late, NOW).await.unwrap(), Applied::Gone));
    assert!(handles(&store, "ada", NOW).await.is_empty());
    assert_eq!(store.create(&key(1), &record(), NOW).await.unwrap(), Created::Created);

    // Who logs in again is in: by a commit to a session, and by a session that begins so.
    let after = applied(&store, &key(1), patch().bind(Some(user("ada")), NOW)).await;
    assert_eq!(loaded(&store, &key(1)).await.data, after.data);
    let mut born = record();
    born.user = Some(user("ada"));
    store.create(&key(3), &born, NOW).await.unwrap();
    assert_eq!(handles(&store, "ada", NOW).await, [1, 3]);
    assert_eq!(loaded(&store, &key(3)).await.epochs.user, 1);
    // A commit that leaves the user as it is leaves the stamp as it is.
    applied(&store, &key(3), patch().add("n", ONE)).await;
    assert_eq!(loaded(&store, &key(3)).await.epochs.user, 1);
    loaded(&store, &key(2)).await;
}

#[tokio::test]
async fn everybody_is_ended_by_one_write_in_one_namespace() {
    let database = Database::new();
    let store = database.store().await;
    log_in(&store, &key(1), "ada").await;
    store.create(&key(2), &record(), NOW).await.unwrap();
    let elsewhere = StoreKey::new(namespace("blog"), key(2).handle().unwrap());
    let elsewhere = elsewhere.with_proof(proof(1));
    store.create(&elsewhere, &record(), NOW).await.unwrap();
    let old = loaded(&store, &key(2)).await;
    let any = AnyStore::new(store.clone());
    any.epoch().unwrap().revoke_everybody(&namespace("shop"), NOW).await.unwrap();
    for of in [1, 2] {
        assert_eq!(store.load(&key(of), NOW).await.unwrap(), None);
        assert!(!store.touch(&key(of), NOW, NOW).await.unwrap());
        assert!(!store.delete(&key(of), NOW).await.unwrap());
    }
    let rotation = patch().change_proof(ProofChange::Replace(proof(7))).on(Arc::new(old));
    assert!(matches!(store.apply(&key(2), &rotation, NOW).await.unwrap(), Applied::Gone));
    assert!(handles(&store, "ada", NOW).await.is_empty());
    loaded(&store, &elsewhere).await;

    assert_eq!(store.create(&key(2), &record(), NOW).await.unwrap(), Created::Created);
    assert_eq!(loaded(&store, &key(2)).await.epochs.everybody, 1);
    any.epoch().unwrap().revoke_everybody(&namespace("shop"), NOW).await.unwrap();
    assert_eq!(store.load(&key(2), NOW).await.unwrap(), None);
}
