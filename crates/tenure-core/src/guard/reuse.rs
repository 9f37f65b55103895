use std::time::SystemTime;

use crate::id::{Handle, UserId};
use crate::store::{Client, Record};

/// A request that came with a secret which its living session had before; what a hook of
/// [`on_reuse`](crate::SessionsBuilder::on_reuse) is told.
///
/// ```
/// use tenure_core::guard::Reuse;
///
/// fn alert(reuse: &Reuse<'_>) -> String {
///     let whose = reuse.user().map_or("nobody", |user| user.as_str());
///     let (began, present) = (reuse.began(), reuse.present());
///     format!(
///         "session {} of {whose}, begun by {began:?}: {present:?} has a secret from before {:?}",
///         reuse.handle(),
///         reuse.renewed_at(),
///     )
/// }
/// # let sessions = tenure_core::Sessions::builder().store(tenure_core::store::MemoryStore::new());
/// # let _ = sessions.on_reuse(|reuse| drop(alert(reuse)));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Reuse<'a> {
    handle: Handle,
    record: &'a Record,
    present: &'a Client,
}

impl<'a> Reuse<'a> {
    pub(crate) fn new(handle: Handle, record: &'a Record, present: &'a Client) -> Self {
        Self { handle, record, present }
    }

    /// Which session it is: its public name, by which it is
    /// [ended](crate::Sessions::revoke).
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle
    }

    /// Whose session it is.
    #[must_use]
    pub fn user(&self) -> Option<&UserId> {
        self.record.user.as_ref()
    }

    /// Since when the secret counts that the session has now.
    #[must_use]
    pub fn renewed_at(&self) -> SystemTime {
        self.record.renewed.into()
    }

    /// The client with which the session began.
    #[must_use]
    pub fn began(&self) -> &Client {
        &self.record.client
    }

    /// The client of this request. It may be the thief or the owner.
    #[must_use]
    pub fn present(&self) -> &Client {
        self.present
    }
}
