use std::fmt;
use std::sync::Arc;

use super::changes::{Chain, Changes, Entry, Ran};
use crate::error::{Error, ErrorKind, Result};
use crate::value::{Data, Json, Number};

/// The changes of a patch as a store carries them out: no closures, one step a key.
///
/// ```
/// use tenure_core::{SystemRandom, id::CommitId, store::{Patch, Rejected, Step}};
/// use tenure_core::value::{Data, Json};
///
/// let patch = Patch::new(CommitId::random(&SystemRandom)?)
///     .update("n", |n| Ok(n.map_or_else(|| Json::of(&1), |_| Json::of("many")).map(Some)?));
/// let seen = Data::default();
/// let steps = patch.steps(&seen).unwrap();
/// assert!(matches!(steps.iter().next(), Some(("n", Step::Replace { saw: None, .. }))));
///
/// let changed: Data = [("n", "1")].into_iter().collect();
/// assert!(matches!(steps.apply(&changed), Err(Rejected::Changed(key)) if &*key == "n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Steps {
    clear: Option<Vec<Arc<str>>>,
    /// Ordered by key.
    list: Vec<(Arc<str>, Step)>,
    /// Where in the list a closure was at work, and what it belongs to.
    calls: Vec<(usize, Chain)>,
}

/// What happens to one key.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Step {
    /// The key gets this value.
    Set(Json),
    /// The key is removed.
    Remove,
    /// The number under the key grows; absent counts as zero.
    Add(Number),
    /// The list under the key grows by these items; absent counts as empty.
    Push(Vec<Json>),
    /// If the key has exactly the value `saw`, it gets the value `with`; absent values are none.
    Replace {
        /// What the closure saw.
        saw: Option<Json>,
        /// What it made of that.
        with: Option<Json>,
    },
}

/// Why steps cannot be applied to a record; nothing of it has changed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Rejected {
    /// The value of this key is not the one that a closure saw: [`Steps::rebase`], then again.
    Changed(Arc<str>),
    /// An operation does not fit the value that it meets.
    Refused(Refused),
}

/// An operation does not fit the value that it meets: an increment of text, say.
#[derive(Clone)]
pub struct Refused {
    /// The key.
    pub key: Arc<str>,
    error: Arc<Error>,
}

impl Refused {
    /// The refusal of what was to be done to `key`.
    ///
    /// ```
    /// # use tenure_core::{Error, ErrorKind, store::Refused};
    /// let error = Error::new(ErrorKind::Type, "increment", "the value is no number that counts");
    /// assert_eq!(&*Refused::new("visits", error).key, "visits");
    /// ```
    #[must_use]
    pub fn new(key: impl Into<Arc<str>>, error: Error) -> Self {
        Self { key: key.into(), error: Arc::new(error) }
    }

    pub(crate) fn into_error(self) -> Error {
        Error::new(
            self.error.kind(),
            "commit",
            format!("nothing was written, since {:?} cannot be changed as asked", self.key),
        )
        .with_source(RefusedCause(self.error))
    }
}

impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused").field("key", &self.key).field("error", &self.error).finish()
    }
}

#[derive(Debug)]
struct RefusedCause(Arc<Error>);

impl fmt::Display for RefusedCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for RefusedCause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

impl Steps {
    pub(crate) fn new(changes: &Changes, data: &Data) -> Result<Self, Refused> {
        let mut steps = Self {
            clear: changes.clear.clone(),
            list: Vec::with_capacity(changes.entries.len()),
            calls: Vec::new(),
        };
        for (key, entry) in &changes.entries {
            let step = match entry {
                Entry::Set(value) => Step::Set(value.clone()),
                Entry::Remove => Step::Remove,
                Entry::Chain(chain) => chain.native().unwrap_or_else(|| {
                    steps.calls.push((steps.list.len(), chain.clone()));
                    Step::Remove
                }),
            };
            steps.list.push((key.clone(), step));
        }
        steps.rebase(data)?;
        Ok(steps)
    }

    /// Runs the closures again whose values have changed, on those of `data`. It runs an
    /// application's code: call it outside of any lock or transaction.
    ///
    /// ```
    /// # use tenure_core::{id::CommitId, store::{Patch, Rejected}, value::{Data, Json, Number}};
    /// # let id = CommitId::from_bytes([1; 16]);
    /// let data: Data = [("n", "1")].into_iter().collect();
    /// let half = |n: Option<&Json>| n.map(|n| Json::of(&(n.decode::<u32>()? / 2))).transpose();
    /// let patch = Patch::new(id).update("n", half);
    /// let mut steps = patch.steps(&data).unwrap();
    /// let changed: Data = [("n", "40")].into_iter().collect(); // by another request
    /// assert!(matches!(steps.apply(&changed), Err(Rejected::Changed(_))));
    /// steps.rebase(&changed).unwrap();
    /// assert_eq!(steps.apply(&changed).unwrap().get("n"), Some("20"));
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// When an operation does not fit the value that it meets.
    pub fn rebase(&mut self, data: &Data) -> Result<(), Refused> {
        for (at, chain) in &mut self.calls {
            let (key, step) = &mut self.list[*at];
            let there = data.get(key).map(Json::trusted);
            let ran = match chain.ran.take() {
                Some(ran) if ran.saw == there => ran,
                _ => {
                    let with = chain
                        .run(there.as_ref())
                        .map_err(|error| Refused::new(key.clone(), error))?;
                    Ran { saw: there, with }
                }
            };
            *step = Step::Replace { saw: ran.saw.clone(), with: ran.with.clone() };
            chain.ran = Some(ran);
        }
        Ok(())
    }

    /// Whether every key but those that [`kept`](Self::kept) names is dropped first.
    ///
    /// ```
    /// # use tenure_core::{id::CommitId, store::{Patch, Rejected}, value::{Data, Json, Number}};
    /// # let id = CommitId::from_bytes([1; 16]);
    /// let data: Data = [("old", "1")].into_iter().collect();
    /// let patch = Patch::new(id).clear().set("new", Json::of(&1)?);
    /// let steps = patch.steps(&data).unwrap();
    /// assert!(steps.clears());
    /// assert_eq!(steps.kept().count(), 0, "no key survives");
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn clears(&self) -> bool {
        self.clear.is_some()
    }

    /// The keys that survive when the others are dropped.
    ///
    /// See the example of [`clears`](Self::clears).
    pub fn kept(&self) -> impl Iterator<Item = &str> {
        self.clear.iter().flatten().map(AsRef::as_ref)
    }

    /// The steps, ordered by key.
    ///
    /// ```
    /// # use tenure_core::{id::CommitId, store::{Patch, Rejected}, value::{Data, Json, Number}};
    /// # let id = CommitId::from_bytes([1; 16]);
    /// # let data = Data::default();
    /// let patch = Patch::new(id).set("b", Json::of(&1)?).remove("a");
    /// let steps = patch.steps(&data).unwrap();
    /// assert_eq!(steps.iter().map(|(key, _)| key).collect::<Vec<_>>(), ["a", "b"]);
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Step)> {
        self.list.iter().map(|(key, step)| (&**key, step))
    }

    /// The data after these steps; runs no closure.
    ///
    /// ```
    /// # use tenure_core::{id::CommitId, store::{Patch, Rejected}, value::{Data, Json, Number}};
    /// # let id = CommitId::from_bytes([1; 16]);
    /// let data: Data = [("n", "1")].into_iter().collect();
    /// let steps = Patch::new(id).add("n", Number::Int(2)).steps(&data).unwrap();
    /// assert_eq!(steps.apply(&data).unwrap().get("n"), Some("3"));
    /// let text: Data = [("n", "\"one\"")].into_iter().collect();
    /// assert!(matches!(steps.apply(&text), Err(Rejected::Refused(_))));
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Rejected`] when a step does not fit; then nothing is changed.
    pub fn apply(&self, data: &Data) -> Result<Data, Rejected> {
        let mut changed = Vec::with_capacity(self.list.len());
        for (key, step) in &self.list {
            let refuse = |error| Rejected::Refused(Refused::new(key.clone(), error));
            let value = data.get(key);
            changed.push(match step {
                Step::Set(value) => Some(value.clone()),
                Step::Remove => None,
                Step::Add(by) => Some(sum(value, *by).map_err(refuse)?),
                Step::Push(items) => Some(pushed(value, items).map_err(refuse)?),
                Step::Replace { saw, with } => {
                    if saw.as_ref().map(Json::as_str) != value {
                        return Err(Rejected::Changed(key.clone()));
                    }
                    with.clone()
                }
            });
        }
        let survives = |key: &str| {
            self.clear.as_ref().is_none_or(|kept| kept.iter().any(|name| **name == *key))
        };
        let mut before = data.iter().filter(|(key, _)| survives(key)).peekable();
        let mut after = self.list.iter().map(|(key, _)| &**key).zip(&changed).peekable();
        Ok(Data::ordered(std::iter::from_fn(|| {
            loop {
                let written = after.peek().map(|(key, _)| *key);
                match before.peek() {
                    Some((key, _)) if written.is_none_or(|written| *key < written) => {
                        return before.next();
                    }
                    Some((key, _)) if written == Some(key) => {
                        before.next();
                    }
                    _ => {}
                }
                let (key, value) = after.next()?;
                if let Some(value) = value {
                    return Some((key, value.as_str()));
                }
            }
        })))
    }
}

impl fmt::Debug for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Steps").field("clears", &self.clears()).field("list", &self.list).finish()
    }
}

/// The value after an increment; absent counts as zero.
pub(super) fn sum(value: Option<&str>, by: Number) -> Result<Json> {
    let number = match value {
        None => by,
        Some(text) => Number::parse(text)
            .ok_or_else(|| {
                Error::new(ErrorKind::Type, "increment", "the value is no number that counts")
            })?
            .plus(by)?,
    };
    Ok(number.to_json())
}

/// The list after a push; absent counts as empty.
pub(super) fn pushed(value: Option<&str>, items: &[Json]) -> Result<Json> {
    Json::pushed(value, items)
        .ok_or_else(|| Error::new(ErrorKind::Type, "push", "the value is no list"))
}
