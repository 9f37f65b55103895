use std::sync::Arc;

use super::events::Event;
use super::slot::{Reach, Slot};
use super::state::{Doomed, Fate, State, Target};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::id::Token;
use crate::session::Journal;
use crate::store::{PENDING_GRACE, Patch, ProofChange, Record, StoreKey};
use crate::value::Data;

/// One commit on its way to the store. It can be sent again under the same id until the store has
/// acknowledged it.
pub(super) enum Work {
    Delete(Doomed),
    Create {
        token: Token,
        key: StoreKey,
        record: Record,
        /// Whether that is a login.
        logs_in: bool,
    },
    Apply {
        key: StoreKey,
        patch: Patch,
        /// The token with the secret that the patch prepares or puts in force.
        next: Option<Token>,
        /// Whether a fresh session takes the place of one that is gone.
        replace_gone: bool,
    },
    Touch {
        key: StoreKey,
        until: Timestamp,
    },
}

/// What one journal asks for: a record takes the place of another at most.
type Works = [Option<Arc<Work>>; 2];

impl Slot {
    /// Whether the next commit has anything to do; the session is looked at, not changed.
    pub(super) fn is_due(&self, state: &mut State) -> bool {
        let settings = &self.manager.settings;
        if state.fate == Fate::Degraded {
            return false;
        }
        if state.doomed.is_some()
            || !state.outbox.is_empty()
            || !state.journal.is_empty()
            || settings.save_uninitialized
        {
            return true;
        }
        if settings.touch_every_request || settings.rolling {
            self.identify(state);
        }
        match &state.target {
            None => false,
            Some(_) => settings.touch_every_request || settings.rolling || state.due,
        }
    }

    /// Whether a session that was only looked at is due for a touch or a phase of its renewal.
    pub(super) fn is_stale(&self, target: &Target, base: &Record, now: Timestamp) -> bool {
        self.touch_is_due(base, now) || self.proof_change(target, base, now).is_some()
    }

    fn touch_is_due(&self, base: &Record, now: Timestamp) -> bool {
        let settings = &self.manager.settings;
        settings.rolling
            || settings.touch_every_request
            || now.since(base.last_seen) >= settings.touch_interval(base.idle_timeout)
    }

    /// What periodic renewal asks for: the first phase, the second, or nothing.
    fn proof_change(&self, target: &Target, base: &Record, now: Timestamp) -> Option<Renewal> {
        let proof = target.key.proof()?;
        let interval = self.manager.settings.renewal_interval?;
        match base.proofs.pending {
            Some(pending) if pending.proof == *proof => Some(Renewal::Confirm),
            Some(pending) if now.since(pending.since) < PENDING_GRACE => None,
            // One that never reaches the client would only keep others from being prepared.
            _ if self.reach != Reach::Client => None,
            _ if now.since(base.renewed) >= interval => Some(Renewal::Prepare),
            _ => None,
        }
    }

    /// Puts the end of a session at the end of the outbox, before what was recorded since.
    pub(super) fn fold_doomed(&self) {
        let mut state = self.state();
        if let Some(doomed) = state.doomed.take() {
            state.outbox.push_back(Arc::new(Work::Delete(doomed)));
        }
    }

    /// Folds what was recorded into commits, at the end of the outbox. What may run an application's
    /// code, closures and generators, does so under no lock.
    pub(super) fn fold(&self, now: Timestamp) -> Result<()> {
        let (journal, target, refusals) = {
            let mut guard = self.state();
            let state = &mut *guard;
            if state.fate == Fate::Degraded {
                return Ok(());
            }
            let journal = if state.sealed && !state.is_held {
                std::mem::take(&mut state.journal)
            } else {
                state.journal.take()
            };
            if state.fate != Fate::Open {
                drop(guard);
                if !journal.is_empty() {
                    self.manager.emit(Event::Gone { session: None, user: None });
                }
                return Ok(());
            }
            if !state.loaded && !journal.is_empty() {
                self.identify(state);
            }
            (journal, state.target.clone(), state.refusals())
        };
        self.tell(refusals);
        let journal = journal.validated(&self.manager.settings.validators);
        let work = match target {
            Some(target) => self.change(&target, journal, now)?,
            None => [self.birth(&journal, now)?.map(Arc::new), None],
        };
        self.state().outbox.extend(work.into_iter().flatten());
        Ok(())
    }

    /// The commits that change a session which exists.
    fn change(&self, target: &Target, mut journal: Journal, now: Timestamp) -> Result<Works> {
        let settings = &self.manager.settings;
        let base = target.base.as_deref();
        let idle_timeout = base.map_or(settings.idle_timeout, |base| base.idle_timeout);
        let until = now + idle_timeout;
        let renewal = base.and_then(|base| self.proof_change(target, base, now));
        if journal.is_empty() && renewal.is_none() {
            let due = base.is_none_or(|base| self.touch_is_due(base, now));
            let touch = Work::Touch { key: target.key.clone(), until };
            return Ok([due.then(|| Arc::new(touch)), None]);
        }
        let mut next = None;
        let change = if journal.rotates {
            let token = self.renewed(&target.token)?;
            let key = self.manager.key(&token);
            let Some(proof) = key.proof().copied() else {
                return self.replace(target, &journal, token, key, now);
            };
            next = Some(token);
            Some(ProofChange::Replace(proof))
        } else {
            match (renewal, target.key.proof()) {
                (Some(Renewal::Confirm), Some(proof)) => Some(ProofChange::Confirm(*proof)),
                (Some(Renewal::Prepare), _) => {
                    let token = self.renewed(&target.token)?;
                    journal.keep_csrf(&target.token);
                    let proof = self.manager.key(&token).proof().copied();
                    next = Some(token);
                    proof.map(ProofChange::Prepare)
                }
                _ => None,
            }
        };
        let replace_gone = journal.is_login() || base.is_none();
        let mut patch = Patch::new(self.manager.commit_ids.next()).extend(until);
        if let Some(timeout) = journal.idle_timeout {
            patch = patch.set_idle_timeout(timeout);
        }
        if journal.is_login() {
            patch = patch.set_absolute_deadline(self.end(&journal, now));
        }
        if let Some(user) = journal.user {
            patch = patch.bind(user, journal.authenticated.unwrap_or(now));
        }
        if let Some(change) = change {
            patch = patch.change_proof(change);
        }
        let patch = self.based(patch, target).with_changes(journal.changes);
        let apply = Work::Apply { key: target.key.clone(), patch, next, replace_gone };
        Ok([Some(Arc::new(apply)), None])
    }

    /// The patch, told what this request has seen, and which commits need no remembering.
    #[inline]
    pub(super) fn based(&self, patch: Patch, target: &Target) -> Patch {
        let Some(base) = &target.base else { return patch };
        let known = base.commits.iter().map(|(id, _)| *id);
        let settled = known.filter(|id| self.manager.settled.take(*id)).collect();
        patch.settle(settled).on(Arc::clone(base))
    }

    /// The rotation of a format whose key is the whole id: a new record, then the old one goes.
    fn replace(
        &self,
        target: &Target,
        journal: &Journal,
        token: Token,
        key: StoreKey,
        now: Timestamp,
    ) -> Result<Works> {
        let data = target.base.as_ref().map(|base| base.data.clone()).unwrap_or_default();
        let mut record = self.fresh(journal, &data, now)?;
        if let Some(base) = &target.base {
            record.created = base.created;
            record.client = base.client.clone();
            record.absolute_deadline = base.absolute_deadline;
            record.idle_timeout = journal.idle_timeout.unwrap_or(base.idle_timeout);
            if journal.user.is_none() {
                record.user = base.user.clone();
                record.authenticated = base.authenticated;
            }
            if journal.is_login() {
                record.absolute_deadline = self.end(journal, now);
            }
            record.idle_deadline = record.absolute_deadline.min(now + record.idle_timeout);
        } else {
            self.note_language(&mut record)?;
        }
        let former = Doomed { key: target.key.clone(), user: None, logs_out: false };
        let logs_in = journal.is_login();
        let works = [Work::Create { token, key, record, logs_in }, Work::Delete(former)];
        Ok(works.map(|work| Some(Arc::new(work))))
    }

    /// The commit that begins a session, if there is anything to keep.
    pub(super) fn birth(&self, journal: &Journal, now: Timestamp) -> Result<Option<Work>> {
        let mut record = self.fresh(journal, &Data::default(), now)?;
        let wanted = !record.data.is_empty()
            || record.user.is_some()
            || self.manager.settings.save_uninitialized;
        if !wanted {
            return Ok(None);
        }
        self.note_language(&mut record)?;
        let (token, key) = self.minted()?;
        record.proofs.present = key.proof().copied();
        Ok(Some(Work::Create { token, key, record, logs_in: journal.is_login() }))
    }

    fn fresh(&self, journal: &Journal, data: &Data, now: Timestamp) -> Result<Record> {
        let settings = &self.manager.settings;
        let idle_timeout = journal.idle_timeout.unwrap_or(settings.idle_timeout);
        let mut record = Record::new(now, idle_timeout, settings.absolute_timeout);
        record.data = journal.applied_to(data)?;
        record.client = self.client();
        record.commits.push((self.manager.commit_ids.next(), now));
        if let Some(Some(user)) = &journal.user {
            record.user = Some(user.clone());
            record.authenticated = Some(journal.authenticated.unwrap_or(now));
            record.absolute_deadline = self.end(journal, now);
            record.idle_deadline = record.idle_deadline.min(record.absolute_deadline);
        }
        Ok(record)
    }

    /// When a session ends that a log-in begins, or begins anew.
    fn end(&self, journal: &Journal, now: Timestamp) -> Timestamp {
        let usual = now + self.manager.settings.absolute_timeout;
        journal.end.map_or(usual, |end| end.min(usual))
    }

    /// The commit with which a login, or a blind write, goes on where its session is gone: a fresh
    /// session with what this request itself wrote, and nothing of the old one.
    pub(super) fn rebirth(&self, patch: &Patch, now: Timestamp) -> Result<Option<Work>> {
        self.birth(&Journal::of_patch(patch), now)
    }

    pub(super) fn minted(&self) -> Result<(Token, StoreKey)> {
        let context = self.token_context(self.transport());
        let token = self.manager.scheme.mint(&context)?;
        let key = self.manager.key(&token);
        Ok((token, key))
    }

    fn renewed(&self, token: &Token) -> Result<Token, Error> {
        let context = self.token_context(self.transport());
        self.manager.scheme.renew(token, &context)
    }
}

#[derive(Clone, Copy)]
enum Renewal {
    Prepare,
    Confirm,
}
