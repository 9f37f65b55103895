use std::fmt;

use super::Record;

/// Which version of a record: opaque to all but the store that made it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Revision(Repr);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Repr {
    Number(u64),
    Text(Box<str>),
}

impl Revision {
    /// A number under 2⁶² with which the revisions of a new record may begin, if each write adds
    /// one: it lies far from those of a record that had the same key before. It is made from the
    /// commit that creates the record. Such ids count within one process, so cutting octets off one
    /// of them would not do.
    ///
    /// ```
    /// # use std::time::Duration;
    /// use tenure_core::store::{Record, Revision};
    /// use tenure_core::{Timestamp, id::CommitId};
    ///
    /// # let now = Timestamp::from_millis(1);
    /// let mut record = Record::new(now, Duration::from_secs(60), Duration::from_secs(3600));
    /// let mut first = |id| {
    ///     record.commits = vec![(CommitId::from_bytes([id; 16]), now)];
    ///     Revision::first(&record).as_number().unwrap()
    /// };
    /// assert!(first(1).abs_diff(first(2)) > 1 << 32);
    /// ```
    #[must_use]
    pub fn first(record: &Record) -> Self {
        // An odd factor keeps different ids different and spreads those that lie close together:
        // 2⁶⁴ divided by the golden ratio.
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        let number = |octets: &[u8]| octets.iter().fold(0, |n, &octet| n << 8 | u64::from(octet));
        let mixed = record.commits.first().map_or(0, |(id, _)| {
            let (start, count) = id.as_bytes().split_at(8);
            (number(start) ^ number(count).wrapping_mul(SPREAD)).wrapping_mul(SPREAD)
        });
        Self::number(mixed >> 2)
    }

    /// A revision that is a number.
    ///
    /// ```
    /// # use tenure_core::store::Revision;
    /// let revision = Revision::number(7);
    /// assert_eq!((revision.as_number(), revision.as_text()), (Some(7), None));
    /// ```
    #[must_use]
    pub const fn number(number: u64) -> Self {
        Self(Repr::Number(number))
    }

    /// A revision that is text.
    ///
    /// ```
    /// # use tenure_core::store::Revision;
    /// let revision = Revision::text("W/\"7\""); // an entity tag, say
    /// assert_eq!((revision.as_number(), revision.as_text()), (None, Some("W/\"7\"")));
    /// ```
    #[must_use]
    pub fn text(text: impl Into<Box<str>>) -> Self {
        Self(Repr::Text(text.into()))
    }

    /// The number, if it is one.
    ///
    /// See the example of [`number`](Self::number).
    #[must_use]
    pub const fn as_number(&self) -> Option<u64> {
        match self.0 {
            Repr::Number(number) => Some(number),
            Repr::Text(_) => None,
        }
    }

    /// The text, if it is one.
    ///
    /// See the example of [`text`](Self::text).
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.0 {
            Repr::Number(_) => None,
            Repr::Text(text) => Some(text),
        }
    }
}

impl fmt::Debug for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Number(number) => write!(f, "Revision({number})"),
            Repr::Text(text) => write!(f, "Revision({text})"),
        }
    }
}
