//! The operations of the contract.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use tenure_core::Timestamp;
use tenure_core::store::{
    Applied, Created, Epoch, Inspect, Patch, Record, Revision, Stamp, Store, StoreError,
    StoreErrorKind, StoreKey, StoreResult, Swap, UserIndex, Validate,
};
use tokio::sync::{Mutex as Queue, OwnedMutexGuard};

use crate::FileOptions;
use crate::files::Files;
use crate::names::Place;
use crate::open;

/// Sessions in files, for as many processes of one machine as share the folder.
///
/// Cheap to clone. It needs a tokio runtime: what blocks runs on the runtime's blocking threads. A
/// commit is on the disk before it is acknowledged. Sessions are spread over 256 folders, and those
/// of one folder are changed one after the other.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use tenure_core::store::{Created, Record, Store, StoreKey};
/// use tenure_core::{Handle, Namespace, Timestamp, id::Proof};
/// use tenure_file::FileStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let parent = tempfile::tempdir()?;
/// # let path = parent.path().join("sessions");
/// let store = FileStore::open(path).await?;
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
/// With a [`NearCache`](tenure_core::store::NearCache) before it, a session that was read a moment
/// ago is read from memory if its file is still the same. What another process changes is seen at
/// once, and no watcher is needed.
///
/// # Deployment caveat
/// It relies on the locks of the file system. On a network share (NFS, SMB) they may be missing, may
/// be good on one machine alone, and may outlive a machine that crashed: there sessions that two
/// machines use lose updates. Take a local disk, or a database server. A container needs a volume,
/// or the sessions end with it.
#[derive(Clone)]
pub struct FileStore {
    pub(crate) files: Arc<Files>,
    stripes: Arc<[Stripe]>,
    /// Held while an epoch moves.
    epochs: Arc<Queue<()>>,
    /// Where the next sweep goes on.
    pub(crate) cursor: Arc<Mutex<Cursor>>,
}

/// Where sweeping goes on: a folder of sessions, and a folder of users.
#[derive(Debug, Default)]
pub(crate) struct Cursor {
    pub(crate) sessions: String,
    pub(crate) users: String,
}

/// Sessions that wait for each other inside this process, before any of their threads waits for
/// other processes.
#[derive(Default)]
struct Stripe {
    turn: Arc<Queue<()>>,
    /// Held for the first try of a commit, not for those after a closure ran again: so these find
    /// few others in their way, and 1,000 closures over one value take 1,000 turns and not a
    /// million.
    entrance: Queue<()>,
}

/// One's turn in this process. It goes with the work, which ends even if nobody waits for it any
/// more.
pub(crate) type Turn = OwnedMutexGuard<()>;

impl FileStore {
    /// Opens the folder at a path or a URL `file:path`, with the default options. It is made if it
    /// is missing, for its owner alone; the folder above must be there.
    ///
    /// # Errors
    /// When the folder cannot be made or used, is a link, is somebody else's, may be used by
    /// others, or holds anything but sessions.
    pub async fn open(location: impl AsRef<Path>) -> StoreResult<Self> {
        FileOptions::new().open(location).await
    }

    pub(crate) async fn open_with(location: PathBuf, options: FileOptions) -> StoreResult<Self> {
        let opening = move || {
            let folder = open::folder(&location, &options)?;
            Ok(Files { folder, format: options.format })
        };
        Ok(Self {
            files: Arc::new(blocking(opening).await?),
            stripes: (0..256).map(|_| Stripe::default()).collect(),
            epochs: Arc::default(),
            cursor: Arc::default(),
        })
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.files.folder.path()
    }

    /// Does work that only reads.
    pub(crate) async fn reading<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Files) -> StoreResult<T> + Send + 'static,
    ) -> StoreResult<T> {
        let files = Arc::clone(&self.files);
        blocking(move || work(&files)).await
    }

    /// Does work on one stripe, when its turn has come.
    pub(crate) async fn working<T: Send + 'static>(
        &self,
        stripe: usize,
        work: impl FnOnce(&Files) -> StoreResult<T> + Send + 'static,
    ) -> StoreResult<T> {
        self.in_turn(Arc::clone(&self.stripe(stripe).turn), work).await
    }

    /// Does work on the epochs.
    pub(crate) async fn moving<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Files) -> StoreResult<T> + Send + 'static,
    ) -> StoreResult<T> {
        self.in_turn(Arc::clone(&self.epochs), work).await
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        queue: Arc<Queue<()>>,
        work: impl FnOnce(&Files) -> StoreResult<T> + Send + 'static,
    ) -> StoreResult<T> {
        let (turn, files): (Turn, _) = (queue.lock_owned().await, Arc::clone(&self.files));
        blocking(move || {
            let done = work(&files);
            drop(turn);
            done
        })
        .await
    }

    fn stripe(&self, number: usize) -> &Stripe {
        &self.stripes[number % self.stripes.len()]
    }
}

/// Runs what blocks where it may. Dropped, it is done all the same.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> StoreResult<T> + Send + 'static,
) -> StoreResult<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        Err(StoreError::new(
            StoreErrorKind::Unavailable,
            format!("the runtime did not finish what the file store had to do: {error}"),
        ))
    })
}

impl Store for FileStore {
    async fn load(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        let key = key.clone();
        self.reading(move |files| files.load(&key, now)).await
    }

    async fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> StoreResult<Created> {
        let (stripe, key, record) = (Place::of(key).stripe(), key.clone(), record.clone());
        self.working(stripe, move |files| files.create(&key, &record, now)).await
    }

    async fn swap(
        &self,
        key: &StoreKey,
        expected: &Revision,
        new: &Record,
        now: Timestamp,
    ) -> StoreResult<Swap> {
        let (stripe, key) = (Place::of(key).stripe(), key.clone());
        let (expected, new) = (expected.clone(), new.clone());
        self.working(stripe, move |files| files.swap(&key, &expected, &new, now)).await
    }

    async fn delete(&self, key: &StoreKey, now: Timestamp) -> StoreResult<bool> {
        let (stripe, key) = (Place::of(key).stripe(), key.clone());
        self.working(stripe, move |files| files.delete(&key, now)).await
    }

    async fn sweep(&self, limit: u32, now: Timestamp) -> StoreResult<u32> {
        self.sweep_folders(limit, now).await
    }

    /// On the newest record, under the lock; the application's closures run before and after. What
    /// the request saw is good for their first run, and decides nothing else.
    async fn apply(&self, key: &StoreKey, patch: &Patch, now: Timestamp) -> StoreResult<Applied> {
        let stripe = Place::of(key).stripe();
        let mut steps = patch.base().and_then(|base| patch.steps(&base.data).ok());
        let mut entrance = Some(self.stripe(stripe).entrance.lock().await);
        loop {
            let (name, sent) = (key.clone(), patch.clone());
            let applying = move |files: &Files| {
                let done = files.apply(&name, &sent, steps.as_ref(), now)?;
                Ok((done, steps))
            };
            let (done, ran) = self.working(stripe, applying).await?;
            let data = match done {
                Ok(applied) => return Ok(applied),
                Err(data) => data,
            };
            entrance.take();
            let ran = match ran {
                Some(mut ran) => ran.rebase(&data).map(|()| ran),
                None => patch.steps(&data),
            };
            match ran {
                Ok(ran) => steps = Some(ran),
                Err(refused) => return Ok(Applied::Refused(refused)),
            }
        }
    }

    async fn touch(&self, key: &StoreKey, until: Timestamp, now: Timestamp) -> StoreResult<bool> {
        let (stripe, key) = (Place::of(key).stripe(), key.clone());
        self.working(stripe, move |files| files.touch(&key, until, now)).await
    }

    fn users(&self) -> Option<&impl UserIndex> {
        Some(self)
    }

    fn epoch(&self) -> Option<&impl Epoch> {
        Some(self)
    }

    fn validate(&self) -> Option<&impl Validate> {
        Some(self)
    }

    fn inspect(&self) -> Option<&impl Inspect> {
        Some(self)
    }
}

impl Inspect for FileStore {
    async fn record(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        let place = Place::of(key);
        self.reading(move |files| files.inspect(&place, now)).await
    }
}

impl Validate for FileStore {
    /// On the caller's own thread: what the kernel keeps in memory of a file that was read a moment
    /// ago is there sooner than another thread.
    async fn stamp(&self, key: &StoreKey) -> StoreResult<Option<Stamp>> {
        self.files.stamp(&Place::of(key), SystemTime::now())
    }
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStore").field("path", &self.path()).finish_non_exhaustive()
    }
}
