//! The test binary runs itself again for each process.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tenure_core::store::{Created, Store};
use tenure_core::value::Json;
use tenure_sql::{SqliteOptions, SqliteStore};
use tokio::task::JoinSet;

use crate::support::{
    Database, NOW, ONE, applied, foreign, foreign_record, key, loaded, number, patch, plus_one,
    record,
};

const PATH: &str = "TENURE_TEST_PATH";
const PART: &str = "TENURE_TEST_PART";

/// Runs the test `name` in several processes, which find themselves in [`part`], and waits.
fn run(name: &str, processes: u32, database: &Database) {
    let children: Vec<Child> = (0..processes)
        .map(|part| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", &format!("processes::{name}")])
                .env(PATH, database.path())
                .env(PART, part.to_string())
                .stdout(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
}

/// The store and the number of this process, if it is one of several.
async fn part() -> Option<(SqliteStore, String)> {
    let path = std::env::var_os(PATH)?;
    let options = SqliteOptions::new().busy_timeout(Duration::from_secs(60));
    let store = options.open(path).await.unwrap();
    store.migrate().await.unwrap();
    Some((store, std::env::var(PART).unwrap()))
}

#[tokio::test]
async fn v7_all_may_migrate_at_once() {
    if let Some((store, part)) = part().await {
        let created = store.create(&foreign(&part), &foreign_record(), NOW).await.unwrap();
        assert_eq!(created, Created::Created);
        return;
    }
    let database = Database::new();
    run("v7_all_may_migrate_at_once", 6, &database);
    let store = database.open().await;
    assert_eq!(number(&store, "SELECT count(*) FROM tenure_sessions").await, 6);
    assert_eq!(number(&store, "SELECT count(*) FROM tenure_sessions_meta").await, 1);
}

/// X1 between processes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_lose_nothing_to_each_other() {
    if let Some((store, part)) = part().await {
        return write(store, part).await;
    }
    let database = Database::new();
    let store = database.store().await;
    store.create(&key(1), &record(), NOW).await.unwrap();
    run("writers_lose_nothing_to_each_other", 2, &database);
    let there = loaded(&store, &key(1)).await;
    assert_eq!(there.data.get("n"), Some("100"));
    assert_eq!(there.data.get("called"), Some("100"));
    assert_eq!(there.data.len(), 102);
}

async fn write(store: SqliteStore, part: String) {
    let base = Arc::new(loaded(&store, &key(1)).await);
    let mut tasks = JoinSet::new();
    for writer in 0..50 {
        let own = format!("{part}.{writer}");
        for patch in [
            patch().add("n", ONE).set(own, Json::of(&writer).unwrap()),
            patch().update("called", plus_one),
        ] {
            let (store, patch) = (store.clone(), patch.on(base.clone()));
            tasks.spawn(async move { drop(applied(&store, &key(1), patch).await) });
        }
    }
    tasks.join_all().await;
}
