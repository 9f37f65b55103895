//! The operations of the contract.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::try_join_all;
use redis::Value;
use redis::aio::ConnectionLike;
use tenure_core::store::{
    Applied, Created, Epoch, Patch, ProofChange, Record, Rejected, Revision, Store, StoreKey,
    StoreResult, Swap, UserIndex, Verdict,
};
use tenure_core::{Random, SystemRandom, Timestamp};
use tokio::sync::Mutex;

use crate::RedisOptions;
use crate::apply::{Answer, add_patch, add_steps, deadline, optional_text, unreadable};
use crate::connection::{Call, Connection};
use crate::error::{other, unexpected};
use crate::hash;
use crate::keys::{Bucket, Prefix, name};
use crate::script::{self, Script};

/// Sessions of one bucket that are swept at once, so that no other command waits long.
const BATCH: u32 = 100;

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
    pub(crate) prefix: Prefix,
    warnings: Vec<String>,
    revisions: AtomicU64,
    /// One for the sessions of each bucket: held by a commit that has to try again, so that 1,000
    /// closures over one value take 1,000 turns and not a million.
    turns: Box<[Mutex<()>]>,
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
    /// broken.
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

    /// What the operator should know of how the server is set up.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.inner.warnings
    }

    pub(crate) fn new(
        connection: Connection,
        prefix: Prefix,
        warnings: Vec<String>,
    ) -> StoreResult<Self> {
        let mut start = [0; 8];
        SystemRandom
            .fill(&mut start)
            .map_err(|error| other(format!("revisions cannot be made: {error}")))?;
        let revisions = AtomicU64::new(u64::from_be_bytes(start));
        let turns = Bucket::all().map(|_| Mutex::default()).collect();
        Ok(Self { inner: Arc::new(Inner { connection, prefix, warnings, revisions, turns }) })
    }

    /// The live record under `key`, whatever the proof.
    pub(crate) async fn find(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        let answer = self.inner.connection.run(self.inner.call(&script::LOAD, key, now)).await?;
        Ok(hash::record(answer)?.filter(|record| record.is_alive(now)))
    }

    /// Runs to its end even if the caller goes away: what consists of several commands.
    pub(crate) async fn settled<T: Send + 'static>(
        work: impl Future<Output = StoreResult<T>> + Send + 'static,
    ) -> StoreResult<T> {
        tokio::spawn(work).await.map_err(|error| other(format!("a task of the store: {error}")))?
    }

    /// Commits once. What is left to be done for the index is done, too.
    async fn commit(
        &self,
        key: &StoreKey,
        call: Call,
        binds: bool,
        now: Timestamp,
    ) -> StoreResult<Answer> {
        let answer = Answer::read(self.inner.connection.run(call).await?)?;
        match &answer {
            Answer::Done { listed, unlisted, .. } => {
                if let Some(user) = unlisted {
                    self.inner.unlist(key, user).await;
                }
                if let Some((user, until)) = listed {
                    let listing = self.inner.list(key, user, *until, now).await;
                    // A session that was listed before is listed again at its next touch.
                    if binds {
                        listing?;
                    }
                }
            }
            Answer::Already(record) if binds => {
                if let Some(user) = &record.user {
                    self.inner.list(key, user.as_str(), record.absolute_deadline, now).await?;
                }
            }
            _ => {}
        }
        Ok(answer)
    }
}

impl Store for RedisStore {
    async fn load(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        if is_administrative(key) {
            return Ok(None);
        }
        Ok(self.find(key, now).await?.filter(|record| record.admits(key, now)))
    }

    async fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> StoreResult<Created> {
        let commit = record.commits.first().map_or(&[][..], |(id, _)| id.as_bytes());
        let call = self.inner.call(&script::CREATE, key, now).arg(commit);
        let call = self.inner.written(call, key, record, self.inner.next_revision(), now)?;
        let Some(user) = record.user.clone() else {
            return created(self.inner.connection.run(call).await?);
        };
        let (store, key, until) = (self.clone(), key.clone(), record.absolute_deadline);
        Self::settled(async move {
            let created = created(store.inner.connection.run(call).await?)?;
            if created == Created::Created {
                store.inner.list(&key, user.as_str(), until, now).await?;
            }
            Ok(created)
        })
        .await
    }

    async fn swap(
        &self,
        key: &StoreKey,
        expected: &Revision,
        new: &Record,
        now: Timestamp,
    ) -> StoreResult<Swap> {
        if is_administrative(key) {
            return Ok(Swap::Gone);
        }
        let revision = self.inner.next_revision();
        // No record has an empty revision.
        let expected = expected.as_number().map(u64::to_be_bytes);
        let call = self
            .inner
            .call(&script::SWAP, key, now)
            .arg(proof(key))
            .arg(expected.as_ref().map_or(&[][..], |octets| octets))
            .arg(revision.to_be_bytes());
        let call = self.inner.written(call, key, new, revision, now)?;
        let (store, key) = (self.clone(), key.clone());
        let (user, until) = (new.user.clone(), new.absolute_deadline);
        Self::settled(async move {
            let mut list = match store.inner.connection.run(call).await? {
                Value::Int(0) => return Ok(Swap::Gone),
                Value::Int(2) => return Ok(Swap::Conflict),
                Value::Int(why) => return Err(unreadable(why)),
                Value::Array(list) => list.into_iter().skip(1),
                _ => return Err(unexpected()),
            };
            let before = optional_text(list.next().unwrap_or_default())?;
            let user = user.as_ref().map(|user| user.as_str());
            if let Some(before) = before.as_deref().filter(|before| Some(*before) != user) {
                store.inner.unlist(&key, before).await;
            }
            if let Some(user) = user.filter(|user| Some(*user) != before.as_deref()) {
                store.inner.list(&key, user, until, now).await?;
            }
            Ok(Swap::Done(Revision::number(revision)))
        })
        .await
    }

    async fn delete(&self, key: &StoreKey, now: Timestamp) -> StoreResult<bool> {
        match self.inner.delete(key, "", now).await? {
            None => Ok(false),
            Some(user) => {
                if let Some(user) = user {
                    self.inner.unlist(key, &user).await;
                }
                Ok(true)
            }
        }
    }

    async fn sweep(&self, limit: u32, now: Timestamp) -> StoreResult<u32> {
        let mut swept = 0;
        while swept < limit {
            let mut rest = limit - swept;
            let due = try_join_all(
                Bucket::all().map(|bucket| self.inner.due(bucket, rest.min(BATCH), now)),
            )
            .await?;
            let mut calls = Vec::new();
            for (bucket, mut names) in Bucket::all().zip(due) {
                names.truncate(rest.try_into().unwrap_or(usize::MAX));
                rest -= u32::try_from(names.len()).unwrap_or(rest);
                if !names.is_empty() {
                    calls.push(self.inner.sweeping(bucket, &names, now));
                }
            }
            if calls.is_empty() {
                break;
            }
            for answer in
                try_join_all(calls.into_iter().map(|call| self.inner.connection.run(call))).await?
            {
                let Value::Int(number) = answer else { return Err(unexpected()) };
                swept += u32::try_from(number).unwrap_or(0);
            }
        }
        Ok(swept)
    }

    /// By one script that merges the steps into whatever the session is. Only a closure's value that
    /// has changed meanwhile, or a number that the server cannot add, takes another round; the
    /// application's closures run here, between the rounds.
    async fn apply(&self, key: &StoreKey, patch: &Patch, now: Timestamp) -> StoreResult<Applied> {
        if is_administrative(key) {
            return Ok(Applied::Gone);
        }
        let mut seen = patch.base().cloned();
        let mut steps = seen.as_ref().and_then(|seen| patch.steps(&seen.data).ok());
        let binds = patch.user().is_some();
        let mut turn = None;
        loop {
            let call = match (&seen, &steps) {
                (Some(seen), Some(steps)) => {
                    let mut call = self.inner.committing(key, patch, now)?;
                    add_steps(&mut call, steps, seen)?.then_some(call)
                }
                _ => None,
            };
            let newest = match call {
                None => match self.newest(key, patch, now).await? {
                    Ok(record) => record,
                    Err(applied) => return Ok(applied),
                },
                Some(call) => {
                    let answer = if binds {
                        let (store, key) = (self.clone(), key.clone());
                        Self::settled(async move { store.commit(&key, call, true, now).await })
                            .await?
                    } else {
                        self.commit(key, call, false, now).await?
                    };
                    match answer {
                        Answer::Gone => return Ok(Applied::Gone),
                        Answer::Done { record, .. } => return Ok(Applied::Done(record)),
                        Answer::Already(record) => return Ok(Applied::Done(Some(record))),
                        Answer::Stale(newest) => {
                            if turn.is_none() {
                                turn = Some(self.inner.turns[Bucket::of(key).index()].lock().await);
                            }
                            newest
                        }
                    }
                }
            };
            let ran = match steps.take() {
                Some(mut ran) => ran.rebase(&newest.data).map(|()| ran),
                None => patch.steps(&newest.data),
            };
            let ran = match ran {
                Ok(ran) => ran,
                Err(refused) => return Ok(Applied::Refused(refused)),
            };
            if let Verdict::Rejected(Rejected::Refused(refused)) =
                newest.commit(key, patch, &ran, now)
            {
                return Ok(Applied::Refused(refused));
            }
            (seen, steps) = (Some(*newest), Some(ran));
        }
    }

    async fn touch(&self, key: &StoreKey, until: Timestamp, now: Timestamp) -> StoreResult<bool> {
        if is_administrative(key) {
            return Ok(false);
        }
        let call = self
            .inner
            .call(&script::TOUCH, key, now)
            .arg(proof(key))
            .number(until.as_millis())
            .arg(self.inner.next_revision().to_be_bytes());
        let mut list = match self.inner.connection.run(call).await? {
            Value::Int(0) => return Ok(false),
            Value::Int(why) => return Err(unreadable(why)),
            Value::Array(list) => list.into_iter().skip(1),
            _ => return Err(unexpected()),
        };
        let mut next = || list.next().unwrap_or_default();
        if let Some(user) = optional_text(next())? {
            // Heals what the index has lost; if that fails, the next touch does it.
            let _ = self.inner.list(key, &user, deadline(next())?, now).await;
        }
        Ok(true)
    }

    /// Ends the store's connection. One of the application's own stays as it is, but this store and
    /// its clones use it no more.
    async fn close(&self) {
        self.inner.connection.close();
    }

    fn users(&self) -> Option<&impl UserIndex> {
        Some(self)
    }

    fn epoch(&self) -> Option<&impl Epoch> {
        Some(self)
    }
}

impl RedisStore {
    /// The newest record, for a patch that can go on; else what becomes of it.
    async fn newest(
        &self,
        key: &StoreKey,
        patch: &Patch,
        now: Timestamp,
    ) -> StoreResult<Result<Box<Record>, Applied>> {
        let Some(record) = self.find(key, now).await? else { return Ok(Err(Applied::Gone)) };
        Ok(match record.answered(key, patch, now) {
            None => Ok(Box::new(record)),
            Some(Verdict::AlreadyDone) => Err(Applied::Done(Some(Box::new(record)))),
            Some(_) => Err(Applied::Gone),
        })
    }
}

impl Inner {
    /// A revision that no other record of this store has, or ever had: they count up from a place
    /// that chance has chosen for this process.
    pub(crate) fn next_revision(&self) -> u64 {
        self.revisions.fetch_add(1, Ordering::Relaxed)
    }

    /// The call of a script about one session.
    pub(crate) fn call(&self, script: &'static Script, key: &StoreKey, now: Timestamp) -> Call {
        let bucket = Bucket::of(key);
        let keys = [
            self.prefix.session(bucket, &name(key)),
            self.prefix.epochs(bucket),
            self.prefix.schedule(bucket),
        ];
        Call::new(script, &keys).number(now.as_millis()).arg(key.namespace().as_str())
    }

    fn committing(&self, key: &StoreKey, patch: &Patch, now: Timestamp) -> StoreResult<Call> {
        let wants_record = matches!(patch.proof(), Some(ProofChange::Prepare(_)));
        let mut call = self
            .call(&script::APPLY, key, now)
            .arg(proof(key))
            .arg(patch.id().as_bytes())
            .arg(self.next_revision().to_be_bytes())
            .arg(name(key))
            .arg(if wants_record { "1" } else { "" });
        add_patch(&mut call, patch, now)?;
        Ok(call)
    }

    /// Adds a whole record.
    fn written(
        &self,
        mut call: Call,
        key: &StoreKey,
        record: &Record,
        revision: u64,
        now: Timestamp,
    ) -> StoreResult<Call> {
        let lifetime = record.absolute_deadline.since(now).as_millis();
        call = call
            .number(record.deadline().as_millis())
            .arg(lifetime.to_string())
            .arg(name(key))
            .arg(record.user.as_ref().map_or("", |user| user.as_str()));
        for part in hash::fields(record, revision)? {
            call.push(part);
        }
        Ok(call)
    }

    /// Deletes the session, of this user if one is named. Gives whose it was, if it was there.
    pub(crate) async fn delete(
        &self,
        key: &StoreKey,
        user: &str,
        now: Timestamp,
    ) -> StoreResult<Option<Option<String>>> {
        let call = self.call(&script::DELETE, key, now).arg(proof(key)).arg(name(key)).arg(user);
        match self.connection.run(call).await? {
            Value::Int(0) => Ok(None),
            Value::Array(list) => {
                optional_text(list.into_iter().nth(1).unwrap_or_default()).map(Some)
            }
            _ => Err(unexpected()),
        }
    }

    /// Names of sessions in a bucket that may have expired.
    async fn due(&self, bucket: Bucket, limit: u32, now: Timestamp) -> StoreResult<Vec<Vec<u8>>> {
        let mut command = redis::cmd("ZRANGEBYSCORE");
        command
            .arg(self.prefix.schedule(bucket))
            .arg(0)
            .arg(now.as_millis())
            .arg("LIMIT")
            .arg(0)
            .arg(limit);
        names(self.connection.ask(&command).await?)
    }

    fn sweeping(&self, bucket: Bucket, names: &[Vec<u8>], now: Timestamp) -> Call {
        let mut keys = vec![self.prefix.schedule(bucket)];
        keys.extend(
            names.iter().map(|name| self.prefix.session(bucket, &String::from_utf8_lossy(name))),
        );
        let mut call = Call::new(&script::SWEEP, &keys).number(now.as_millis());
        names.iter().for_each(|name| call.push(name));
        call
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

/// The members of a set as the server lists them.
pub(crate) fn names(answer: Value) -> StoreResult<Vec<Vec<u8>>> {
    match answer {
        Value::Array(list) => list.into_iter().map(hash::octets).collect(),
        _ => Err(unexpected()),
    }
}

fn created(answer: Value) -> StoreResult<Created> {
    match answer {
        Value::Int(1) => Ok(Created::Created),
        Value::Int(0) => Ok(Created::Collision),
        Value::Int(why) => Err(unreadable(why)),
        _ => Err(unexpected()),
    }
}

/// Whether the key was made for administration: it deletes and nothing else.
fn is_administrative(key: &StoreKey) -> bool {
    key.handle().is_some() && key.proof().is_none()
}

fn proof(key: &StoreKey) -> &[u8] {
    key.proof().map_or(&[], |proof| proof.as_bytes())
}
