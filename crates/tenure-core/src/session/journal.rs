use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::engine::Validators;
use crate::error::{Error, ErrorKind, Result};
use crate::id::UserId;
use crate::store::changes::{Call, Changes, Entry, Op, Ran};
use crate::store::{Patch, Record, Steps};
use crate::value::{Data, Json};

/// What one request did to its session and has not committed yet.
#[derive(Default)]
pub(crate) struct Journal {
    pub(crate) changes: Changes,
    /// The user that the session gets; the inner none is nobody.
    pub(crate) user: Option<Option<UserId>>,
    /// When the user proved who they are, and when the session of a log-in ends, if not as usual.
    pub(crate) authenticated: Option<Timestamp>,
    pub(crate) end: Option<Timestamp>,
    pub(crate) rotates: bool,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) touches: bool,
    /// What the keys held before: reads see it through the changes.
    seen: Data,
}

/// A value on its way out of a lock.
pub(crate) enum Found {
    Written(Json),
    Stored(Data),
}

impl Found {
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        match self {
            Self::Written(value) => Some(value.as_str()),
            Self::Stored(data) => data.get(key),
        }
    }
}

impl Journal {
    /// What a patch recorded, for a session that begins anew.
    pub(crate) fn of_patch(patch: &Patch) -> Self {
        Self {
            changes: patch.changes().clone(),
            user: patch.user().map(|(user, _)| user.cloned()),
            authenticated: patch.user().map(|(_, at)| at),
            end: patch.absolute_deadline(),
            idle_timeout: patch.idle_timeout(),
            ..Self::default()
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty()
            && self.user.is_none()
            && !self.rotates
            && self.idle_timeout.is_none()
            && !self.touches
    }

    /// Whether somebody logs in, so that a session that is gone must not keep them out.
    pub(crate) fn is_login(&self) -> bool {
        matches!(self.user, Some(Some(_)))
    }

    /// Looks at the changes from another record on.
    pub(crate) fn rebase(&mut self, base: Option<&Record>) {
        self.seen = base.map(|base| base.data.clone()).unwrap_or_default();
    }

    /// Takes what was recorded and leaves an empty journal that sees its effect, so that reads
    /// keep seeing it while it is on its way. Runs no closure.
    pub(crate) fn take(&mut self) -> Self {
        let keys = self.keys();
        let values = keys.iter().filter_map(|key| Some((key, self.view(key).ok()??)));
        let seen = values.map(|(key, value)| (key.as_str(), value)).collect();
        std::mem::replace(self, Self { seen, ..Self::default() })
    }

    /// `data` after these changes. Closures that saw the same values do not run again.
    pub(crate) fn applied_to(&self, data: &Data) -> Result<Data> {
        if self.changes.is_empty() {
            return Ok(data.clone());
        }
        let refused = crate::store::Refused::into_error;
        let steps = Steps::new(&self.changes, data).map_err(refused)?;
        steps.apply(data).map_err(|rejected| match rejected {
            crate::store::Rejected::Refused(error) => refused(error),
            crate::store::Rejected::Changed(key) => Error::new(
                ErrorKind::Conflict,
                "commit",
                format!("{key:?} kept changing underneath"),
            ),
        })
    }

    /// The value of `key` as this request sees it, own writes included.
    pub(crate) fn find(&self, key: &str) -> Result<Option<Found>> {
        Ok(match self.changes.get(key) {
            Some(Entry::Set(value)) => Some(Found::Written(value.clone())),
            Some(Entry::Remove) => None,
            Some(Entry::Chain(chain)) => match &chain.ran {
                Some(ran) => ran.with.clone(),
                None => chain.run(self.stored(key).as_ref())?,
            }
            .map(Found::Written),
            None if self.changes.drops(key) => None,
            None => self.seen.get(key).is_some().then(|| Found::Stored(self.seen.clone())),
        })
    }

    pub(crate) fn view(&self, key: &str) -> Result<Option<Json>> {
        Ok(self.find(key)?.and_then(|found| match found {
            Found::Written(value) => Some(value),
            Found::Stored(data) => data.get(key).map(Json::trusted),
        }))
    }

    /// All keys as this request sees them, in order.
    pub(crate) fn keys(&self) -> Vec<String> {
        let written = self.changes.entries.iter().map(|(key, _)| &**key);
        let mut keys: Vec<_> =
            self.seen.keys().filter(|key| self.changes.get(key).is_none()).chain(written).collect();
        keys.sort_unstable();
        keys.retain(|key| matches!(self.find(key), Ok(Some(_)) | Err(_)));
        keys.into_iter().map(str::to_owned).collect()
    }

    /// The octets that keys and values take, or more: what was overwritten counts too.
    pub(crate) fn size_bound(&self) -> usize {
        let written = self.changes.entries.iter().map(|(key, entry)| {
            key.len()
                + match entry {
                    Entry::Set(value) => value.as_str().len(),
                    Entry::Remove => 0,
                    Entry::Chain(chain) => match &chain.ran {
                        Some(ran) => ran.with.as_ref().map_or(0, |value| value.as_str().len()),
                        None => chain.ops.iter().map(Op::grows).sum(),
                    },
                }
        });
        self.seen.size() + written.sum::<usize>()
    }

    /// The octets that keys and values take.
    pub(crate) fn size(&self) -> usize {
        let kept = self
            .seen
            .iter()
            .filter(|(key, _)| !self.changes.drops(key) && self.changes.get(key).is_none());
        let written = self.changes.entries.iter().map(|(key, entry)| {
            key.len()
                + match entry {
                    Entry::Set(value) => value.as_str().len(),
                    Entry::Remove => 0,
                    Entry::Chain(_) => {
                        self.view(key).ok().flatten().map_or(0, |value| value.as_str().len())
                    }
                }
        });
        kept.map(|(key, value)| key.len() + value.len()).sum::<usize>() + written.sum::<usize>()
    }

    /// How many keys there are, or more.
    pub(crate) fn keys_bound(&self) -> usize {
        self.seen.len() + self.changes.entries.len()
    }

    /// How many operations are recorded.
    pub(crate) fn operations(&self) -> usize {
        let operations = |entry: &Entry| match entry {
            Entry::Chain(chain) => chain.ops.len(),
            Entry::Set(_) | Entry::Remove => 1,
        };
        self.changes.entries.iter().map(|(_, entry)| operations(entry)).sum()
    }

    pub(crate) fn put(&mut self, key: &str, value: Option<Json>) {
        self.changes.put(key.into(), value.map_or(Entry::Remove, Entry::Set));
    }

    /// Records a sum or an item. Unless the session is loaded, whether it fits is seen at the commit.
    pub(crate) fn operate(&mut self, key: &str, op: Op, loaded: bool) -> Result<()> {
        if loaded {
            let with = op.run(self.view(key)?.as_ref())?;
            self.record(key, op, with);
            Ok(())
        } else {
            self.changes.chain(key.into(), op)
        }
    }

    /// Records a closure that made `with` of what this request saw.
    pub(crate) fn call(&mut self, key: &str, call: Call, with: Option<Json>) {
        self.record(key, Op::Call(call), with);
    }

    fn record(&mut self, key: &str, op: Op, with: Option<Json>) {
        if let Some(chain) = self.changes.chain_of(key) {
            chain.then(op);
            // Only a chain with closures has to compare what it saw.
            let saw = if chain.is_native() { None } else { self.seen.get(key) };
            chain.ran = Some(Ran { saw: saw.map(Json::trusted), with });
        } else {
            self.put(key, with);
        }
    }

    /// What the key held before this request.
    pub(crate) fn seen(&self, key: &str) -> Option<Json> {
        self.seen.get(key).map(Json::trusted)
    }

    /// Whether the value of `key` does not depend on the record.
    pub(crate) fn decides(&self, key: &str) -> bool {
        match self.changes.get(key) {
            Some(Entry::Set(_) | Entry::Remove) => true,
            Some(Entry::Chain(_)) => false,
            None => self.changes.drops(key),
        }
    }

    /// Has `validators` look at what operations make of newer values than this request has seen.
    pub(crate) fn validated(mut self, validators: &Validators) -> Self {
        for (key, entry) in &mut self.changes.entries {
            let Entry::Chain(chain) = entry else { continue };
            // What a native one says that it saw is nothing.
            if validators.sees(key) && chain.is_native() {
                chain.ran = None;
            }
            chain.check = validators.check_of(key);
        }
        self
    }

    fn stored(&self, key: &str) -> Option<Json> {
        if self.changes.drops(key) { None } else { self.seen.get(key).map(Json::trusted) }
    }

    pub(crate) fn clear(&mut self, keep: &[Arc<str>]) {
        self.changes.clear(keep);
    }
}
