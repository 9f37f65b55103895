//! What becomes of the writing operations of a store.

use super::{Record, Refused, Revision};

/// The outcome of [`Store::create`](super::Store::create).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Created {
    /// The record is filed.
    Created,
    /// A live record has this key; it is unchanged.
    Collision,
}

/// The outcome of [`Store::swap`](super::Store::swap).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Swap {
    /// The new record is there, with this revision.
    Done(Revision),
    /// The record has another revision by now.
    Conflict,
    /// There is no record that admits the key.
    Gone,
}

/// The outcome of [`Store::apply`](super::Store::apply).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Applied {
    /// The patch took effect; with the record after it, which a store must give for a patch that
    /// [prepares](super::ProofChange::Prepare) a secret, and may leave out for others.
    Done(Option<Box<Record>>),
    /// There is no record that admits the key; nothing was created.
    Gone,
    /// A step does not fit the value that it meets; nothing was changed.
    Refused(Refused),
}
