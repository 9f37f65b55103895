//! X10: a near cache before PostgreSQL, told by LISTEN and NOTIFY.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tenure_core::store::{Change, Epoch, NearCache, Store, StoreKey, UserIndex, Watch};
use tenure_core::value::Json;
use tenure_sql::{PostgresOptions, PostgresStore};
use tenure_test_servers::Options;
use tenure_testkit::{Link, Operation, Proxy, Recorder, server};
use tokio::task::{JoinHandle, JoinSet};

use crate::support::{
    Kind, MINUTE, NOW, ONE, Place, Postgres, Wish, applied, foreign, foreign_record, key,
    namespace, patch, private, record, user,
};

/// A server that is gone is known as such within 2 seconds; a busy machine may need longer to see.
const LOST: Duration = Duration::from_secs(3);
/// Longer than a message takes, or connecting again, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(30);

fn options(wish: &Wish) -> PostgresOptions {
    PostgresOptions::new().table(&wish.table).unwrap().notify_changes()
}

/// A cache of one process.
struct Cache {
    store: NearCache<Recorder<PostgresStore>>,
    calls: Recorder<PostgresStore>,
    lost: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Cache {
    fn new(store: PostgresStore) -> Self {
        let calls = Recorder::new(store);
        let store = NearCache::new(calls.clone());
        let lost = Arc::<Mutex<Vec<_>>>::default();
        let told = Arc::clone(&lost);
        let watcher =
            store.watcher().on_lost(move |error| told.lock().unwrap().push(error.to_string()));
        Self { task: tokio::spawn(watcher.run()), store, calls, lost }
    }

    async fn on(store: PostgresStore) -> Self {
        let cache = Self::new(store);
        cache.is_on().await;
        cache
    }

    async fn is_on(&self) {
        let on = until(PATIENCE, async || self.store.is_on()).await;
        assert!(on, "it stays off: {:?}", self.lost.lock().unwrap());
    }

    /// Waits for a loss, and gives what was told of it.
    async fn is_lost(&self, since: usize) -> String {
        let lost = || self.lost.lock().unwrap().get(since).cloned();
        assert!(until(LOST, async || lost().is_some()).await, "nobody noticed");
        lost().unwrap()
    }

    fn losses(&self) -> usize {
        self.lost.lock().unwrap().len()
    }

    fn loads(&self) -> usize {
        self.calls.operations().iter().filter(|call| **call == Operation::Load).count()
    }

    async fn seen(&self, key: &StoreKey) -> Option<String> {
        let record = self.store.load(key, NOW).await.unwrap()?;
        Some(record.data.get("n").unwrap_or("-").to_owned())
    }

    /// Waits until this is what is read, and it is served from memory.
    async fn comes_to_see(&self, key: &StoreKey, value: Option<&str>) {
        let seen = until(PATIENCE, async || self.seen(key).await.as_deref() == value).await;
        assert!(seen, "{value:?} is never seen");
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn until(patience: Duration, mut done: impl AsyncFnMut() -> bool) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < patience {
        if done().await {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    done().await
}

/// Tables that tell, and a cache. The store of the place is that of another process, which has never
/// heard of telling.
async fn told() -> Option<(Place<Postgres>, Cache)> {
    let place = Place::<Postgres>::bare(Wish::new()).await?;
    let store = options(&place.wish).connect(&place.url).await.unwrap();
    store.migrate().await.unwrap();
    Some((place, Cache::on(store).await))
}

#[tokio::test]
async fn x10_a_warm_read_needs_no_connection() {
    let Some((place, cache)) = told().await else { return };
    place.store.create(&key(1), &record(), NOW).await.unwrap();
    assert_eq!(cache.seen(&key(1)).await.unwrap(), "-");
    // Nothing can be asked any more, but what is heard is heard.
    cache.store.inner().close().await;
    for _ in 0..100 {
        assert_eq!(cache.seen(&key(1)).await.unwrap(), "-");
    }
    assert_eq!(cache.loads(), 1);
    place.end().await;
}

#[tokio::test]
async fn x10_what_others_do_is_seen_once_it_is_told() {
    let Some((place, cache)) = told().await else { return };
    let there = &place.store;
    let of_ada = || {
        let mut record = record();
        record.user = Some(user("ada"));
        record
    };
    for of in 1..=4 {
        there.create(&key(of), &of_ada(), NOW).await.unwrap();
        cache.comes_to_see(&key(of), Some("-")).await;
    }
    applied(there, &key(1), patch().add("n", ONE)).await;
    cache.comes_to_see(&key(1), Some("1")).await;
    assert!(there.delete(&key(1), NOW).await.unwrap());
    cache.comes_to_see(&key(1), None).await;
    assert_eq!(cache.seen(&key(2)).await.unwrap(), "-");
    there.revoke(&namespace("shop"), &user("ada"), Some(&key(3)), NOW).await.unwrap();
    cache.comes_to_see(&key(2), None).await;
    assert_eq!(cache.seen(&key(3)).await.unwrap(), "-");
    there.revoke(&namespace("shop"), &user("ada"), None, NOW).await.unwrap();
    cache.comes_to_see(&key(3), None).await;
    there.create(&key(5), &record(), NOW).await.unwrap();
    cache.comes_to_see(&key(5), Some("-")).await;
    there.revoke_everybody(&namespace("shop"), NOW).await.unwrap();
    cache.comes_to_see(&key(5), None).await;
    place.end().await;
}

/// What an operator does by hand is told, too.
#[tokio::test]
async fn x10_sessions_ended_by_hand_are_seen() {
    let Some((place, cache)) = told().await else { return };
    for by_hand in [
        "UPDATE sessions SET idle_deadline = 0",
        "UPDATE sessions SET absolute_deadline = 0",
        "UPDATE sessions SET proof = NULL",
        "DELETE FROM sessions",
        "TRUNCATE sessions",
    ] {
        place.run("DELETE FROM sessions").await;
        place.store.create(&key(1), &record(), NOW).await.unwrap();
        cache.comes_to_see(&key(1), Some("-")).await;
        place.run(by_hand).await;
        cache.comes_to_see(&key(1), None).await;
    }
    place.end().await;
}

#[tokio::test]
async fn x10_a_write_is_read_by_its_own_process_at_once() {
    let Some((place, cache)) = told().await else { return };
    cache.store.create(&key(1), &record(), NOW).await.unwrap();
    for n in 1..=50 {
        let n = n.to_string();
        cache.store.apply(&key(1), &patch().set("n", Json::parse(&n).unwrap()), NOW).await.unwrap();
        assert_eq!(cache.seen(&key(1)).await.unwrap(), n);
    }
    cache.store.delete(&key(1), NOW).await.unwrap();
    assert_eq!(cache.seen(&key(1)).await, None);
    place.end().await;
}

/// A foreign id is a secret, and everybody in the database may listen.
#[tokio::test]
async fn x10_no_message_tells_a_secret() {
    let Some((place, cache)) = told().await else { return };
    let mut line = PgListener::connect(&place.url).await.unwrap();
    line.listen(&format!("{}_changes", place.wish.table)).await.unwrap();
    let there = &place.store;
    there.create(&foreign("secret"), &foreign_record(), NOW).await.unwrap();
    cache.comes_to_see(&foreign("secret"), Some("-")).await;
    applied(there, &foreign("secret"), patch().add("n", ONE)).await;
    cache.comes_to_see(&foreign("secret"), Some("1")).await;
    assert!(there.delete(&foreign("secret"), NOW).await.unwrap());
    cache.comes_to_see(&foreign("secret"), None).await;
    there.create(&key(1), &record(), NOW).await.unwrap();
    assert!(there.touch(&key(1), NOW + 40 * MINUTE, NOW + MINUTE).await.unwrap());
    applied(there, &key(1), patch().add("n", ONE)).await;
    let mut told = Vec::new();
    for _ in 0..3 {
        told.push(line.recv().await.unwrap().payload().to_owned());
    }
    // Creating is nothing that anybody could have read, and a touch tells nobody.
    assert_eq!(told, ["*", "*", &format!("73686f70 00{}", "01".repeat(12))]);
    place.end().await;
}

#[tokio::test]
async fn x10_a_killed_connection_is_made_again() {
    let Some((place, cache)) = told().await else { return };
    place.store.create(&key(1), &record(), NOW).await.unwrap();
    for round in 1..=3 {
        let before = round.to_string();
        cache.seen(&key(1)).await;
        let since = cache.losses();
        place
            .run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE \
                 'SELECT pg_backend_pid()%\"sessions\"%'",
            )
            .await;
        applied(&place.store, &key(1), patch().add("n", ONE)).await;
        let error = cache.is_lost(since).await;
        assert!(error.contains("the connection that hears of changes"), "{error}");
        cache.is_on().await;
        assert_eq!(cache.seen(&key(1)).await.unwrap(), before);
    }
    place.end().await;
}

/// A server that has fallen silent is noticed, and nothing old is served after.
#[tokio::test]
async fn x10_a_silent_server_turns_the_cache_off() {
    let Some((place, _)) = told().await else { return };
    let proxy = Proxy::start(place.url.split(['@', '/', '?']).nth(3).unwrap()).await.unwrap();
    let store = options(&place.wish).connect(proxy.in_url(&place.url)).await.unwrap();
    let cache = Cache::on(store).await;
    place.store.create(&key(1), &record(), NOW).await.unwrap();
    for round in 1..=2 {
        cache.is_on().await;
        cache.seen(&key(1)).await;
        let since = cache.losses();
        proxy.set(Link::Silent).await;
        applied(&place.store, &key(1), patch().add("n", ONE)).await;
        cache.is_lost(since).await;
        assert!(!cache.store.is_on() && cache.store.is_empty());
        proxy.set(Link::Sound).await;
        cache.is_on().await;
        assert_eq!(cache.seen(&key(1)).await.unwrap(), round.to_string());
    }
    place.end().await;
}

#[tokio::test]
async fn x10_a_server_that_is_started_again_is_heard_again() {
    let Some(server) = private::<Postgres>(&Options::new()) else { return };
    let wish = Wish::new();
    let store = options(&wish).connect(server.url()).await.unwrap();
    store.migrate().await.unwrap();
    let cache = Cache::on(store.clone()).await;
    store.create(&key(1), &record(), NOW).await.unwrap();
    cache.seen(&key(1)).await;
    server.kill().unwrap();
    cache.is_lost(0).await;
    assert!(!cache.store.is_on());
    assert!(cache.store.load(&key(1), NOW).await.unwrap_err().is_retryable());
    server.start().unwrap();
    cache.is_on().await;
    assert_eq!(cache.seen(&key(1)).await.unwrap(), "-");
}

/// Tables that do not tell are not cached, and who wants that is told how; that they have stopped
/// telling is noticed.
#[tokio::test]
async fn x10_tables_that_do_not_tell_are_named() {
    let Some(place) = Place::<Postgres>::new(Wish::new()).await else { return };
    let cache = Cache::new(place.again().await);
    for round in 0..2 {
        let error = cache.is_lost(cache.losses()).await;
        assert!(error.contains("notify_changes") && error.contains("migrate()"), "{error}");
        assert!(!cache.store.is_on());
        let mut migrating = JoinSet::new();
        for _ in 0..5 {
            let store = options(&place.wish).connect(&place.url).await.unwrap();
            migrating.spawn(async move { store.migrate().await.unwrap() });
        }
        migrating.join_all().await;
        cache.is_on().await;
        let undo = [
            "DROP FUNCTION \"sessions_notify\" CASCADE",
            "DROP TRIGGER tenure_deleted ON sessions",
        ];
        place.run(undo[round]).await;
    }
    cache.is_lost(cache.losses()).await;
    place.run("DROP FUNCTION \"sessions_notify\" CASCADE").await;
    place.end().await;
}

/// Nobody gets triggers who did not ask; what is printed makes them, any number of times.
#[tokio::test]
async fn x10_migrating_makes_triggers_only_when_asked() {
    let Some(place) = Place::<Postgres>::new(Wish::new()).await else { return };
    let triggers = "SELECT count(*) FROM pg_trigger WHERE tgrelid IN \
                    ('sessions'::regclass, 'sessions_epochs'::regclass)";
    assert_eq!(place.number(triggers).await, 0);
    let printed = options(&place.wish).migration_sql();
    for _ in 0..2 {
        Postgres::run(&place.store, printed.clone()).await;
        assert_eq!(place.number(triggers).await, 5);
    }
    place.store.migrate().await.unwrap();
    assert_eq!(place.number(triggers).await, 5, "nor are they taken away");
    Cache::on(place.again().await).await;
    place.end().await;
}

/// Through a pooler in transaction mode nothing is heard, whether somebody spoke of it or not.
#[tokio::test]
async fn x10_a_pooler_in_transaction_mode_is_named() {
    let Some((place, _)) = told().await else { return };
    let Some(pooled) = server::url("pgbouncer") else { return };
    let spoken = options(&place.wish).transaction_pooler();
    let error = heard(&spoken.clone().connect(&pooled).await.unwrap()).await;
    assert!(error.contains("watch_url"), "{error}");

    let connect: PgConnectOptions = pooled.parse().unwrap();
    let connect = connect.extra_float_digits(None);
    let pool = PgPoolOptions::new().connect_with(connect).await.unwrap();
    for _ in 0..5 {
        let error = heard(&options(&place.wish).with_pool(pool.clone())).await;
        assert!(error.contains("watch_url"), "{error}");
    }

    let direct = spoken.watch_url(&place.url).unwrap().connect(&pooled).await.unwrap();
    let cache = Cache::on(direct).await;
    place.store.create(&key(1), &record(), NOW).await.unwrap();
    cache.comes_to_see(&key(1), Some("-")).await;
    applied(&place.store, &key(1), patch().add("n", ONE)).await;
    cache.comes_to_see(&key(1), Some("1")).await;
    assert!(options(&place.wish).watch_url(format!("{pooled}?pooler=transaction")).is_err());
    place.end().await;
}

/// Why a store does not hear.
async fn heard(store: &PostgresStore) -> String {
    let heard = Mutex::new(Vec::<Change>::new());
    let watch = Watch::watch(store, &|change| heard.lock().unwrap().push(change)).await;
    assert!(heard.lock().unwrap().is_empty());
    watch.to_string()
}

/// The application's own pool lends nothing to the watcher, which connects as the pool does.
#[tokio::test]
async fn x10_the_applications_pool_keeps_its_connections() {
    let Some((place, _)) = told().await else { return };
    let schema = format!("near_{}", place.wish.table);
    place.run(&format!("CREATE SCHEMA {schema}")).await;
    let path = format!("SET search_path = {schema}");
    let pool: PgPool = PgPoolOptions::new()
        .max_connections(1)
        .after_connect(move |connection, _| {
            let path = path.clone();
            Box::pin(async move {
                let set = sqlx::raw_sql(sqlx::AssertSqlSafe(path));
                set.execute(connection).await.map(drop)
            })
        })
        .connect(&place.url)
        .await
        .unwrap();
    let store = options(&place.wish).with_pool(pool.clone());
    store.migrate().await.unwrap();
    let cache = Cache::on(store).await;
    cache.store.create(&key(1), &record(), NOW).await.unwrap();
    cache.comes_to_see(&key(1), Some("-")).await;
    let connection = pool.acquire().await.unwrap();
    assert_eq!(cache.seen(&key(1)).await.unwrap(), "-");
    assert_eq!(pool.size(), 1);
    drop(connection);
    place.run(&format!("DROP SCHEMA {schema} CASCADE")).await;
    place.end().await;
}
