//! What is PostgreSQL's own.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tenure_core::store::{Store, StoreErrorKind};
use tenure_sql::{PostgresOptions, PostgresStore};
use tenure_test_servers::Options;
use tenure_testkit::server;
use tokio::task::JoinSet;

use crate::support::{
    Kind, MINUTE, NOW, ONE, Place, Postgres, Wish, applied, key, loaded, patch, private, record,
};

fn with(url: &str, settings: &str) -> String {
    format!("{url}?options={}", settings.replace(' ', "%20").replace('=', "%3D"))
}

/// A touch writes no index.
#[tokio::test]
async fn touches_are_hot_updates() {
    let Some(place) = Place::<Postgres>::new(Wish::new().connections(4)).await else { return };
    hot_touches(place).await;
}

/// X10: neither do the triggers that tell of changes, and they tell nobody of touches.
#[tokio::test]
async fn touches_are_hot_updates_with_triggers() {
    let Some(place) = Place::<Postgres>::bare(Wish::new().connections(4)).await else { return };
    let telling = PostgresOptions::new().table(&place.wish.table).unwrap().notify_changes();
    telling.with_pool(place.store.pool().clone()).migrate().await.unwrap();
    let mut line = PgListener::connect(&place.url).await.unwrap();
    line.listen(&format!("{}_changes", place.wish.table)).await.unwrap();
    hot_touches(place).await;
    let told = tokio::time::timeout(Duration::from_secs(1), line.recv()).await;
    assert!(told.is_err(), "{told:?}");
}

async fn hot_touches(place: Place<Postgres>) {
    for of in 0..100 {
        place.store.create(&key(of), &record(), NOW).await.unwrap();
    }
    let mut tasks = JoinSet::new();
    for part in 0..4_u8 {
        let store = place.store.clone();
        tasks.spawn(async move {
            for round in 1..=100 {
                let now = NOW + Duration::from_secs(6 * round);
                for of in 0..25 {
                    let key = key(25 * part + of);
                    assert!(store.touch(&key, now + 30 * MINUTE, now).await.unwrap());
                }
            }
        });
    }
    tasks.join_all().await;
    place.store.pool().close().await;
    // Each process of the server tells its counts at its end at the latest.
    let looking = Postgres::open(&place.wish, &place.url).await.unwrap();
    let count = |column: &str| {
        format!("SELECT {column} FROM pg_stat_user_tables WHERE relname = '{}'", place.wish.table)
    };
    let mut updates = 0;
    for _ in 0..100 {
        updates = Postgres::number(&looking, count("n_tup_upd")).await;
        if updates >= 10_000 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let hot = Postgres::number(&looking, count("n_tup_hot_upd")).await;
    assert_eq!(updates, 10_000);
    assert!(hot >= 9_000, "{hot} of {updates} are HOT");
    Place::<Postgres> { store: looking, ..place }.end().await;
}

/// 40001: with the strictest isolation of all, nothing is lost and nobody hears of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn serialization_failures_are_tried_again() {
    let Some(place) = Place::<Postgres>::new(Wish::new()).await else { return };
    let url = with(&place.url, "-c default_transaction_isolation=serializable");
    let pool = PgPool::connect(&url).await.unwrap();
    let options = PostgresOptions::new().operation_timeout(Duration::from_secs(60));
    let store = options.table(&place.wish.table).unwrap().with_pool(pool);
    store.create(&key(1), &record(), NOW).await.unwrap();
    let base = Arc::new(loaded(&store, &key(1)).await);
    let mut tasks = JoinSet::new();
    for of in 0..60 {
        let (store, base) = (store.clone(), base.clone());
        tasks.spawn(async move {
            let now = NOW + Duration::from_millis(of);
            if of % 3 == 0 {
                assert!(store.touch(&key(1), now + 30 * MINUTE, now).await.unwrap());
            } else {
                applied(&store, &key(1), patch().add("n", ONE).on(base)).await;
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(loaded(&store, &key(1)).await.data.get("n"), Some("40"));
    place.end().await;
}

/// 25006: sessions can be read, and who writes is told why not.
#[tokio::test]
async fn a_replica_that_takes_no_writes_is_named() {
    let Some(place) = Place::<Postgres>::new(Wish::new()).await else { return };
    place.store.create(&key(1), &record(), NOW).await.unwrap();
    let url = with(&place.url, "-c default_transaction_read_only=on");
    let store = Postgres::open(&place.wish, &url).await.unwrap();
    store.migrate().await.expect("nothing has to be written");
    loaded(&store, &key(1)).await;
    let error = store.delete(&key(1), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.to_string().contains("read-only replica"), "{error}");
    loaded(&place.store, &key(1)).await;
    place.end().await;
}

/// A row that somebody keeps locked is a timeout, and no statement is left behind.
#[tokio::test]
async fn a_locked_row_is_a_timeout() {
    let wish = Wish::new().limit(Duration::from_millis(700));
    let Some(place) = Place::<Postgres>::new(wish).await else { return };
    place.store.create(&key(1), &record(), NOW).await.unwrap();
    let lock = place.store.pool().begin().await.unwrap();
    let mut lock = lock;
    sqlx::query(sqlx::AssertSqlSafe(place.named("SELECT 1 FROM sessions FOR UPDATE")))
        .execute(&mut *lock)
        .await
        .unwrap();
    let error = place.store.touch(&key(1), NOW + 40 * MINUTE, NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Timeout, "{error}");
    lock.rollback().await.unwrap();
    // Connecting again takes longer than the limit on a machine that has much else to do.
    let begun = std::time::Instant::now();
    let mut again = Err(error);
    while again.is_err() && begun.elapsed() < MINUTE {
        again = place.store.touch(&key(1), NOW + 40 * MINUTE, NOW).await;
    }
    assert!(again.unwrap());
    place.end().await;
}

/// Who forgets to say that there is a pooler is told so, at the start or at the first statement.
#[tokio::test]
async fn a_pooler_that_nobody_spoke_of_is_named() {
    let Some(url) = server::url("pgbouncer") else { return };
    let error = PostgresStore::connect(&url).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Other, "{error}");
    assert!(error.to_string().contains("transaction_pooler"), "{error}");
    let options = PostgresOptions::new().transaction_pooler().table("never_made").unwrap();
    let store = options.connect(&url).await.unwrap();
    assert!(store.sweep(1, NOW).await.is_err_and(|error| error.to_string().contains("migrate()")));
}

/// The application's own pool through a pooler, where every statement may meet another connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_own_pool_may_be_behind_a_pooler() {
    let Some(place) = Place::<Postgres>::new(Wish::new()).await else { return };
    let Some(url) = server::url("pgbouncer") else { return };
    let connect: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
    let connect = connect.extra_float_digits(None);
    let pool = sqlx::postgres::PgPoolOptions::new().test_before_acquire(false);
    let pool = pool.max_connections(30).connect_with(connect).await.unwrap();
    let options = PostgresOptions::new().transaction_pooler().table(&place.wish.table).unwrap();
    let store = options.operation_timeout(Duration::from_secs(60)).with_pool(pool);
    let mut tasks = JoinSet::new();
    for of in 0..60 {
        let store = store.clone();
        tasks.spawn(async move {
            store.create(&key(of), &record(), NOW).await.unwrap();
            for n in 1..=10 {
                let after = applied(&store, &key(of), patch().add("n", ONE)).await;
                assert_eq!(after.data.get("n"), Some(n.to_string().as_str()));
            }
            assert!(store.delete(&key(of), NOW).await.unwrap());
        });
    }
    tasks.join_all().await;
    place.end().await;
}

/// A user without the right to create tables is told which privilege is missing.
#[tokio::test]
async fn missing_privileges_are_named() {
    let Some(server) = private::<Postgres>(&Options::new().volatile()) else { return };
    let owner = Postgres::open(&Wish::new(), server.url()).await.unwrap();
    let sql =
        "CREATE ROLE guest LOGIN PASSWORD 'guest'; REVOKE CREATE ON SCHEMA public FROM PUBLIC";
    Postgres::run(&owner, sql.to_owned()).await;
    let url = server.url().replace("tenure:tenure", "guest:guest");
    let guest = PostgresStore::connect(&url).await.unwrap();
    let error = guest.migrate().await.unwrap_err();
    assert!(error.to_string().contains("grant"), "{error}");
    PostgresStore::with_pool(owner.pool().clone()).migrate().await.unwrap();
    let error = guest.load(&key(1), NOW).await.unwrap_err();
    assert!(error.to_string().contains("grant SELECT"), "{error}");
    Postgres::run(
        &owner,
        "GRANT SELECT, INSERT, UPDATE, DELETE ON tenure_sessions, \
        tenure_sessions_epochs, tenure_sessions_meta TO guest"
            .to_owned(),
    )
    .await;
    guest.migrate().await.unwrap();
    guest.create(&key(1), &record(), NOW).await.unwrap();
}
