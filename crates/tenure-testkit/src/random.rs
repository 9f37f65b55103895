use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tenure_core::clock::RandomUnavailable;
use tenure_core::{Random, SystemRandom};

/// Randomness that is written down beforehand, to provoke what chance brings once in an age: two
/// sessions with one handle. Clones share the script; when it is used up, the operating system's
/// random numbers follow.
///
/// ```
/// use tenure_core::{Random, SystemRandom, id::CommitId};
/// use tenure_testkit::ScriptedRandom;
///
/// let random = ScriptedRandom::new().then([1; 16]).then([1; 16]);
/// let first = CommitId::random(&random)?;
/// assert_eq!(first, CommitId::random(&random)?, "a collision");
/// assert_ne!(first, CommitId::random(&random)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct ScriptedRandom(Arc<Mutex<VecDeque<Line>>>);

#[derive(Debug)]
enum Line {
    Bytes(Vec<u8>),
    Unavailable,
}

impl ScriptedRandom {
    /// An empty script.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an answer to one call. If it is asked for more than these bytes, they are repeated; what
    /// it is not asked for is dropped.
    #[must_use]
    pub fn then(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.script().push_back(Line::Bytes(bytes.into()));
        self
    }

    /// Adds a call that fails.
    ///
    /// ```
    /// # use tenure_core::{Random, id::CommitId};
    /// # use tenure_testkit::ScriptedRandom;
    /// let random = ScriptedRandom::new().then_unavailable();
    /// assert!(CommitId::random(&random).is_err());
    /// assert!(CommitId::random(&random).is_ok(), "the next call is the operating system's");
    /// ```
    #[must_use]
    pub fn then_unavailable(self) -> Self {
        self.script().push_back(Line::Unavailable);
        self
    }

    /// How many answers of the script have not been given.
    ///
    /// ```
    /// # use tenure_core::id::CommitId;
    /// # use tenure_testkit::ScriptedRandom;
    /// let random = ScriptedRandom::new().then([1; 16]).then([2; 16]);
    /// CommitId::random(&random)?;
    /// assert_eq!(random.left(), 1);
    /// # Ok::<(), tenure_core::clock::RandomUnavailable>(())
    /// ```
    #[must_use]
    pub fn left(&self) -> usize {
        self.script().len()
    }

    fn script(&self) -> MutexGuard<'_, VecDeque<Line>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Random for ScriptedRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomUnavailable> {
        let line = self.script().pop_front();
        match line {
            Some(Line::Bytes(script)) => {
                for (byte, written) in bytes.iter_mut().zip(script.iter().cycle()) {
                    *byte = *written;
                }
                Ok(())
            }
            Some(Line::Unavailable) => Err(RandomUnavailable),
            None => SystemRandom.fill(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_is_followed_to_its_end() {
        let random = ScriptedRandom::new().then([1, 2]).then_unavailable().then([9; 8]);
        let mut bytes = [0; 5];
        random.clone().fill(&mut bytes).unwrap();
        assert_eq!(bytes, [1, 2, 1, 2, 1]);
        assert_eq!(random.left(), 2);
        assert!(random.fill(&mut bytes).is_err());
        random.fill(&mut bytes).unwrap();
        assert_eq!(bytes, [9; 5]);
        let mut two = [[0; 16]; 2];
        random.fill(&mut two[0]).unwrap();
        random.fill(&mut two[1]).unwrap();
        assert_ne!(two[0], two[1]);
    }
}
