use std::sync::Arc;

use super::config::WhenUnavailable;
use super::events::Event;
use super::slot::Slot;
use super::state::{Answer, Fate};
use crate::clock::Timestamp;
use crate::error::{ErrorKind, Result};
use crate::session::Journal;
use crate::store::sealed::opened;
use crate::store::{Record, Store, StoreErrorKind, StoreKey};

impl Slot {
    /// Loads the session, once a request, unless there is no credential.
    pub(crate) async fn load(&self) -> Result<()> {
        let _one_at_a_time = self.gate.lock().await;
        let (key, refusals) = {
            let mut state = self.state();
            state.consulted = true;
            if state.loaded {
                return Ok(());
            }
            self.identify(&mut state);
            let key = state.target.as_ref().map(|target| target.key.clone());
            if key.is_none() {
                state.loaded = true;
                state.is_new = true;
            }
            (key, state.refusals())
        };
        self.tell(refusals);
        let Some(key) = key else { return Ok(()) };
        let now = self.manager.settings.clock.now();
        let loaded = match self.fetch(&key, now).await {
            Ok(Some(record)) => self.guarded(&key, record, now).await,
            Ok(None) if self.manager.settings.on_reuse.is_some() => {
                // Boxed, so that a load does not carry its size.
                Box::pin(self.look_for_reuse(&key, now)).await;
                Ok(None)
            }
            other => other,
        };
        if let Err(error) = &loaded {
            self.manager.report(error);
        }
        let mut state = self.state();
        let state = &mut *state;
        match loaded {
            Ok(record) => {
                state.loaded = true;
                state.is_new = record.is_none();
                match record {
                    Some(record) => {
                        if let Some(target) = &mut state.target {
                            state.due = self.is_stale(target, &record, now);
                            target.base = Some(record);
                        }
                    }
                    None => {
                        state.target = None;
                        if self.manager.settings.clear_unknown {
                            state.answer = Answer::Remove;
                        }
                    }
                }
                state
                    .journal
                    .rebase(state.target.as_ref().and_then(|target| target.base.as_deref()));
                Ok(())
            }
            Err(error) => {
                let down = matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Timeout);
                if down && self.manager.settings.when_unavailable == WhenUnavailable::Degrade {
                    state.loaded = true;
                    state.target = None;
                    state.fate = Fate::Degraded;
                    return Ok(());
                }
                Err(error)
            }
        }
    }

    /// Loads the record again and drops what was recorded but not saved.
    pub(crate) async fn reload(&self) -> Result<bool> {
        let _one_at_a_time = self.gate.lock().await;
        let key = {
            let mut state = self.state();
            match &state.target {
                Some(target) => target.key.clone(),
                None => {
                    state.journal = Journal::default();
                    return Ok(false);
                }
            }
        };
        let now = self.manager.settings.clock.now();
        let record = self.fetch(&key, now).await.inspect_err(|error| self.manager.report(error))?;
        let mut state = self.state();
        let state = &mut *state;
        // Not before the store has answered: one that is down is not an empty session.
        state.journal = Journal::default();
        let found = record.is_some();
        match (record, &mut state.target) {
            (Some(record), Some(target)) => {
                target.base = Some(record);
                state.journal.rebase(target.base.as_deref());
            }
            _ => {
                state.target = None;
                state.fate = Fate::Gone;
            }
        }
        Ok(found)
    }

    async fn fetch(&self, key: &StoreKey, now: Timestamp) -> Result<Option<Arc<Record>>> {
        super::trace::loading(key.handle(), self.fetch_untraced(key, now)).await
    }

    async fn fetch_untraced(&self, key: &StoreKey, now: Timestamp) -> Result<Option<Arc<Record>>> {
        let manager = &*self.manager;
        let session = key.handle();
        let loaded = manager
            .call("load", now, |now, _| async move {
                match self.store().load_shared(key, now).await.and_then(opened) {
                    Err(error) if error.kind() == StoreErrorKind::UnknownVersion => {
                        manager.emit(Event::UnknownVersion { session });
                        Ok(None)
                    }
                    done => done,
                }
            })
            .await?;
        // The store has asked this already; a wrong store must not let anybody in.
        let admitted = loaded.filter(|record| record.admits(key, now));
        manager.emit(match &admitted {
            Some(record) => Event::Loaded { session, user: record.user.as_ref() },
            None => Event::Unknown { session },
        });
        Ok(admitted)
    }
}
