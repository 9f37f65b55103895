use std::sync::Arc;

use super::events::Event;
use super::outbox::Work;
use super::slot::{Reach, Slot};
use super::state::{Answer, Doomed, Fate, State, Target};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{CommitId, Handle, Token};
use crate::store::changes::{Call, Changes, Op};
use crate::store::{Applied, Created, Patch, ProofChange, Record, Store, StoreKey};

/// How often a new token is made when the store already has a session of that name.
const MINTINGS: u32 = 3;

impl Slot {
    /// Commits what was recorded so far. Dropped before its end it loses nothing: the next commit
    /// sends again, under the same id, what was not acknowledged.
    pub(crate) async fn commit(&self) -> Result<()> {
        let session = || self.state().target.as_ref()?.key.handle();
        let outcome = super::trace::committing(session, self.commit_silently()).await;
        outcome.inspect_err(|error| {
            // That is for the user alone.
            if error.kind() != ErrorKind::TooManySessions {
                self.manager.report(error);
            }
        })
    }

    async fn commit_silently(&self) -> Result<()> {
        if self.manager.sealer.is_some()
            && self.reach == Reach::Nobody
            && !self.state().journal.is_empty()
        {
            return Err(Error::new(
                ErrorKind::Misuse,
                "commit",
                "the client keeps this session, and the response that could carry it has been sent; \
                 write before, or keep the session in a store",
            ));
        }
        // What was written blindly must not reach a session past its locks.
        if self.manager.settings.save_uninitialized || self.is_locked() {
            // Boxed, so that the common case does not carry its size.
            Box::pin(self.load()).await?;
        }
        let _one_at_a_time = self.gate.lock().await;
        let now = self.manager.settings.clock.now();
        // What was not acknowledged comes first: the rest may build on its outcome.
        let mut folded = Ok(());
        for folds in [false, true] {
            if folds {
                self.fold_doomed();
                if self.manager.settings.quota.is_some() {
                    folded = Box::pin(self.check_quota()).await;
                }
                if folded.is_ok() {
                    folded = self.fold(now);
                }
            }
            // A logout is sent whatever becomes of the rest.
            self.send(now).await?;
        }
        if self.manager.settings.quota.is_some() {
            Box::pin(self.keep_quota(now)).await?;
        }
        folded.and_then(|()| self.pack())
    }

    /// Sends what is in the outbox, oldest first.
    async fn send(&self, now: Timestamp) -> Result<()> {
        loop {
            let Some(work) = self.state().outbox.front().cloned() else { return Ok(()) };
            match &*work {
                Work::Apply { key, patch, next, replace_gone } => {
                    self.apply(key, patch, next.as_ref(), *replace_gone, now).await?;
                }
                // The others are rarer and boxed, so that a change does not carry their size.
                Work::Create { token, key, record, logs_in } => {
                    Box::pin(self.create(token, key, record, *logs_in, now)).await?;
                }
                Work::Delete(doomed) => Box::pin(self.delete(doomed, now)).await?,
                Work::Touch { key, until } => Box::pin(self.touch(key, *until, now)).await?,
            }
        }
    }

    /// Takes the oldest commit off the outbox, since its outcome is known.
    fn acknowledge(&self, id: Option<CommitId>) {
        self.state().outbox.pop_front();
        if let Some(id) = id {
            self.manager.settled.add(id);
        }
    }

    async fn delete(&self, doomed: &Doomed, now: Timestamp) -> Result<()> {
        let Doomed { key, user, logs_out } = doomed;
        let deleted = self.manager.delete("destroy", self.store(), key, now).await?;
        self.acknowledge(None);
        if deleted {
            let mut state = self.state();
            if !matches!(state.answer, Answer::Issue(_)) {
                state.answer = Answer::Remove;
            }
            drop(state);
            let (session, user) = (key.handle(), user.as_ref());
            self.manager.emit(Event::Destroyed { session, user });
            if *logs_out {
                self.manager.emit(Event::LoggedOut { session, user });
            }
        }
        Ok(())
    }

    async fn create(
        &self,
        token: &Token,
        key: &StoreKey,
        record: &Record,
        logs_in: bool,
        now: Timestamp,
    ) -> Result<()> {
        let manager = &*self.manager;
        let (mut token, mut key, mut record) = (token.clone(), key.clone(), record.clone());
        for _ in 0..MINTINGS {
            let (sent, name) = (&record, &key);
            let created =
                manager.call("create", now, |now, _| self.store().create(name, sent, now)).await?;
            match created {
                Created::Created => {
                    self.acknowledge(record.commits.first().map(|(id, _)| *id));
                    let (session, user) = (key.handle(), record.user.clone());
                    self.born(token, key, record);
                    let user = user.as_ref();
                    manager.emit(Event::Created { session, user });
                    if let Some(user) = user.filter(|_| logs_in) {
                        manager.emit(Event::LoggedIn { session, user });
                    }
                    return Ok(());
                }
                Created::Collision => {
                    (token, key) = self.minted()?;
                    record.proofs.present = key.proof().copied();
                    let work = Work::Create {
                        token: token.clone(),
                        key: key.clone(),
                        record: record.clone(),
                        logs_in,
                    };
                    if let Some(front) = self.state().outbox.front_mut() {
                        *front = Arc::new(work);
                    }
                }
            }
        }
        self.acknowledge(None);
        Err(Error::new(
            ErrorKind::Unavailable,
            "create",
            "every new token names a session that exists: the source of random numbers repeats \
             itself",
        ))
    }

    fn born(&self, token: Token, key: StoreKey, record: Record) {
        let mut state = self.state();
        state.answer = Answer::Issue(token.clone());
        state.is_new = true;
        state.loaded = true;
        state.entered.clone_from(&record.user);
        let base = Some(Arc::new(record));
        state.journal.rebase(base.as_deref());
        state.target = Some(Target { token, key, base });
    }

    async fn apply(
        &self,
        key: &StoreKey,
        patch: &Patch,
        next: Option<&Token>,
        replace_gone: bool,
        now: Timestamp,
    ) -> Result<()> {
        let manager = &*self.manager;
        let applied = manager
            .call("commit", now, |now, _| manager.commit(self.store(), key, patch, now))
            .await?;
        match applied {
            Applied::Done(record) => {
                self.acknowledge(Some(patch.id()));
                let rotated = self.applied(patch, next, record.as_deref(), now);
                self.tell_applied(key.handle(), patch, record.as_deref(), rotated);
            }
            Applied::Gone if replace_gone => {
                let work = self.rebirth(patch, now)?;
                let mut state = self.state();
                state.outbox.pop_front();
                state.target = None;
                if let Some(work) = work {
                    state.outbox.push_front(Arc::new(work));
                }
            }
            Applied::Gone => {
                self.acknowledge(None);
                self.gone(key, patch);
            }
            Applied::Refused(refused) => {
                self.acknowledge(None);
                return Err(refused.into_error());
            }
        }
        Ok(())
    }

    /// Commits one closure at once, after what was recorded so far, and tells whether it took
    /// effect: not if it refuses the value that it meets, nor in a session that has ended. Where the
    /// answer to a commit is lost, its id tells whether it did.
    pub(crate) async fn decide(
        &self,
        operation: &'static str,
        name: &str,
        call: Call,
    ) -> Result<bool> {
        self.commit().await?;
        let _one_at_a_time = self.gate.lock().await;
        let manager = &*self.manager;
        let now = manager.settings.clock.now();
        let Some(target) = self.state().target.clone() else { return Ok(false) };
        let mut changes = Changes::default();
        changes.chain(name.into(), Op::Call(call))?;
        let patch = Patch::new(manager.commit_ids.next()).with_changes(changes);
        let patch = self.based(patch, &target);
        let commit = manager
            .call(operation, now, |now, _| manager.commit(self.store(), &target.key, &patch, now));
        let applied = super::trace::committing(|| target.key.handle(), commit)
            .await
            .inspect_err(|error| manager.report(error))?;
        match applied {
            Applied::Done(record) => {
                let rotated = self.applied(&patch, None, record.as_deref(), now);
                self.tell_applied(target.key.handle(), &patch, record.as_deref(), rotated);
                return Ok(true);
            }
            Applied::Gone => self.gone(&target.key, &patch),
            Applied::Refused(_) => {}
        }
        Ok(false)
    }

    /// Notes that the session has ended, or got another secret, meanwhile.
    fn gone(&self, key: &StoreKey, patch: &Patch) {
        let mut state = self.state();
        state.target = None;
        state.fate = Fate::Gone;
        drop(state);
        let user = patch.base().and_then(|base| base.user.as_ref());
        self.manager.emit(Event::Gone { session: key.handle(), user });
    }

    /// Tells what a commit changed.
    fn tell_applied(
        &self,
        session: Option<Handle>,
        patch: &Patch,
        record: Option<&Record>,
        rotated: bool,
    ) {
        let manager = &*self.manager;
        let bound = patch.user().map(|(user, _)| user);
        let user = match (record, bound) {
            (Some(record), _) => record.user.as_ref(),
            (None, Some(user)) => user,
            (None, None) => patch.base().and_then(|base| base.user.as_ref()),
        };
        manager.emit(Event::Committed { session, user });
        if record.is_some_and(|record| merged(patch, record)) {
            manager.emit(Event::Conflict { session, user });
        }
        if rotated {
            manager.emit(Event::Rotated { session, user });
        }
        if let Some(Some(user)) = bound {
            manager.emit(Event::LoggedIn { session, user });
        }
    }

    /// Notes what a commit changed, for the rest of the request and for the answer, and tells
    /// whether the client gets a new secret.
    fn applied(
        &self,
        patch: &Patch,
        next: Option<&Token>,
        record: Option<&Record>,
        now: Timestamp,
    ) -> bool {
        let manager = &*self.manager;
        let mut state = self.state();
        let state = &mut *state;
        let Some(target) = &mut state.target else { return false };
        let mut rotated = false;
        if let Some((Some(user), _)) = patch.user() {
            state.entered = Some(user.clone());
        }
        // After the last commit of a request that is sealed only the journal is read, which sees what
        // was written; and the cookie of a session that is remembered goes by the record's dates.
        let goes_on = !state.sealed
            || !state.outbox.is_empty()
            || !state.journal.is_empty()
            || patch.idle_timeout().is_some()
            || patch.absolute_deadline().is_some();
        let base = if goes_on && record.is_none() {
            // As far as this request can tell, where the store does not say.
            patch.base().and_then(|base| base.after(&target.key, patch, now)).map(|record| *record)
        } else {
            record.filter(|_| goes_on).cloned()
        };
        match (patch.proof(), next) {
            (Some(ProofChange::Replace(_)), Some(next)) => {
                target.token = next.clone();
                target.key = manager.key(next);
                state.answer = Answer::Issue(next.clone());
                state.is_new = true;
                rotated = true;
            }
            (Some(ProofChange::Prepare(proof)), Some(next)) => {
                let ours = record
                    .and_then(|record| record.proofs.pending)
                    .is_some_and(|pending| pending.proof == *proof);
                if ours {
                    state.answer = Answer::Issue(next.clone());
                    rotated = true;
                }
            }
            _ => {}
        }
        if let Some(base) = base {
            target.base = Some(Arc::new(base));
            state.journal.rebase(target.base.as_deref());
        }
        self.redate(state, now);
        rotated
    }

    async fn touch(&self, key: &StoreKey, until: Timestamp, now: Timestamp) -> Result<()> {
        let manager = &*self.manager;
        let touched =
            manager.call("touch", now, |now, _| self.store().touch(key, until, now)).await?;
        self.acknowledge(None);
        self.extended(touched);
        if touched {
            let base = self.state().base().cloned();
            let user = base.as_ref().and_then(|base| base.user.as_ref());
            manager.emit(Event::Touched { session: key.handle(), user });
        }
        Ok(())
    }

    /// A cookie with a date is sent again whenever the session's deadline moved.
    pub(super) fn extended(&self, touched: bool) {
        let mut state = self.state();
        let state = &mut *state;
        if touched {
            self.redate(state, self.manager.settings.clock.now());
        }
    }

    /// Sends a cookie with a date again, since the date has moved.
    fn redate(&self, state: &mut State, now: Timestamp) {
        if !matches!(state.answer, Answer::Nothing) {
            return;
        }
        let moves = self.manager.sealer.is_some()
            || self.answering(state).is_dated()
            || self.manager.settings.rolling
            || state.cookie_lifetime(now).is_some();
        if let (true, Some(target)) = (moves, &state.target) {
            state.answer = Answer::Issue(target.token.clone());
        }
    }
}

/// Whether the record has commits of others that the patch did not build on.
fn merged(patch: &Patch, record: &Record) -> bool {
    let Some(base) = patch.base() else { return false };
    let seen = |id: &CommitId| *id == patch.id() || base.commits.iter().any(|(seen, _)| seen == id);
    !record.commits.iter().all(|(id, _)| seen(id))
}
