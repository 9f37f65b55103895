//! The store itself, and how it talks to the server.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mongodb::bson::{Document, doc};
use mongodb::{Client, Collection, Database};
use tenure_core::store::{StoreError, StoreErrorKind, StoreResult};
use tokio::sync::{Mutex, MutexGuard};

use crate::error::failed;
use crate::options::MongoOptions;

/// Queues for writers; sessions share them by chance.
const QUEUES: usize = 256;

/// Sessions in a MongoDB database, for as many processes as reach it.
///
/// Cheap to clone. It needs a tokio runtime with I/O and time. Reading a session is one command, a
/// new session is one, and so is a change, unless another request has changed the same value
/// meanwhile. Writes are acknowledged by a majority of the replica set; reads go to its primary.
///
/// The collection is not made by connecting: call [`migrate`](Self::migrate).
///
/// ```no_run
/// use std::time::{Duration, SystemTime};
/// use tenure_core::store::{Created, Record, Store, StoreKey};
/// use tenure_core::{Handle, Namespace, Timestamp, id::Proof};
/// use tenure_mongodb::MongoStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = MongoStore::connect("mongodb://localhost/shop").await?;
/// store.migrate().await?;
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
/// A server by itself, without a replica set, acknowledges what its journal may not have on the
/// disk yet: a power cut may undo the last commits, a logout among them. For some seconds after a
/// network is cut in two, a primary that has not noticed yet may show a session that was logged out
/// on the other side; it cannot acknowledge any change of it.
#[derive(Clone)]
pub struct MongoStore {
    pub(crate) client: Client,
    pub(crate) database: Database,
    pub(crate) sessions: Collection<Document>,
    pub(crate) options: Arc<MongoOptions>,
    /// Whether the collection was seen to be what this crate made.
    checked: Arc<AtomicBool>,
    /// One is held where a writer of this process was in the way of another: waiting here is fair,
    /// and trying again is not.
    queues: Arc<(RandomState, [Mutex<()>; QUEUES])>,
}

impl MongoStore {
    /// Connects to the server of a URL `mongodb://` or `mongodb+srv://`, with the default options.
    /// The URL names the database, and may have whatever options the driver knows.
    ///
    /// # Errors
    /// When the URL cannot be read or names no database, when no server answers, or when it does
    /// not accept the user.
    pub async fn connect(url: impl AsRef<str>) -> StoreResult<Self> {
        MongoOptions::new().connect(url).await
    }

    /// Keeps sessions by the application's own client, with the default options, in the client's
    /// default database.
    ///
    /// The client stays as the application made it, but whatever it says of read and write
    /// concerns, sessions are read from the primary and their writes acknowledged by a majority.
    ///
    /// ```no_run
    /// use mongodb::Client;
    /// use tenure_mongodb::MongoStore;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = Client::with_uri_str("mongodb://localhost/shop").await?;
    /// let store = MongoStore::with_client(client.clone())?;
    /// store.migrate().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the client has no default database: then name one by [`MongoOptions::database`].
    pub fn with_client(client: Client) -> StoreResult<Self> {
        MongoOptions::new().with_client(client)
    }

    /// The client, the application's own or that of [`connect`](Self::connect). Shutting it down
    /// ends the store.
    ///
    /// ```no_run
    /// use tenure_mongodb::MongoStore;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = MongoStore::connect("mongodb://localhost/shop").await?;
    /// assert!(store.client().default_database().is_some());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn new(
        client: Client,
        database: Database,
        sessions: Collection<Document>,
        options: MongoOptions,
    ) -> Self {
        Self {
            client,
            database,
            sessions,
            options: Arc::new(options),
            checked: Arc::default(),
            queues: Arc::new((RandomState::new(), std::array::from_fn(|_| Mutex::default()))),
        }
    }

    /// What the server answers, within the time limit. A command that was given up is given up
    /// together with its connection.
    pub(crate) async fn ask<T>(
        &self,
        command: impl IntoFuture<Output = mongodb::error::Result<T>>,
    ) -> StoreResult<T> {
        self.asked(command).await?.map_err(failed)
    }

    /// As [`ask`](Self::ask), with the driver's own error for what the server says.
    pub(crate) async fn asked<T>(
        &self,
        command: impl IntoFuture<Output = mongodb::error::Result<T>>,
    ) -> StoreResult<mongodb::error::Result<T>> {
        let limit = self.options.operation_timeout;
        tokio::time::timeout(limit, command.into_future()).await.map_err(|_| too_late(limit))
    }

    /// The sessions, once it is known that they are in a collection of ours: a server makes a
    /// collection out of whatever is written, without an index and unasked.
    pub(crate) async fn sessions(&self) -> StoreResult<&Collection<Document>> {
        if !self.checked.load(Ordering::Relaxed) {
            self.check().await?;
            self.is_checked();
        }
        Ok(&self.sessions)
    }

    pub(crate) fn is_checked(&self) {
        self.checked.store(true, Ordering::Relaxed);
    }

    /// The turn of a writer among those of this process that are in each other's way.
    pub(crate) async fn turn(&self, id: &str) -> MutexGuard<'_, ()> {
        let (hasher, queues) = &*self.queues;
        #[expect(clippy::cast_possible_truncation, reason = "any part of a hash will do")]
        let at = hasher.hash_one(id) as usize % QUEUES;
        queues[at].lock().await
    }

    /// Whether the server answers and accepts the user.
    pub(crate) async fn ping(&self) -> StoreResult<()> {
        self.ask(self.database.run_command(doc! { "ping": 1 })).await.map(drop)
    }
}

fn too_late(limit: Duration) -> StoreError {
    StoreError::new(
        StoreErrorKind::Timeout,
        format!(
            "MongoDB did not answer within {limit:?}; check that it can be reached, or allow more \
             by MongoOptions::operation_timeout"
        ),
    )
}

impl fmt::Debug for MongoStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MongoStore")
            .field("database", &self.database.name())
            .field("collection", &self.sessions.name())
            .finish_non_exhaustive()
    }
}
