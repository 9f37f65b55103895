use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use async_lock::{Mutex, MutexGuard};
use http::request::Parts;
use sha2::{Digest, Sha256};

use super::SimpleDriver;
use super::id::id;
use crate::clock::Timestamp;
use crate::format::{Envelope, RecordFormat, TouchMode};
use crate::store::{
    AnyStore, Applied, Created, Inspect, Patch, Record, Rejected, Revision, Steps, Store,
    StoreError, StoreErrorKind, StoreKey, StoreResult, Swap, Verdict,
};
use crate::value::Data;

/// Sessions that wait for each other, more than a process works on at once.
const TURNS: usize = 1_024;

/// A store on top of a [`SimpleDriver`]; cheap to clone if the driver is.
///
/// A driver can neither compare nor list. So a change is a read and a write, in turn for all
/// requests that use this store or a clone of it: it keeps the laws of [`Store`] in **one process
/// alone**. It has no index of users and no epoch, and it sweeps nothing: what has expired is never
/// read, and to clear it away is the driver's part.
///
/// A driver may fail, and a write that failed may have happened; a commit that is sent again
/// takes effect once. [The module](crate::store::simple) shows how one is written.
///
/// ```
/// use tenure_core::format::Envelope;
/// use tenure_core::store::StoreResult;
/// use tenure_core::store::simple::{SimpleDriver, SimpleStore};
/// # use tenure_core::Timestamp;
///
/// struct Empty;
/// # impl SimpleDriver for Empty {
/// #     async fn read(&self, _: &str) -> StoreResult<Option<String>> { Ok(None) }
/// #     async fn write(&self, _: &str, _: &str, _: Timestamp) -> StoreResult<()> { Ok(()) }
/// #     async fn destroy(&self, _: &str) -> StoreResult<()> { Ok(()) }
/// # }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> StoreResult<()> {
/// let store = SimpleStore::new(Empty).format(Envelope);
/// assert_eq!(store.driver().read("a").await?, None);
/// # Ok(())
/// # }
/// ```
///
/// # Deployment caveat
/// Two processes, or two stores, on the data of one driver lose updates to each other, and one may
/// bring back a session that the other one ended. That includes the moment in which a new version of
/// an application takes over from the old one.
#[derive(Clone)]
pub struct SimpleStore<D> {
    driver: D,
    shared: Arc<Shared>,
}

/// What the stores of all requests have in common.
struct Shared {
    format: Arc<dyn RecordFormat>,
    turns: Box<[Turns]>,
    hasher: RandomState,
}

/// Where requests for the same session queue.
#[derive(Default)]
struct Turns {
    /// Held from a read to the write that builds on it.
    turn: Mutex<()>,
    /// Held for the first try of a commit, not for those after a closure ran again, so that these
    /// find few others in their way.
    entrance: Mutex<()>,
}

impl<D: SimpleDriver> SimpleStore<D> {
    /// A store whose records are kept by `driver`.
    #[must_use]
    pub fn new(driver: D) -> Self {
        Self { driver, shared: Arc::new(Shared::new(Arc::new(Envelope))) }
    }

    /// Keeps records in another format than [`Envelope`]. It must write UTF-8 text. To be called
    /// before the store is cloned: clones of different formats do not wait for each other.
    #[must_use]
    pub fn format(self, format: impl RecordFormat) -> Self {
        Self { driver: self.driver, shared: Arc::new(Shared::new(Arc::new(format))) }
    }

    /// A store whose driver is made anew for each request, of its head and of a configuration, as
    /// AdonisJS makes its drivers. Outside of a request there is no head: for tokens that are opened
    /// by hand, and for probes.
    ///
    /// The driver is made when the request begins, also for one that never asks for its session: it
    /// should be cheap, and take connections and the like from the configuration. What it keeps must
    /// be the same whatever the request, or sessions are not found again.
    ///
    /// ```
    /// use std::collections::HashMap;
    /// use std::sync::{Arc, Mutex};
    /// use http::request::Parts;
    /// use tenure_core::Timestamp;
    /// use tenure_core::store::StoreResult;
    /// use tenure_core::store::simple::{SimpleDriver, SimpleStore};
    ///
    /// type Texts = Arc<Mutex<HashMap<String, String>>>;
    ///
    /// struct Traced {
    ///     texts: Texts,
    ///     trace: String,
    /// }
    ///
    /// impl SimpleDriver for Traced {
    ///     async fn read(&self, id: &str) -> StoreResult<Option<String>> {
    ///         println!("{}: read", self.trace);
    ///         Ok(self.texts.lock().unwrap().get(id).cloned())
    ///     }
    ///     // …
    /// #   async fn write(&self, _: &str, _: &str, _: Timestamp) -> StoreResult<()> { Ok(()) }
    /// #   async fn destroy(&self, _: &str) -> StoreResult<()> { Ok(()) }
    /// }
    ///
    /// let store = SimpleStore::per_request(Texts::default(), |request: Option<&Parts>, texts| {
    ///     let trace = request.and_then(|request| request.headers.get("traceparent"));
    ///     let trace = trace.and_then(|trace| trace.to_str().ok()).unwrap_or("none").to_owned();
    ///     Traced { texts: Arc::clone(texts), trace }
    /// });
    /// # drop(store);
    /// ```
    #[must_use]
    pub fn per_request<C: Send + Sync + 'static>(
        config: C,
        make: impl Fn(Option<&Parts>, &C) -> D + Send + Sync + 'static,
    ) -> AnyStore {
        let outside = Self::new(make(None, &config));
        let shared = Arc::clone(&outside.shared);
        AnyStore::per_request(outside, move |request| {
            let driver = make(Some(request), &config);
            AnyStore::new(Self { driver, shared: Arc::clone(&shared) })
        })
    }

    /// The driver.
    #[must_use]
    pub fn driver(&self) -> &D {
        &self.driver
    }

    /// What lies under `id`, alive or not.
    async fn read(&self, id: &str) -> StoreResult<Option<Record>> {
        let Some(text) = self.driver.read(id).await? else { return Ok(None) };
        let mut record = self.shared.format.decode(text.as_bytes())?;
        record.revision = revision(&text);
        Ok(Some(record))
    }

    async fn admitted(
        &self,
        id: &str,
        key: &StoreKey,
        now: Timestamp,
    ) -> StoreResult<Option<Record>> {
        Ok(self.read(id).await?.filter(|record| record.admits(key, now)))
    }

    /// Commits to the newest record; or gives its data, on which closures have to run first.
    async fn apply_in_turn(
        &self,
        id: &str,
        key: &StoreKey,
        patch: &Patch,
        steps: Option<&Steps>,
        now: Timestamp,
    ) -> StoreResult<Result<Applied, Data>> {
        let _turn = self.shared.turn(id).await;
        let Some(newest) = self.read(id).await? else { return Ok(Ok(Applied::Gone)) };
        let verdict = match steps {
            Some(steps) => Some(newest.commit(key, patch, steps, now)),
            None => newest.answered(key, patch, now),
        };
        Ok(match verdict {
            Some(Verdict::Done(mut next)) => {
                next.revision = self.write(id, &next).await?;
                Ok(Applied::Done(Some(next)))
            }
            Some(Verdict::AlreadyDone) => Ok(Applied::Done(Some(Box::new(newest)))),
            Some(Verdict::Gone) => Ok(Applied::Gone),
            Some(Verdict::Rejected(Rejected::Refused(refused))) => Ok(Applied::Refused(refused)),
            Some(Verdict::Rejected(Rejected::Changed(_))) | None => Err(newest.data),
        })
    }

    async fn write(&self, id: &str, record: &Record) -> StoreResult<Revision> {
        let encoded = self.shared.format.encode(record)?;
        let text = String::from_utf8(encoded.bytes).map_err(|_| {
            StoreError::new(
                StoreErrorKind::Other,
                "the record format writes octets that are no UTF-8 text, and a simple driver keeps \
                 text; choose `Envelope`",
            )
        })?;
        self.driver.write(id, &text, encoded.expiry).await?;
        Ok(revision(&text))
    }
}

impl Shared {
    fn new(format: Arc<dyn RecordFormat>) -> Self {
        Self {
            format,
            turns: (0..TURNS).map(|_| Turns::default()).collect(),
            hasher: RandomState::new(),
        }
    }

    /// Waits for one's turn at the session of this id.
    async fn turn(&self, id: &str) -> MutexGuard<'_, ()> {
        self.turns(id).turn.lock().await
    }

    fn turns(&self, id: &str) -> &Turns {
        &self.turns[self.hasher.hash_one(id) as usize % TURNS]
    }
}

/// The revision of a text is the text itself, in short: each commit leaves its id in it, so none
/// comes back.
fn revision(text: &str) -> Revision {
    let digest = Sha256::digest(text);
    Revision::text(digest[..16].iter().map(|octet| format!("{octet:02x}")).collect::<String>())
}

impl<D: SimpleDriver> Store for SimpleStore<D> {
    async fn load(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        self.admitted(&id(key), key, now).await
    }

    async fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> StoreResult<Created> {
        let id = id(key);
        let _turn = self.shared.turn(&id).await;
        if let Some(there) = self.read(&id).await?.filter(|there| there.is_alive(now)) {
            let commit = record.commits.first();
            let repeated =
                commit.is_some_and(|(id, _)| there.commits.iter().any(|(known, _)| known == id));
            return Ok(if repeated { Created::Created } else { Created::Collision });
        }
        self.write(&id, record).await?;
        Ok(Created::Created)
    }

    async fn swap(
        &self,
        key: &StoreKey,
        expected: &Revision,
        new: &Record,
        now: Timestamp,
    ) -> StoreResult<Swap> {
        let id = id(key);
        let _turn = self.shared.turn(&id).await;
        match self.admitted(&id, key, now).await? {
            None => Ok(Swap::Gone),
            Some(there) if there.revision != *expected => Ok(Swap::Conflict),
            Some(_) => self.write(&id, new).await.map(Swap::Done),
        }
    }

    async fn delete(&self, key: &StoreKey, now: Timestamp) -> StoreResult<bool> {
        let id = id(key);
        let _turn = self.shared.turn(&id).await;
        let deletes = match self.read(&id).await {
            Ok(found) => found.is_some_and(|record| record.admits_delete(key, now)),
            // What cannot be read is of no use to anybody; what a newer version wrote may be.
            Err(error) if error.kind() == StoreErrorKind::Corrupt => true,
            Err(error) if error.kind() == StoreErrorKind::UnknownVersion => {
                if key.proof().is_some() {
                    return Err(error);
                }
                true
            }
            Err(error) => return Err(error),
        };
        if deletes {
            self.driver.destroy(&id).await?;
        }
        Ok(deletes)
    }

    /// Nothing: a driver cannot list what it has.
    async fn sweep(&self, _limit: u32, _now: Timestamp) -> StoreResult<u32> {
        Ok(0)
    }

    /// On the newest record, in turn; the application's closures run before and after. What the
    /// request saw is good for their first run, and decides nothing else.
    async fn apply(&self, key: &StoreKey, patch: &Patch, now: Timestamp) -> StoreResult<Applied> {
        let id = id(key);
        let mut steps = patch.base().and_then(|base| patch.steps(&base.data).ok());
        let mut entrance = Some(self.shared.turns(&id).entrance.lock().await);
        loop {
            let data = match self.apply_in_turn(&id, key, patch, steps.as_ref(), now).await? {
                Ok(applied) => return Ok(applied),
                Err(data) => data,
            };
            entrance.take();
            let ran = match steps.take() {
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
        let id = id(key);
        let _turn = self.shared.turn(&id).await;
        let Some(mut record) = self.admitted(&id, key, now).await? else { return Ok(false) };
        record.idle_deadline = record.touched(until, now);
        record.last_seen = record.last_seen.max(now);
        match self.shared.format.touch_mode() {
            TouchMode::Rewrite => self.write(&id, &record).await.map(drop)?,
            TouchMode::ExpiryOnly => self.driver.touch(&id, record.deadline()).await?,
            TouchMode::Never => {}
        }
        Ok(true)
    }

    fn inspect(&self) -> Option<&impl Inspect> {
        Some(self)
    }
}

impl<D: SimpleDriver> Inspect for SimpleStore<D> {
    async fn record(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        Ok(self.read(&id(key)).await?.filter(|record| record.is_alive(now)))
    }
}

impl<D> fmt::Debug for SimpleStore<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimpleStore").field("format", &self.shared.format).finish_non_exhaustive()
    }
}
