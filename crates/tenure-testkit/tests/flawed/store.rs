//! A store of the simplest kind, right or wrong in one way.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tenure_core::store::{
    Applied, Client, Created, FORMER_GRACE, Inspect, Listed, Patch, ProofChange, Record, Rejected,
    Revision, Store, StoreKey, StoreResult, Swap, UserIndex, Verdict,
};
use tenure_core::value::Data;
use tenure_core::{Namespace, Timestamp, UserId};

/// What is wrong with the store.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Flaw {
    None,
    CreateOverwrites,
    CreateForgetsRepeats,
    ExpiredDataStays,
    ApplyRevives,
    TouchRevives,
    RevisionsComeBack,
    ProofIsNotAsked,
    CommitIdsAreForgotten,
    EightCommitIdsAreKept,
    SettlingForgetsAll,
    StepsComeFirst,
    SeenRecordDecides,
    SwapIgnoresRevision,
    UserIsForgotten,
    ClientIsForgotten,
    LastWriterWins,
    RefusalIsPartial,
    UpdateIsBlind,
    DeadlineIsAlive,
    ReadDeletesExpired,
    TouchMovesBack,
    TouchPassesAbsolute,
    TouchOverwrites,
    FormerProofWorks,
    FormerProofDeletesForever,
    PendingIsReplaced,
    KeysAreFolded,
    NumbersAreRounded,
    EmptyListsAreObjects,
    SweepTakesTheLiving,
    SweepIgnoresLimit,
    SweepMiscounts,
    IndexIsNotChecked,
    InspectionAsksTheProof,
    InspectionIsOld,
    RevokeForgetsOne,
    DropTears,
    NamespacesAreOne,
    NamesRunTogether,
}

type Key = (String, Vec<u8>, bool);

/// Sessions in a map, every call under its lock.
pub(crate) struct Flawed {
    flaw: Flaw,
    sessions: Mutex<BTreeMap<Key, Record>>,
    /// Every session that a user ever had.
    index: Mutex<Vec<(UserId, StoreKey)>>,
    /// What was shown once.
    shown: Mutex<BTreeMap<Key, Record>>,
    revisions: AtomicU64,
}

impl Flawed {
    pub(crate) fn new(flaw: Flaw) -> Self {
        Self {
            flaw,
            sessions: Mutex::default(),
            index: Mutex::default(),
            shown: Mutex::default(),
            revisions: 1.into(),
        }
    }

    fn is(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    fn sessions(&self) -> MutexGuard<'_, BTreeMap<Key, Record>> {
        self.sessions.lock().unwrap()
    }

    fn key(&self, key: &StoreKey) -> Key {
        let namespace = if self.is(Flaw::NamespacesAreOne) { "" } else { key.namespace().as_str() };
        if self.is(Flaw::NamesRunTogether) {
            let name = [namespace.as_bytes(), key.name().as_bytes()].concat();
            return (String::new(), name, key.handle().is_some());
        }
        (namespace.to_owned(), key.name().as_bytes().to_vec(), key.handle().is_some())
    }

    fn is_alive(&self, record: &Record, now: Timestamp) -> bool {
        record.is_alive(now) || self.is(Flaw::DeadlineIsAlive) && record.deadline() == now
    }

    fn admits(&self, record: &Record, key: &StoreKey, now: Timestamp) -> bool {
        let former = || record.proofs.former.map(|former| former.proof);
        record.admits(key, now)
            || self.is(Flaw::ProofIsNotAsked) && record.is_alive(now)
            || self.is(Flaw::FormerProofWorks)
                && record.is_alive(now)
                && key.proof().is_some_and(|proof| former() == Some(*proof))
            || self.is(Flaw::DeadlineIsAlive) && record.deadline() == now
    }

    /// What is written in place of `record`.
    fn stored(&self, key: &StoreKey, record: &Record) -> Record {
        let mut record = record.clone();
        record.revision = Revision::number(match self.is(Flaw::RevisionsComeBack) {
            true => record.revision.as_number().unwrap_or_default() + 1,
            false => self.revisions.fetch_add(1, Ordering::Relaxed),
        });
        let text = |text: &str| match text {
            "[]" if self.is(Flaw::EmptyListsAreObjects) => "{}".to_owned(),
            text if self.is(Flaw::NumbersAreRounded) => match text.parse::<f64>() {
                Ok(number) if number.abs() > 1e15 => format!("{number}"),
                _ => text.to_owned(),
            },
            text => text.to_owned(),
        };
        let name = |name: &str| match self.is(Flaw::KeysAreFolded) {
            true => name.trim_end().to_lowercase(),
            false => name.to_owned(),
        };
        record.data =
            record.data.iter().map(|(key, value)| (name(key), text(value))).collect::<Data>();
        if let Some(user) = &record.user {
            self.index.lock().unwrap().push((user.clone(), unproven(key)));
        }
        match self.flaw {
            Flaw::CommitIdsAreForgotten => record.commits.clear(),
            Flaw::EightCommitIdsAreKept => {
                drop(record.commits.drain(..record.commits.len().saturating_sub(8)));
            }
            Flaw::UserIsForgotten => record.user = None,
            Flaw::ClientIsForgotten => record.client = Client::default(),
            _ => {}
        }
        record
    }
}

fn unproven(key: &StoreKey) -> StoreKey {
    StoreKey::named(key.namespace().clone(), key.name().clone())
}

impl Store for Flawed {
    async fn load(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        let mut sessions = self.sessions();
        let found = sessions.get(&self.key(key)).cloned();
        if self.is(Flaw::ReadDeletesExpired) && found.as_ref().is_some_and(|r| !r.is_alive(now)) {
            sessions.remove(&self.key(key));
        }
        Ok(found.filter(|record| self.admits(record, key, now)))
    }

    async fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> StoreResult<Created> {
        let mut sessions = self.sessions();
        if let Some(there) = sessions.get(&self.key(key))
            && self.is_alive(there, now)
            && !self.is(Flaw::CreateOverwrites)
        {
            let repeated = record.commits.iter().any(|commit| there.commits.contains(commit));
            let known = repeated && !self.is(Flaw::CreateForgetsRepeats);
            return Ok(if known { Created::Created } else { Created::Collision });
        }
        let mut stored = self.stored(key, record);
        stored.commits = record.commits.clone();
        if let Some(expired) = sessions.get(&self.key(key))
            && self.is(Flaw::ExpiredDataStays)
        {
            stored.data = expired.data.iter().chain(stored.data.iter()).collect();
        }
        sessions.insert(self.key(key), stored);
        Ok(Created::Created)
    }

    async fn swap(
        &self,
        key: &StoreKey,
        expected: &Revision,
        new: &Record,
        now: Timestamp,
    ) -> StoreResult<Swap> {
        let mut sessions = self.sessions();
        match sessions.get_mut(&self.key(key)).filter(|record| self.admits(record, key, now)) {
            None => Ok(Swap::Gone),
            Some(record) if record.revision != *expected && !self.is(Flaw::SwapIgnoresRevision) => {
                Ok(Swap::Conflict)
            }
            Some(record) => {
                *record = self.stored(key, new);
                Ok(Swap::Done(record.revision.clone()))
            }
        }
    }

    async fn delete(&self, key: &StoreKey, now: Timestamp) -> StoreResult<bool> {
        let mut sessions = self.sessions();
        let found = sessions.get(&self.key(key));
        let admits = found.is_some_and(|record| {
            let former = record.proofs.former.map(|former| former.proof);
            record.admits_delete(key, now)
                || self.is(Flaw::FormerProofDeletesForever) && former.as_ref() == key.proof()
                || self.is(Flaw::ProofIsNotAsked) && record.is_alive(now)
                || self.is(Flaw::DeadlineIsAlive) && record.deadline() == now
        });
        if admits {
            sessions.remove(&self.key(key));
        }
        Ok(admits)
    }

    async fn sweep(&self, limit: u32, now: Timestamp) -> StoreResult<u32> {
        let mut sessions = self.sessions();
        let mut swept = 0;
        let limit = if self.is(Flaw::SweepIgnoresLimit) { u32::MAX } else { limit };
        let soon = now + Duration::from_millis(u64::from(self.is(Flaw::SweepTakesTheLiving)));
        sessions.retain(|_, record| {
            let stays = record.is_alive(soon) || swept == limit;
            swept += u32::from(!stays);
            stays
        });
        Ok(if self.is(Flaw::SweepMiscounts) { swept.min(1) } else { swept })
    }

    async fn apply(&self, key: &StoreKey, patch: &Patch, now: Timestamp) -> StoreResult<Applied> {
        let applied = self.try_apply(key, patch, now);
        if self.is(Flaw::DropTears) && matches!(applied, Applied::Done(Some(_))) {
            let whole = self.sessions().get(&self.key(key)).cloned();
            if let Some(whole) = whole {
                let mut torn = whole.clone();
                torn.idle_timeout = Duration::from_secs(7_200);
                self.sessions().insert(self.key(key), torn);
                tokio::task::yield_now().await;
                self.sessions().insert(self.key(key), whole);
            }
        }
        Ok(applied)
    }

    async fn touch(&self, key: &StoreKey, until: Timestamp, now: Timestamp) -> StoreResult<bool> {
        let seen = self.load(key, now).await?;
        if matches!(self.flaw, Flaw::TouchOverwrites | Flaw::TouchRevives) {
            tokio::task::yield_now().await;
        }
        let mut sessions = self.sessions();
        let there = sessions.get(&self.key(key)).filter(|record| self.admits(record, key, now));
        let newest = match self.flaw {
            Flaw::TouchRevives => seen,
            Flaw::TouchOverwrites if there.is_some() => seen,
            _ => there.cloned(),
        };
        let Some(mut record) = newest else { return Ok(false) };
        record.last_seen = record.last_seen.max(now);
        record.idle_deadline = match self.flaw {
            Flaw::TouchMovesBack => until.min(record.absolute_deadline),
            Flaw::TouchPassesAbsolute => until,
            _ => record.touched(until, now),
        };
        if self.is(Flaw::TouchPassesAbsolute) {
            record.absolute_deadline = record.absolute_deadline.max(until);
        }
        sessions.insert(self.key(key), self.stored(key, &record));
        Ok(true)
    }

    fn users(&self) -> Option<&impl UserIndex> {
        Some(self)
    }

    fn inspect(&self) -> Option<&impl Inspect> {
        Some(self)
    }
}

impl Inspect for Flawed {
    async fn record(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        if self.is(Flaw::InspectionAsksTheProof) {
            return self.load(key, now).await;
        }
        let mut found = self.sessions().get(&self.key(key)).cloned();
        if self.is(Flaw::InspectionIsOld) {
            let mut shown = self.shown.lock().unwrap();
            if let Some(now) = found {
                shown.entry(self.key(key)).or_insert(now);
            }
            found = shown.get(&self.key(key)).cloned();
        }
        Ok(found.filter(|record| self.is_alive(record, now)))
    }
}

impl Flawed {
    fn try_apply(&self, key: &StoreKey, patch: &Patch, now: Timestamp) -> Applied {
        let mut sessions = self.sessions();
        let base = patch.base().filter(|_| self.is(Flaw::LastWriterWins)).cloned();
        let revived = patch.base().filter(|_| self.is(Flaw::ApplyRevives)).cloned();
        let there = sessions.get(&self.key(key)).cloned();
        let there = there.map(|there| base.unwrap_or(there)).or(revived);
        let Some(mut record) = there else { return Applied::Gone };
        if self.is(Flaw::PendingIsReplaced)
            && matches!(patch.proof(), Some(ProofChange::Prepare(_)))
        {
            record.proofs.pending = None;
        }
        if self.admits(&record, key, now) && !record.admits(key, now) {
            // What is let in wrongly is let through.
            record.proofs.present = key.proof().copied();
            record.absolute_deadline = record.absolute_deadline.max(now + FORMER_GRACE);
            record.idle_deadline = record.idle_deadline.max(now + FORMER_GRACE);
        }
        if let Some(base) = patch.base()
            && self.is(Flaw::SeenRecordDecides)
            && !base.is_alive(now)
        {
            return Applied::Gone;
        }
        if self.is(Flaw::SettlingForgetsAll) && !patch.settled().is_empty() {
            record.commits.clear();
        }
        let answered = record.answered(key, patch, now);
        let verdict = match answered.filter(|_| !self.is(Flaw::StepsComeFirst)) {
            Some(verdict) => verdict,
            None => {
                let blind = patch.base().filter(|_| self.is(Flaw::UpdateIsBlind));
                match patch.steps(blind.map_or(&record.data, |base| &base.data)) {
                    Ok(steps) => match record.commit(key, patch, &steps, now) {
                        Verdict::Rejected(Rejected::Changed(_)) => {
                            let base = blind.expect("only then it saw something else");
                            let old = base.clone();
                            old.commit(key, patch, &steps, now)
                        }
                        verdict => verdict,
                    },
                    Err(refused) => Verdict::Rejected(Rejected::Refused(refused)),
                }
            }
        };
        match verdict {
            Verdict::Done(next) => {
                let mut stored = self.stored(key, &next);
                if self.is(Flaw::LastWriterWins) {
                    stored.commits.clear();
                }
                sessions.insert(self.key(key), stored.clone());
                Applied::Done(Some(Box::new(stored)))
            }
            Verdict::AlreadyDone => Applied::Done(Some(Box::new(record))),
            Verdict::Rejected(Rejected::Refused(refused)) => {
                if self.is(Flaw::RefusalIsPartial) {
                    record.last_seen = now;
                    sessions.insert(self.key(key), self.stored(key, &record));
                }
                Applied::Refused(refused)
            }
            _ => Applied::Gone,
        }
    }
}

impl UserIndex for Flawed {
    async fn list(
        &self,
        namespace: &Namespace,
        user: &UserId,
        now: Timestamp,
    ) -> StoreResult<Vec<Listed>> {
        let sessions = self.sessions();
        let mut found: Vec<Listed> = Vec::new();
        for (name, key) in &*self.index.lock().unwrap() {
            let listed = found.iter().any(|listed| listed.key.same_session(key));
            if name != user || key.namespace() != namespace || listed {
                continue;
            }
            let Some(record) = sessions.get(&self.key(key)) else { continue };
            let theirs = record.user.as_ref() == Some(user) && self.is_alive(record, now);
            if theirs || self.is(Flaw::IndexIsNotChecked) {
                found.push(Listed::new(key.clone(), record.clone()));
            }
        }
        Ok(found)
    }

    async fn revoke(
        &self,
        namespace: &Namespace,
        user: &UserId,
        keep: Option<&StoreKey>,
        now: Timestamp,
    ) -> StoreResult<u32> {
        let spared = usize::from(self.is(Flaw::RevokeForgetsOne) && keep.is_none());
        let mut revoked = 0;
        for listed in self.list(namespace, user, now).await?.iter().skip(spared) {
            if !keep.is_some_and(|keep| keep.same_session(&listed.key)) {
                revoked += u32::from(self.delete(&listed.key, now).await?);
            }
        }
        Ok(revoked)
    }
}
