use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock::{Random, RandomUnavailable};

/// The name of one commit: a store applies what carries it at most once, so a commit whose answer
/// was lost can be sent again.
///
/// ```
/// use tenure_core::{SystemRandom, id::CommitId};
///
/// let first = CommitId::random(&SystemRandom)?;
/// assert_ne!(first, CommitId::random(&SystemRandom)?);
/// assert_eq!(first, CommitId::from_bytes(*first.as_bytes()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CommitId([u8; Self::LEN]);

impl CommitId {
    /// Octets of a commit id.
    pub const LEN: usize = 16;

    /// A fresh commit id.
    ///
    /// # Errors
    /// When there is no randomness to be had.
    pub fn random(random: &dyn Random) -> Result<Self, RandomUnavailable> {
        let mut bytes = [0; Self::LEN];
        random.fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// The commit id with these octets, as a store kept them.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The octets, to be stored.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

/// Makes the commit ids of one process: a random start, and a count. They need to be different, not
/// secret, and come with every write.
pub(crate) struct CommitIds {
    start: u64,
    count: AtomicU64,
}

impl CommitIds {
    pub(crate) fn new(random: &dyn Random) -> Result<Self, RandomUnavailable> {
        let mut start = [0; 16];
        random.fill(&mut start)?;
        let (start, count) = start.split_at(8);
        let number = |octets: &[u8]| octets.iter().fold(0, |n, &octet| n << 8 | u64::from(octet));
        Ok(Self { start: number(start), count: AtomicU64::new(number(count)) })
    }

    pub(crate) fn next(&self) -> CommitId {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let mut bytes = [0; CommitId::LEN];
        bytes[..8].copy_from_slice(&self.start.to_be_bytes());
        bytes[8..].copy_from_slice(&count.to_be_bytes());
        CommitId(bytes)
    }
}

impl fmt::Debug for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CommitId(…")?;
        for byte in &self.0[12..] {
            write!(f, "{byte:02x}")?;
        }
        f.write_str(")")
    }
}
