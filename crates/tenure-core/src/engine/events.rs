//! What happens to sessions, told to whoever listens: after it has happened, so that nobody can
//! stop it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::manager::Manager;
use crate::error::Error;
use crate::id::{Handle, UserId};

pub(crate) type Listener = Arc<dyn Fn(&Event<'_>) + Send + Sync>;

/// Something that has happened to a session; [`on_event`](super::SessionsBuilder::on_event) hears
/// of it, and [`Counts`](super::Counts) has the numbers.
///
/// It names the session by its public handle, which sessions of foreign formats do not have, and
/// the user where the request knows them. No token and no part of one is ever in it.
///
/// A session that expires does so without anybody noticing: the store has it or does not, and does
/// not tell one that has expired from one that was logged out. What is left are
/// [`Unknown`](Self::Unknown), when its client comes back, and [`Swept`](Self::Swept), a number.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> tenure_core::Result<()> {
/// # use std::sync::{Arc, Mutex};
/// # use tenure_core::{Sessions, engine::Event, store::MemoryStore};
/// # let log = Arc::new(Mutex::new(Vec::new()));
/// # let audit = Arc::clone(&log);
/// let sessions = Sessions::builder()
///     .store(MemoryStore::new())
///     .on_event(move |event| match event {
///         Event::LoggedIn { user, .. } => audit.lock().unwrap().push(format!("{user} is in")),
///         Event::LoggedOut { .. } => audit.lock().unwrap().push("and out".to_owned()),
///         _ => {}
///     })
///     .build()?;
/// let session = sessions.start().await?;
/// session.login("ada")?;
/// session.commit().await?;
/// session.logout()?;
/// session.commit().await?;
/// assert_eq!(*log.lock().unwrap(), ["ada is in", "and out"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The store had the session of a credential.
    Loaded {
        /// Which one.
        session: Option<Handle>,
        /// Whose it is.
        user: Option<&'a UserId>,
    },
    /// The store has no live session for a well-formed credential: it has expired or was ended, or
    /// its secret was replaced.
    Unknown {
        /// The one that the credential names.
        session: Option<Handle>,
    },
    /// That secret is one which the session had before, and the session is alive: two hold its
    /// credential, and one of them is a thief. Only with
    /// [`on_reuse`](super::SessionsBuilder::on_reuse); it follows [`Unknown`](Self::Unknown).
    Reused {
        /// Which one.
        session: Option<Handle>,
        /// Whose it is.
        user: Option<&'a UserId>,
    },
    /// The record is of a version that this library does not know; it is taken for no session, so
    /// [`Unknown`](Self::Unknown) follows.
    UnknownVersion {
        /// Which one.
        session: Option<Handle>,
    },
    /// A credential was refused before any store call.
    Rejected {
        /// Why, for a log: the wording may change.
        reason: &'static str,
    },
    /// A session has begun.
    Created {
        /// Which one.
        session: Option<Handle>,
        /// Whose it is.
        user: Option<&'a UserId>,
    },
    /// A commit has changed a session.
    Committed {
        /// Which one.
        session: Option<Handle>,
        /// Whose it is, as far as this request knows.
        user: Option<&'a UserId>,
    },
    /// That commit met those of other requests, which this one had not seen, and was merged with
    /// them: nothing is lost. Seen where the store tells what came of the commit, within the ten
    /// seconds for which a record remembers commits.
    Conflict {
        /// Which one.
        session: Option<Handle>,
        /// Whose it is, as far as this request knows.
        user: Option<&'a UserId>,
    },
    /// A commit was dropped, since its session had ended or had another secret by then.
    Gone {
        /// Which one, unless it was dropped before it was sent.
        session: Option<Handle>,
        /// Whose it was, as far as this request knows.
        user: Option<&'a UserId>,
    },
    /// The secret was replaced, by a change of privilege or by renewal. In a foreign format, whose
    /// id is the secret, this is a [`Created`](Self::Created) and a [`Destroyed`](Self::Destroyed).
    Rotated {
        /// Which one.
        session: Option<Handle>,
        /// Whose it is, as far as this request knows.
        user: Option<&'a UserId>,
    },
    /// The idle deadline has moved, and nothing else.
    Touched {
        /// Which one.
        session: Option<Handle>,
        /// Whose it is, as far as this request knows.
        user: Option<&'a UserId>,
    },
    /// A user has logged in; it follows the commit or the creation that did it.
    LoggedIn {
        /// The session that they got.
        session: Option<Handle>,
        /// Who.
        user: &'a UserId,
    },
    /// A request called `logout`, and the session is gone; it follows [`Destroyed`](Self::Destroyed).
    /// Or a log-in was taken back at once, since others at the same time made too many sessions for
    /// one user; then the session stays, without a user.
    LoggedOut {
        /// The session that has ended.
        session: Option<Handle>,
        /// Who, if the request had loaded the session and it was somebody's.
        user: Option<&'a UserId>,
    },
    /// A session was deleted, by a request of its own or by its handle.
    Destroyed {
        /// Which one.
        session: Option<Handle>,
        /// Whose it was, as far as this request knows.
        user: Option<&'a UserId>,
    },
    /// A session was ended by force, since its client came from elsewhere or as another one.
    LockedOut {
        /// Which one.
        session: Option<Handle>,
        /// Whose it was.
        user: Option<&'a UserId>,
        /// What differed.
        reason: &'static str,
    },
    /// The sessions of a user were ended, all or all but one.
    UserRevoked {
        /// Whose.
        user: &'a UserId,
        /// How many they were.
        sessions: u32,
    },
    /// The sessions of everybody were ended.
    EverybodyRevoked,
    /// A sweeper has cleared expired sessions away.
    Swept {
        /// How many they were.
        sessions: u32,
    },
    /// A load, a commit or a sweep has failed; [`on_error`](super::SessionsBuilder::on_error) has
    /// heard of it already.
    Failed {
        /// What the request got, or would have got.
        error: &'a Error,
    },
}

impl<'a> Event<'a> {
    /// Its name, for a log or a label: `logged_in`, say.
    ///
    /// ```
    /// use tenure_core::engine::Event;
    ///
    /// assert_eq!(Event::Swept { sessions: 3 }.name(), "swept");
    /// ```
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Loaded { .. } => "loaded",
            Self::Unknown { .. } => "unknown",
            Self::Reused { .. } => "reused",
            Self::UnknownVersion { .. } => "unknown_version",
            Self::Rejected { .. } => "rejected",
            Self::Created { .. } => "created",
            Self::Committed { .. } => "committed",
            Self::Conflict { .. } => "conflict",
            Self::Gone { .. } => "gone",
            Self::Rotated { .. } => "rotated",
            Self::Touched { .. } => "touched",
            Self::LoggedIn { .. } => "logged_in",
            Self::LoggedOut { .. } => "logged_out",
            Self::Destroyed { .. } => "destroyed",
            Self::LockedOut { .. } => "locked_out",
            Self::UserRevoked { .. } => "user_revoked",
            Self::EverybodyRevoked => "everybody_revoked",
            Self::Swept { .. } => "swept",
            Self::Failed { .. } => "failed",
        }
    }

    /// The session that it happened to, if it was one and has a handle.
    ///
    /// ```
    /// # use tenure_core::{Handle, engine::Event};
    /// let session = Some(Handle::from_bytes([7; 12]));
    /// assert_eq!(Event::Unknown { session }.session(), session);
    /// assert_eq!(Event::Swept { sessions: 3 }.session(), None);
    /// ```
    #[must_use]
    pub fn session(&self) -> Option<Handle> {
        match *self {
            Self::Loaded { session, .. }
            | Self::Unknown { session }
            | Self::Reused { session, .. }
            | Self::UnknownVersion { session }
            | Self::Created { session, .. }
            | Self::Committed { session, .. }
            | Self::Conflict { session, .. }
            | Self::Gone { session, .. }
            | Self::Rotated { session, .. }
            | Self::Touched { session, .. }
            | Self::LoggedIn { session, .. }
            | Self::LoggedOut { session, .. }
            | Self::Destroyed { session, .. }
            | Self::LockedOut { session, .. } => session,
            Self::Rejected { .. }
            | Self::UserRevoked { .. }
            | Self::EverybodyRevoked
            | Self::Swept { .. }
            | Self::Failed { .. } => None,
        }
    }

    /// The user whom it is about, where that is known.
    ///
    /// ```
    /// # use tenure_core::{UserId, engine::Event};
    /// let ada = UserId::new("ada")?;
    /// assert_eq!(Event::UserRevoked { user: &ada, sessions: 2 }.user(), Some(&ada));
    /// assert_eq!(Event::EverybodyRevoked.user(), None);
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub fn user(&self) -> Option<&'a UserId> {
        match *self {
            Self::Loaded { user, .. }
            | Self::Reused { user, .. }
            | Self::Created { user, .. }
            | Self::Committed { user, .. }
            | Self::Conflict { user, .. }
            | Self::Gone { user, .. }
            | Self::Rotated { user, .. }
            | Self::Touched { user, .. }
            | Self::LoggedOut { user, .. }
            | Self::Destroyed { user, .. }
            | Self::LockedOut { user, .. } => user,
            Self::LoggedIn { user, .. } | Self::UserRevoked { user, .. } => Some(user),
            Self::Unknown { .. }
            | Self::UnknownVersion { .. }
            | Self::Rejected { .. }
            | Self::EverybodyRevoked
            | Self::Swept { .. }
            | Self::Failed { .. } => None,
        }
    }
}

impl Manager {
    /// Counts an event and tells it: the only way to do either. The caller holds no lock of a
    /// session's state, which listeners may want to look at.
    pub(crate) fn emit(&self, event: Event<'_>) {
        self.counters.count(&event);
        super::trace::tell(&event);
        if let (Event::Failed { error }, Some(hook)) = (&event, &self.settings.on_error) {
            guarded(|| hook(error));
        }
        for listener in &self.settings.listeners {
            guarded(|| listener(&event));
        }
    }

    pub(crate) fn report(&self, error: &Error) {
        self.emit(Event::Failed { error });
    }
}

/// What listens must not break what it listens to.
pub(super) fn guarded(listen: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(listen)).is_err() {
        super::trace::listener_panicked();
    }
}
