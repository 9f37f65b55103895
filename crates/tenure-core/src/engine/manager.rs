use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use super::config::Settings;
use super::counters::Counters;
use super::limit::within;
use super::meter::Stopwatch;
use super::queue::{Queue, Turn};
use super::settled::Settled;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::format::{KeyScheme, TokenContext, TokenScheme};
use crate::id::{CommitIds, Namespace, Token};
use crate::store::client::Sealer;
use crate::store::{AnyStore, Patch, Record, Store, StoreError, StoreErrorKind, StoreKey};
use crate::transform::TransformContext;
use crate::transport::Transports;

/// What proves the right to a session.
pub(crate) struct Credential {
    pub(crate) token: Token,
    /// The session itself, where the client keeps it.
    pub(crate) record: Option<Box<Record>>,
}

/// The ids of the commits of one manager.
pub(super) fn commit_ids(settings: &Settings) -> Result<CommitIds> {
    CommitIds::new(settings.random.as_ref()).map_err(|error| {
        Error::new(ErrorKind::Unavailable, "configuration", "no random numbers").with_source(error)
    })
}

/// What changes is shared by clones.
#[derive(Clone)]
pub(crate) struct Manager {
    pub(crate) store: AnyStore,
    pub(crate) transports: Transports,
    pub(crate) namespace: Namespace,
    pub(crate) scheme: Arc<dyn TokenScheme>,
    pub(crate) keys: Arc<dyn KeyScheme>,
    /// Where the clients keep their sessions: how these travel.
    pub(crate) sealer: Option<Arc<Sealer>>,
    pub(crate) settings: Settings,
    pub(super) queue: Queue,
    pub(super) settled: Settled,
    pub(crate) counters: Arc<Counters>,
    pub(crate) commit_ids: Arc<CommitIds>,
}

impl Manager {
    pub(super) fn new(
        store: AnyStore,
        transports: Transports,
        namespace: Namespace,
        scheme: Arc<dyn TokenScheme>,
        keys: Arc<dyn KeyScheme>,
        sealer: Option<Sealer>,
        settings: Settings,
    ) -> Result<Self> {
        let commit_ids = commit_ids(&settings)?;
        super::meter::describe();
        let counters = Counters::new(&namespace);
        Ok(Self {
            store,
            transports,
            namespace,
            scheme,
            keys,
            sealer: sealer.map(Arc::new),
            settings,
            queue: Queue::new(),
            settled: Settled::new(),
            counters: Arc::new(counters),
            commit_ids: Arc::new(commit_ids),
        })
    }

    pub(crate) fn token_context<'a>(
        &'a self,
        name: &'a str,
        request: Option<&'a http::request::Parts>,
    ) -> TokenContext<'a> {
        let mut context = TokenContext::new(name, self.settings.random.as_ref());
        context.request = request;
        context
    }

    /// The credential that `text` is, or none, whatever is wrong with it.
    pub(crate) fn read(&self, text: &str, cx: &TokenContext<'_>) -> Option<Credential> {
        match &self.sealer {
            None => Some(Credential { token: self.scheme.parse(text, cx)?, record: None }),
            Some(sealer) => {
                let cx = TransformContext::new(cx.name, sealer.purpose(), cx.random);
                let (token, record) = sealer.read(text, &cx)?;
                Some(Credential { token, record: Some(Box::new(record)) })
            }
        }
    }

    /// Whether what a request does with its session takes no time but its own.
    pub(super) fn answers_at_once(&self) -> bool {
        match &self.sealer {
            None => self.store.is_volatile(),
            Some(sealer) => sealer.revocations.as_ref().is_none_or(|store| store.is_volatile()),
        }
    }

    pub(crate) fn key(&self, token: &Token) -> StoreKey {
        self.keys.key(&self.namespace, token)
    }

    /// Runs a store call that begins `now` within the time limit, once more if the first answer was
    /// an error that a retry may mend. `attempt` learns the time, and whether it is the second.
    pub(super) async fn call<T, F>(
        &self,
        operation: &'static str,
        now: Timestamp,
        mut attempt: impl FnMut(Timestamp, bool) -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let (clock, limit) = (self.settings.clock.as_ref(), self.settings.store_timeout);
        let (mut began, mut left) = (now, limit);
        for again in [false, true] {
            let work = pin!(attempt(began, again));
            let watch = Stopwatch::start();
            let answer = within(clock, left, work).await;
            watch.stop(operation, &self.namespace);
            match answer {
                Some(Ok(done)) => return Ok(done),
                Some(Err(error)) if again || !error.is_retryable() => {
                    return Err(error.during(operation));
                }
                Some(Err(_)) => {
                    began = clock.now();
                    left = limit.saturating_sub(began.since(now));
                }
                None => break,
            }
        }
        let late = format!("no answer within {limit:?} (`store_timeout`)");
        Err(StoreError::new(StoreErrorKind::Timeout, late).during(operation))
    }

    /// Whether the store needs no turns, to commit `patch` or to delete a session.
    pub(super) fn settles_by_itself(&self, patch: Option<&Patch>) -> bool {
        let merges =
            self.store.merges_in_place() && patch.is_none_or(|patch| !patch.has_closures());
        merges || self.store.is_volatile() || self.sealer.is_some()
    }

    /// Deletes a session, and tells whether this did it.
    pub(super) async fn delete(
        &self,
        operation: &'static str,
        store: &AnyStore,
        key: &StoreKey,
        now: Timestamp,
    ) -> Result<bool> {
        self.call(operation, now, |now, again| async move {
            let (_turn, now) = self.turn(key, now).await;
            // The first attempt may have done it and lost the answer.
            Ok(store.delete(key, now).await? || again)
        })
        .await
    }

    /// Waits for one's turn to delete a session, if the store needs that, and tells the time at
    /// which it came.
    async fn turn(&self, key: &StoreKey, now: Timestamp) -> (Option<Turn<'_>>, Timestamp) {
        if self.settles_by_itself(None) {
            return (None, now);
        }
        let (turn, waited) = self.queue.turn(key).await;
        (Some(turn), if waited { self.settings.clock.now() } else { now })
    }
}
