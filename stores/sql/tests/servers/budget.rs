//! How often the server is asked, as the server's own answers tell.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sqlx::postgres::PgPoolOptions;
use tenure_core::store::Store;
use tenure_sql::PostgresOptions;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::support::{
    Kind, MINUTE, NOW, ONE, Place, Postgres, Wish, applied, key, loaded, patch, record,
};

/// Stands between a store and PostgreSQL, and counts how often that was ready for the next query.
struct Counter {
    url: String,
    answers: Arc<AtomicU32>,
}

impl Counter {
    async fn before(url: &str) -> Self {
        let start = url.find('@').unwrap() + 1;
        let end = url[start..].find('/').unwrap() + start;
        let server = url[start..end].to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = listener.local_addr().unwrap();
        let answers = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&answers);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                let (mut from_client, mut to_client) = client.into_split();
                let (from_server, mut to_server) = server.into_split();
                tokio::spawn(async move {
                    let _ = tokio::io::copy(&mut from_client, &mut to_server).await;
                    let _ = to_server.shutdown().await;
                });
                let count = Arc::clone(&count);
                tokio::spawn(async move {
                    let _ = answered(from_server, &mut to_client, &count).await;
                });
            }
        });
        Self { url: format!("{}{place}{}?sslmode=disable", &url[..start], &url[end..]), answers }
    }

    /// How many answers there were since the last time, those to what follows an operation included.
    async fn take(&self) -> u32 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        self.answers.swap(0, Ordering::Relaxed)
    }
}

/// Passes messages on: a letter, the length of the rest, the rest.
async fn answered(
    mut from: impl AsyncRead + Unpin,
    to: &mut (impl AsyncWriteExt + Unpin),
    count: &AtomicU32,
) -> std::io::Result<()> {
    loop {
        let mut message = vec![0; 5];
        from.read_exact(&mut message).await?;
        let length = u32::from_be_bytes(message[1..5].try_into().unwrap());
        message.resize(length as usize + 1, 0);
        from.read_exact(&mut message[5..]).await?;
        count.fetch_add(u32::from(message[0] == b'Z'), Ordering::Relaxed);
        to.write_all(&message).await?;
    }
}

/// Reading is one command, and so are writing on the record that a request has read, creating,
/// touching and deleting.
#[tokio::test]
async fn each_operation_is_one_command_on_the_wire() {
    let Some(place) = Place::<Postgres>::new(Wish::new()).await else { return };
    let counter = Counter::before(&place.url).await;
    let store = Postgres::open(&place.wish.clone().connections(1), &counter.url).await.unwrap();
    // The first of each kind is prepared, which is a command more.
    for of in [1, 2] {
        let mut costs = Vec::new();
        counter.take().await;
        store.create(&key(of), &record(), NOW).await.unwrap();
        costs.push(counter.take().await);
        let seen = Arc::new(loaded(&store, &key(of)).await);
        costs.push(counter.take().await);
        applied(&store, &key(of), patch().add("n", ONE).on(seen)).await;
        costs.push(counter.take().await);
        store.touch(&key(of), NOW + 40 * MINUTE, NOW).await.unwrap();
        costs.push(counter.take().await);
        assert!(store.delete(&key(of), NOW).await.unwrap());
        costs.push(counter.take().await);
        if of == 2 {
            assert_eq!(costs, [1; 5]);
        }
    }
    place.end().await;
}

/// In the application's own pool, sqlx asks once more when a connection leaves or goes back to it.
#[tokio::test]
async fn an_own_pool_asks_whether_a_connection_is_sound() {
    let Some(place) = Place::<Postgres>::new(Wish::new()).await else { return };
    let counter = Counter::before(&place.url).await;
    let pool = PgPoolOptions::new().max_connections(1).connect(&counter.url).await.unwrap();
    let store = PostgresOptions::new().table(&place.wish.table).unwrap().with_pool(pool);
    store.create(&key(1), &record(), NOW).await.unwrap();
    loaded(&store, &key(1)).await;
    counter.take().await;
    loaded(&store, &key(1)).await;
    // Once when it leaves, once when it comes back, and the read itself.
    assert_eq!(counter.take().await, 3);
    place.end().await;
}

/// A store that is busy keeps its connections for a moment, and not from others for longer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_asks_the_pool_gets_a_turn() {
    let Some(place) = Place::<Postgres>::new(Wish::new().connections(1)).await else { return };
    place.store.create(&key(1), &record(), NOW).await.unwrap();
    let mut busy = JoinSet::new();
    for _ in 0..4 {
        let store = place.store.clone();
        busy.spawn(async move {
            loop {
                loaded(&store, &key(1)).await;
            }
        });
    }
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let turn = tokio::time::timeout(Duration::from_secs(20), place.store.pool().acquire());
        turn.await.expect("in seconds").unwrap();
    }
    busy.shutdown().await;
    place.store.close().await;
    assert!(place.store.load(&key(1), NOW).await.is_err());
    Place { store: Postgres::open(&place.wish, &place.url).await.unwrap(), ..place }.end().await;
}

/// Connections that the store has kept go with it, also when no runtime is left to do more.
#[test]
fn a_store_may_outlive_its_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = runtime.block_on(async {
        let place = Place::<Postgres>::new(Wish::new()).await?;
        place.store.load(&key(1), NOW).await.unwrap();
        let other = place.again().await;
        let Place { url: _, wish, store } = place;
        for suffix in ["", "_epochs", "_meta"] {
            Postgres::run(&other, format!("DROP TABLE {}{suffix}", wish.table)).await;
        }
        Some(store)
    });
    drop(runtime);
    drop(store);
}
