use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::Step;
use crate::error::{Error, ErrorKind};
use crate::value::{Json, Number};

/// An application's closure over one value: absent or present before, absent or present after.
pub(crate) type Call =
    Arc<dyn Fn(Option<&Json>) -> crate::error::Result<Option<Json>> + Send + Sync>;

/// An application's check of the value that a key would get.
pub(crate) type Check = Arc<dyn Fn(&Json) -> crate::error::Result<()> + Send + Sync>;

/// The entries of a patch, in normal form.
#[derive(Clone, Default)]
pub(crate) struct Changes {
    /// Whether everything that was there before is dropped, but for these keys.
    pub(crate) clear: Option<Vec<Arc<str>>>,
    /// Ordered by key.
    pub(crate) entries: Vec<(Arc<str>, Entry)>,
}

/// What a patch does to one key.
#[derive(Clone)]
pub(crate) enum Entry {
    Set(Json),
    Remove,
    Chain(Chain),
}

/// Operations on a value that only the record knows, in order.
#[derive(Clone, Default)]
pub(crate) struct Chain {
    pub(crate) ops: Vec<Op>,
    /// What the operations saw and made of it, if they have run.
    pub(crate) ran: Option<Ran>,
    /// Who looks at what they make, if anybody.
    pub(crate) check: Option<Check>,
}

/// One run of a chain.
#[derive(Clone)]
pub(crate) struct Ran {
    pub(crate) saw: Option<Json>,
    pub(crate) with: Option<Json>,
}

/// One operation of a chain.
#[derive(Clone)]
pub(crate) enum Op {
    Add(Number),
    Push(Json),
    Call(Call),
}

impl Changes {
    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        self.position(key).ok().map(|at| &self.entries[at].1)
    }

    /// Whether the value of `key` before these changes does not matter any more.
    pub(crate) fn drops(&self, key: &str) -> bool {
        self.clear.as_ref().is_some_and(|kept| !kept.iter().any(|name| **name == *key))
    }

    pub(crate) fn put(&mut self, key: Arc<str>, entry: Entry) {
        match self.position(&key) {
            Ok(at) => self.entries[at].1 = entry,
            Err(at) => self.entries.insert(at, (key, entry)),
        }
    }

    /// Records an operation. Where the value before it is known, it runs at once; an error leaves
    /// everything as it was.
    pub(crate) fn chain(&mut self, key: Arc<str>, op: Op) -> crate::error::Result<()> {
        if let Some(chain) = self.chain_of(&key) {
            chain.then(op);
            return Ok(());
        }
        let known = match self.get(&key) {
            Some(Entry::Set(value)) => Some(value),
            _ => None,
        };
        let value = op.run(known)?;
        self.put(key, value.map_or(Entry::Remove, Entry::Set));
        Ok(())
    }

    /// The chain of `key`, if what the record holds still matters for it.
    pub(crate) fn chain_of(&mut self, key: &str) -> Option<&mut Chain> {
        let at = match self.position(key) {
            Ok(at) => at,
            Err(_) if self.drops(key) => return None,
            Err(at) => {
                self.entries.insert(at, (key.into(), Entry::Chain(Chain::default())));
                at
            }
        };
        match &mut self.entries[at].1 {
            Entry::Chain(chain) => Some(chain),
            Entry::Set(_) | Entry::Remove => None,
        }
    }

    pub(crate) fn clear(&mut self, keep: &[Arc<str>]) {
        let before = self.clear.take();
        let kept = keep
            .iter()
            .filter(|key| before.as_ref().is_none_or(|kept| kept.contains(key)))
            .cloned()
            .collect();
        self.clear = Some(kept);
        self.entries.retain(|(key, _)| keep.contains(key));
    }

    pub(crate) fn has_closures(&self) -> bool {
        self.entries.iter().any(|(_, entry)| match entry {
            Entry::Chain(chain) => {
                chain.check.is_some() || chain.ops.iter().any(|op| matches!(op, Op::Call(_)))
            }
            Entry::Set(_) | Entry::Remove => false,
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.clear.is_none() && self.entries.is_empty()
    }

    fn position(&self, key: &str) -> Result<usize, usize> {
        self.entries.binary_search_by(|(name, _)| (**name).cmp(key))
    }
}

impl Chain {
    /// Appends an operation; neighbouring sums become one, unless that would turn an integer into
    /// a float, which not every integer can meet.
    pub(crate) fn then(&mut self, op: Op) {
        self.ran = None;
        if let (Some(Op::Add(sum)), Op::Add(by)) = (self.ops.last_mut(), &op)
            && std::mem::discriminant(sum) == std::mem::discriminant(by)
            && let Ok(folded) = sum.plus(*by)
        {
            *sum = folded;
            return;
        }
        // Most chains have one.
        self.ops.reserve_exact(usize::from(self.ops.is_empty()));
        self.ops.push(op);
    }

    /// Whether a store can do this by itself, without a closure and without a look at the value.
    pub(crate) fn is_native(&self) -> bool {
        self.check.is_none()
            && (matches!(self.ops.as_slice(), [Op::Add(_)])
                || self.ops.iter().all(|op| matches!(op, Op::Push(_))))
    }

    /// The step that does the same without a closure and without a look at the value, if there is
    /// one.
    pub(crate) fn native(&self) -> Option<Step> {
        if self.check.is_some() {
            return None;
        }
        if let [Op::Add(by)] = self.ops.as_slice() {
            return Some(Step::Add(*by));
        }
        let items = self.ops.iter().map(|op| match op {
            Op::Push(item) => Some(item.clone()),
            Op::Add(_) | Op::Call(_) => None,
        });
        items.collect::<Option<_>>().map(Step::Push)
    }

    pub(crate) fn run(&self, saw: Option<&Json>) -> crate::error::Result<Option<Json>> {
        let mut value = saw.cloned();
        for op in &self.ops {
            value = op.run(value.as_ref())?;
        }
        if let (Some(check), Some(new)) =
            (&self.check, value.as_ref().filter(|_| value.as_ref() != saw))
        {
            check(new)?;
        }
        Ok(value)
    }
}

impl Op {
    /// How many octets an operation without a closure adds at most.
    pub(crate) fn grows(&self) -> usize {
        match self {
            Self::Add(_) => Number::MAX_LEN,
            Self::Push(item) => item.as_str().len() + 3,
            Self::Call(_) => 0,
        }
    }

    pub(crate) fn run(&self, value: Option<&Json>) -> crate::error::Result<Option<Json>> {
        match self {
            Self::Add(by) => super::steps::sum(value.map(Json::as_str), *by).map(Some),
            Self::Push(item) => {
                super::steps::pushed(value.map(Json::as_str), std::slice::from_ref(item)).map(Some)
            }
            // It runs outside of the request here: a panic must not take the commit with it.
            Self::Call(call) => {
                catch_unwind(AssertUnwindSafe(|| call(value))).unwrap_or_else(|_| {
                    Err(Error::new(ErrorKind::Other, "update", "the closure panicked"))
                })
            }
        }
    }
}
