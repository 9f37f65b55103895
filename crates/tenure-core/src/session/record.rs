//! Recording: what all handles share, each step under the lock for a moment.

use std::sync::{Arc, MutexGuard};

use super::journal::{Found, Journal};
use super::reserved::{LANGUAGE, is_reserved};
use crate::engine::{Fate, Limits, Reach, Slot, State, Validators};
use crate::error::{Error, ErrorKind, Result};
use crate::store::changes::{Call, Op};
use crate::value::{Json, Number};

/// How often a closure runs whose value changes while it does.
pub(super) const ATTEMPTS: u32 = 8;

impl Slot {
    /// The state, if `operation` may still write.
    pub(super) fn writable(&self, operation: &'static str) -> Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        state.consulted = true;
        let refused = match state.fate {
            _ if state.sealed => Some((
                ErrorKind::Sealed,
                "the response head has been sent; write earlier, or `detach()` a handle for what \
                 goes on afterwards",
            )),
            Fate::Destroyed => Some((
                ErrorKind::Destroyed,
                "the session was destroyed; `logout()` leaves a fresh one to write to, but for a \
                 detached handle, which cannot give the client its token",
            )),
            Fate::Degraded if self.manager.settings.disabled => Some((
                ErrorKind::ReadOnly,
                "sessions are switched off (`disabled`), and this is a read-only empty one",
            )),
            Fate::Degraded => Some((
                ErrorKind::ReadOnly,
                "the store is unavailable and the session a read-only empty one",
            )),
            Fate::Open | Fate::Gone => None,
        };
        match refused {
            Some((kind, message)) => Err(Error::new(kind, operation, message)),
            None => Ok(state),
        }
    }

    /// The state, if `operation` may still give the session a new token.
    pub(super) fn rotatable(&self, operation: &'static str) -> Result<MutexGuard<'_, State>> {
        if self.reach == Reach::Nobody {
            return Err(Error::new(
                ErrorKind::Misuse,
                operation,
                "a detached handle cannot give the client the new token, and the old one would be \
                 dead; do it in a request, before the response head is sent",
            ));
        }
        self.writable(operation)
    }

    /// Ends the session with the next commit.
    pub(super) fn log_out(&self) -> Result<()> {
        let mut state = self.writable("logout")?;
        self.identify(&mut state);
        state.log_out();
        if self.reach == Reach::Nobody {
            // A fresh session would be nobody's.
            state.fate = Fate::Destroyed;
        }
        let refusals = state.refusals();
        drop(state);
        self.tell(refusals);
        Ok(())
    }

    /// The state, for reading.
    pub(super) fn readable(&self) -> MutexGuard<'_, State> {
        let mut state = self.state();
        state.consulted = true;
        state
    }

    pub(super) fn find(&self, key: &str) -> Result<Option<Found>> {
        if is_reserved(key) {
            return Ok(None);
        }
        self.readable().journal.find(key)
    }

    pub(super) fn put(&self, key: &str, value: Option<Json>) -> Result<()> {
        ordinary("set", key)?;
        self.put_reserved(key, value)
    }

    /// As `put`, for keys of this library too.
    pub(super) fn put_reserved(&self, key: &str, value: Option<Json>) -> Result<()> {
        self.validators().check("set", key, value.as_ref())?;
        let grows = value.as_ref().map_or(0, |value| key.len() + value.as_str().len());
        self.checked("set", grows, |state| {
            state.journal.put(key, value);
            Ok(())
        })
    }

    pub(super) fn add(&self, key: &str, by: Number) -> Result<()> {
        ordinary("increment", key)?;
        self.operate("increment", key, Op::Add(by), key.len() + Number::MAX_LEN)
    }

    pub(super) fn push(&self, key: &str, item: Json) -> Result<()> {
        ordinary("push", key)?;
        self.push_reserved(key, item)
    }

    /// As `push`, for keys of this library too.
    pub(super) fn push_reserved(&self, key: &str, item: Json) -> Result<()> {
        let known = self.readable().journal.size_bound();
        let grows = known + key.len() + item.as_str().len() + 3;
        self.operate("push", key, Op::Push(item), grows)
    }

    /// Records an operation without a closure. Where its result is known, that is validated first,
    /// under no lock; else at the commit.
    fn operate(&self, operation: &'static str, key: &str, op: Op, grows: usize) -> Result<()> {
        let is_checked = self.validators().sees(key);
        for _ in 0..ATTEMPTS {
            let saw = match is_checked {
                true => self.writable(operation)?.foreseen(key)?,
                false => None,
            };
            if let Some(value) = &saw {
                let with = op.run(value.as_ref())?;
                self.validators().check(operation, key, with.as_ref())?;
            }
            let mut is_done = true;
            self.checked(operation, grows, |state| {
                is_done = !is_checked || state.foreseen(key)? == saw;
                let loaded = state.loaded;
                if is_done { state.journal.operate(key, op.clone(), loaded) } else { Ok(()) }
            })?;
            if is_done {
                return Ok(());
            }
        }
        Err(Error::new(
            ErrorKind::Conflict,
            operation,
            format!("{key:?} keeps changing while its value is validated"),
        ))
    }

    pub(super) fn validators(&self) -> &Validators {
        &self.manager.settings.validators
    }

    /// Runs `call` on the value that this request sees, under no lock, and records it. It may call
    /// the session itself; if that changes the same value, it runs again.
    pub(super) fn update(&self, key: &str, call: Call) -> Result<()> {
        ordinary("update", key)?;
        self.update_reserved(key, call)
    }

    /// As `update`, for keys of this library too.
    pub(super) fn update_reserved(&self, key: &str, call: Call) -> Result<()> {
        for _ in 0..ATTEMPTS {
            let saw = self.writable("update")?.journal.view(key)?;
            let with = call(saw.as_ref())?;
            if with != saw {
                self.validators().check("update", key, with.as_ref())?;
            }
            if self.writable("update")?.journal.view(key)? != saw {
                continue;
            }
            let grows = with.as_ref().map_or(0, |value| key.len() + value.as_str().len());
            return self.checked("update", grows, |state| {
                state.journal.call(key, Arc::clone(&call), with);
                Ok(())
            });
        }
        Err(Error::new(
            ErrorKind::Conflict,
            "update",
            format!("the closure changes {key:?}, which it is to update, by other means"),
        ))
    }

    /// Records a write, which adds at most `grows` octets, unless it takes the session over a
    /// limit; then the session is as before. What makes it smaller is always good: the limit may have
    /// been lowered since it was filled.
    pub(super) fn checked(
        &self,
        operation: &'static str,
        grows: usize,
        write: impl FnOnce(&mut State) -> Result<()>,
    ) -> Result<()> {
        let limits = &self.manager.settings.limits;
        let mut state = self.writable(operation)?;
        let journal = &state.journal;
        let fits = journal.size_bound().saturating_add(grows) <= limits.bytes
            && journal.keys_bound() < limits.keys
            && journal.operations() < limits.operations;
        if fits {
            return write(&mut state);
        }
        let (changes, before) = (journal.changes.clone(), Usage::of(journal));
        write(&mut state)?;
        let after = Usage::of(&state.journal);
        let checked = after.check(&before, limits, operation);
        if checked.is_err() {
            state.journal.changes = changes;
        }
        checked
    }
}

impl State {
    /// The value of `key` as this request sees it, unless only the record knows.
    fn foreseen(&self, key: &str) -> Result<Option<Option<Json>>> {
        let is_known = self.loaded || self.journal.decides(key);
        is_known.then(|| self.journal.view(key)).transpose()
    }
}

fn ordinary(operation: &'static str, key: &str) -> Result<()> {
    if !is_reserved(key) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Misuse,
        operation,
        format!("{key:?} begins with NUL, as the library's own keys do; choose another name"),
    ))
}

/// What is limited.
struct Usage {
    bytes: usize,
    keys: usize,
    operations: usize,
}

impl Usage {
    fn of(journal: &Journal) -> Self {
        let (bytes, keys) = (journal.size(), journal.keys().len());
        // What nobody but the library has asked for takes no room from the application.
        let noted = journal.view(LANGUAGE).ok().flatten();
        let noted = noted.map_or(0, |text| LANGUAGE.len() + text.as_str().len());
        Self {
            bytes: bytes - noted,
            keys: keys - usize::from(noted > 0),
            operations: journal.operations(),
        }
    }

    fn check(&self, before: &Self, limits: &Limits, operation: &'static str) -> Result<()> {
        let crosses = |after: usize, before: usize, limit: usize| after > limit && after > before;
        let why = if crosses(self.bytes, before.bytes, limits.bytes) {
            format!(
                "the session would take {} octets, and `max_session_bytes` is {}; keep large data \
                 elsewhere and its key in the session",
                self.bytes, limits.bytes
            )
        } else if crosses(self.keys, before.keys, limits.keys) {
            format!(
                "the session would have {} keys, and `max_session_keys` is {}; keep what belongs \
                 together under one key",
                self.keys, limits.keys
            )
        } else if crosses(self.operations, before.operations, limits.operations) {
            format!(
                "the request would have recorded {} operations, and `max_operations` is {}; `save` \
                 in between, or put together what belongs together",
                self.operations, limits.operations
            )
        } else {
            return Ok(());
        };
        Err(Error::new(ErrorKind::TooLarge, operation, why))
    }
}
