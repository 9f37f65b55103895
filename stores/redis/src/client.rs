use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use redis::aio::ConnectionLike;
use tenure_core::store::{Record, StoreKey, StoreResult};
use tenure_core::{Random, SystemRandom, Timestamp};

use crate::RedisOptions;
use crate::apply::Answer;
use crate::connection::Connection;
use crate::error::other;
use crate::hash;
use crate::keys::{Bucket, Prefix};
use crate::pipe::{Call, Reply};
use crate::queue::Queue;
use crate::tracking::Tracker;

/// Sessions in Redis or Valkey: one server, a cluster, or a master behind Sentinel.
///
/// Cheap to clone; all clones share one connection, on which commands do not wait for each other. A
/// connection that breaks is made again in the background, within half a second of the server's
/// return; until then operations fail at once. It needs a tokio runtime with I/O and time.
///
/// ```no_run
/// use std::time::{Duration, SystemTime};
/// use tenure_core::store::{Created, Record, Store, StoreKey};
/// use tenure_core::{Handle, Namespace, Timestamp, id::Proof};
/// use tenure_redis::RedisStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = RedisStore::connect("redis://127.0.0.1/").await?;
///
/// let now = Timestamp::from(SystemTime::now());
/// let proof = Proof::from_bytes([2; 32]);
/// let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; 12])).with_proof(proof);
/// let mut record = Record::new(now, Duration::from_secs(60), Duration::from_secs(3600));
/// record.proofs.present = Some(proof);
/// assert_eq!(store.create(&key, &record, now).await?, Created::Created);
/// assert!(store.load(&key, now).await?.is_some());
/// # Ok(())
/// # }
/// ```
///
/// # Deployment caveat
/// Redis acknowledges a write before it is on a disk or on a replica. With `appendonly yes` and
/// `appendfsync always` a power cut loses nothing, with `everysec` about the last second, and a
/// failover loses what had not reached the replica yet: a logout may be undone then. A server that
/// evicts keys when its memory is full ends live sessions; it is refused when connecting.
#[derive(Clone)]
pub struct RedisStore {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) connection: Connection,
    /// How changes are heard of, if they are.
    pub(crate) tracker: Option<Tracker>,
    pub(crate) prefix: Prefix,
    pub(crate) warnings: Vec<String>,
    pub(crate) revisions: AtomicU64,
    /// One for the sessions of each bucket.
    pub(crate) queues: Box<[Queue]>,
}

impl RedisStore {
    /// Connects with the default options. The URLs, each with `rediss` for TLS:
    ///
    /// - `redis://user:password@host:port/database`: one server;
    /// - `redis-cluster://user:password@host:port,host:port`: a cluster, of which some nodes are
    ///   named;
    /// - `redis+sentinel://user:password@host:port,host:port/master/database`: the server that the
    ///   sentinels at these addresses name as the master.
    ///
    /// What is missing is `127.0.0.1`, 6379 (26379 for sentinels) and database 0. User and password
    /// are percent-encoded.
    ///
    /// # Errors
    /// When the URL cannot be read, when the server cannot be reached or refuses the password, when
    /// it is a replica or older than 6.2, or when it may evict sessions.
    pub async fn connect(url: impl AsRef<str>) -> StoreResult<Self> {
        RedisOptions::new().connect(url).await
    }

    /// Keeps sessions by a connection of the application's own, with the default options: a
    /// `MultiplexedConnection`, `ConnectionManager`, `ClusterConnection` or whatever else of the
    /// driver can be cloned.
    ///
    /// It must lead to masters, and is used as it is: a `MultiplexedConnection` that breaks stays
    /// broken. Changes elsewhere are heard of over connections of their own, so a
    /// [`NearCache`](tenure_core::store::NearCache) works only with
    /// [`RedisOptions::watch_with`].
    ///
    /// ```no_run
    /// use tenure_redis::RedisStore;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = redis::Client::open("redis://127.0.0.1/")?;
    /// let connection = client.get_multiplexed_async_connection().await?;
    /// let store = RedisStore::with_connection(connection).await?;
    /// # drop(store);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the server cannot be reached, is a replica or older than 6.2, or may evict sessions.
    pub async fn with_connection(
        connection: impl ConnectionLike + Clone + Send + Sync + 'static,
    ) -> StoreResult<Self> {
        RedisOptions::new().with_connection(connection).await
    }

    /// What the operator should know of how the server is set up. See the example of
    /// [`RedisOptions`].
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.inner.warnings
    }

    pub(crate) fn new(
        connection: Connection,
        tracker: Option<Tracker>,
        prefix: Prefix,
        warnings: Vec<String>,
    ) -> StoreResult<Self> {
        let mut start = [0; 8];
        SystemRandom
            .fill(&mut start)
            .map_err(|error| other(format!("revisions cannot be made: {error}")))?;
        let revisions = AtomicU64::new(u64::from_be_bytes(start));
        let queues = Bucket::all().map(|_| Queue::default()).collect();
        let inner = Inner { connection, tracker, prefix, warnings, revisions, queues };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The live record under `key`, whatever the proof.
    pub(crate) async fn find(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        Ok(self.find_shared(key, now).await?.map(Arc::unwrap_or_clone))
    }

    /// As [`find`](Self::find), perhaps shared with others who have read it.
    pub(crate) async fn find_shared(
        &self,
        key: &StoreKey,
        now: Timestamp,
    ) -> StoreResult<Option<Arc<Record>>> {
        let record = match self.inner.connection.reply(&self.inner.reading(key)).await? {
            Reply::Value(value) => hash::record(&value)?.map(Arc::new),
            Reply::Session(record) => Some(record),
        };
        Ok(record.filter(|record| record.is_alive(now)))
    }

    /// Runs to its end even if the caller goes away: what consists of several commands.
    pub(crate) async fn settled<T: Send + 'static>(
        work: impl Future<Output = StoreResult<T>> + Send + 'static,
    ) -> StoreResult<T> {
        tokio::spawn(work).await.map_err(|error| other(format!("a task of the store: {error}")))?
    }

    /// Commits once. What is left to be done for the index is done, too.
    pub(crate) async fn commit(
        &self,
        key: &StoreKey,
        call: &Call,
        binds: bool,
        now: Timestamp,
    ) -> StoreResult<Answer> {
        let answer = Answer::read(self.inner.connection.run(call).await?)?;
        match &answer {
            Answer::Done { listed, unlisted, .. } => {
                // Rare: in boxes, so that the future of every commit is no larger for them.
                if let Some(user) = unlisted {
                    Box::pin(self.inner.unlist(key, user)).await;
                }
                if let Some((user, until)) = listed {
                    let listing = Box::pin(self.inner.list(key, user, *until, now)).await;
                    // A session that was listed before is listed again at its next touch.
                    if binds {
                        listing?;
                    }
                }
            }
            Answer::Already(record) if binds => {
                if let Some(user) = &record.user {
                    let until = record.absolute_deadline;
                    Box::pin(self.inner.list(key, user.as_str(), until, now)).await?;
                }
            }
            _ => {}
        }
        Ok(answer)
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("prefix", &self.inner.prefix.as_str())
            .field("warnings", &self.inner.warnings)
            .finish_non_exhaustive()
    }
}
