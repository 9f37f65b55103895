use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tenure_core::store::{Applied, ProofChange, Store, StoreKey};
use tenure_core::value::{Json, Number};
use tenure_sql::SqliteStore;
use tokio::task::JoinSet;

use crate::support::{
    Database, MINUTE, NOW, ONE, applied, key, loaded, patch, plus_one, proof, record,
};

async fn session(store: &SqliteStore) -> StoreKey {
    store.create(&key(1), &record(), NOW).await.unwrap();
    key(1)
}

async fn all(tasks: JoinSet<()>) {
    tasks.join_all().await;
}

/// X1: whatever requests do at the same time on what they saw, all of it takes effect.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_in_parallel_lose_nothing() {
    let database = Database::new();
    let store = database.patient(Duration::from_secs(60)).await;
    let key = session(&store).await;
    let base = Arc::new(loaded(&store, &key).await);
    let mut tasks = JoinSet::new();
    for writer in 0..200 {
        let (store, key) = (store.clone(), key.clone());
        let patch = match writer % 4 {
            0 => patch().set(format!("key{writer}"), Json::of(&writer).unwrap()),
            1 => patch().add("n", ONE),
            2 => patch().push("list", Json::of(&writer).unwrap()),
            _ => patch().update("called", plus_one),
        };
        let patch = if writer % 8 < 4 { patch.on(base.clone()) } else { patch };
        tasks.spawn(async move { drop(applied(&store, &key, patch).await) });
    }
    all(tasks).await;
    let there = loaded(&store, &key).await;
    assert_eq!(there.data.len(), 53);
    assert_eq!((there.data.get("n"), there.data.get("called")), (Some("50"), Some("50")));
    let list: Vec<u32> = serde_json::from_str(there.data.get("list").unwrap()).unwrap();
    assert_eq!(list.len(), 50);
}

/// A closure runs again only when what it saw has changed, however many commits come between.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closures_hardly_run_in_vain() {
    let database = Database::new();
    let store = database.patient(Duration::from_secs(60)).await;
    let key = session(&store).await;
    let base = Arc::new(loaded(&store, &key).await);
    let runs = Arc::new(AtomicU32::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..100 {
        let (store, key, base, runs) = (store.clone(), key.clone(), base.clone(), runs.clone());
        tasks.spawn(async move {
            let patch = patch().update("n", move |value| {
                runs.fetch_add(1, Ordering::Relaxed);
                plus_one(value)
            });
            applied(&store, &key, patch.on(base)).await;
        });
    }
    all(tasks).await;
    assert_eq!(loaded(&store, &key).await.data.get("n"), Some("100"));
    let runs = runs.load(Ordering::Relaxed);
    assert!(runs < 1_000, "100 closures ran {runs} times");
}

/// Law 6.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn touches_and_commits_in_parallel_both_take_effect() {
    let database = Database::new();
    let store = database.patient(Duration::from_secs(60)).await;
    let key = session(&store).await;
    let mut tasks = JoinSet::new();
    for step in 1..=50 {
        let now = NOW + Duration::from_millis(step);
        let (touching, touched) = (store.clone(), key.clone());
        tasks.spawn(async move {
            assert!(touching.touch(&touched, now + 30 * MINUTE, now).await.unwrap());
        });
        let (store, key) = (store.clone(), key.clone());
        tasks.spawn(async move { drop(applied(&store, &key, patch().add("n", ONE)).await) });
    }
    all(tasks).await;
    let there = loaded(&store, &key).await;
    assert_eq!(there.data.get("n"), Some("50"));
    assert_eq!(there.idle_deadline, NOW + Duration::from_millis(50) + 30 * MINUTE);
    assert_eq!(there.last_seen, NOW + Duration::from_millis(50));
}

/// R1 at the store: a commit that began before a logout does not bring the session back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_revives_a_deleted_session() {
    let database = Database::new();
    let store = database.patient(Duration::from_secs(60)).await;
    for of in 0..100 {
        store.create(&key(of), &record(), NOW).await.unwrap();
        let base = Arc::new(loaded(&store, &key(of)).await);
        let writer = store.clone();
        let writing = tokio::spawn(async move {
            let patch = patch().set("a", Json::of(&1).unwrap()).on(base);
            writer.apply(&key(of), &patch, NOW).await.unwrap();
            writer.touch(&key(of), NOW + MINUTE, NOW).await.unwrap();
        });
        assert!(store.delete(&key(of), NOW).await.unwrap());
        writing.await.unwrap();
        assert_eq!(store.load(&key(of), NOW).await.unwrap(), None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_rotations_at_once_one_wins() {
    let database = Database::new();
    let store = database.patient(Duration::from_secs(60)).await;
    for of in 0..20 {
        store.create(&key(of), &record(), NOW).await.unwrap();
        let base = Arc::new(loaded(&store, &key(of)).await);
        let rotate = |to| {
            let patch = patch().change_proof(ProofChange::Replace(proof(to))).on(base.clone());
            let store = store.clone();
            tokio::spawn(async move { store.apply(&key(of), &patch, NOW).await.unwrap() })
        };
        let (one, two) = (rotate(2), rotate(3));
        let won = [one.await.unwrap(), two.await.unwrap()]
            .map(|applied| matches!(applied, Applied::Done(_)));
        assert_eq!(won.iter().filter(|won| **won).count(), 1);
        let winner = key(of).with_proof(proof(if won[0] { 2 } else { 3 }));
        loaded(&store, &winner).await;
    }
}

/// Polls `future` at most `polls` times and drops it, done or not.
async fn cut_short<F: Future>(future: F, polls: u32) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..polls {
        if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return Some(done);
        }
        tokio::task::yield_now().await;
    }
    None
}

/// Law 11, on a pool of one connection: had the dropped operation left anything behind, the next
/// would meet it.
#[tokio::test]
async fn a_dropped_commit_is_whole_and_the_connection_can_be_used() {
    let database = Database::new();
    let options = tenure_sql::SqliteOptions::new().max_connections(1);
    let store = options.open(database.path()).await.unwrap();
    store.migrate().await.unwrap();
    let key = session(&store).await;
    let stale = Arc::new(loaded(&store, &key).await);
    applied(&store, &key, patch().add("n", Number::Int(0))).await;
    let mut n = 0;
    for round in 0..400 {
        let id = patch();
        let change = id.add("n", ONE).add("m", ONE);
        let change = if round % 2 == 0 { change.on(stale.clone()) } else { change };
        let done = cut_short(store.apply(&key, &change, NOW), round / 4).await;
        let there = loaded(&store, &key).await;
        let number = |name| there.data.get(name).unwrap_or("0").parse::<u32>().unwrap();
        assert_eq!(number("n"), number("m"), "all or nothing");
        assert!(number("n") == n + 1 || (done.is_none() && number("n") == n), "round {round}");
        applied(&store, &key, change).await;
        n += 1;
        let there = loaded(&store, &key).await;
        assert_eq!(there.data.get("n"), Some(n.to_string().as_str()), "once, round {round}");
    }
}
