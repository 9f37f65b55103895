use std::collections::VecDeque;
use std::sync::Arc;

use super::outbox::Work;
use crate::id::{Token, UserId};
use crate::session::{Flash, Journal};
use crate::store::{Record, StoreKey};

/// The part that changes; its lock is held for moments, never across an await and never while an
/// application's code runs.
#[derive(Default)]
pub(crate) struct State {
    /// Whether the response head has gone, so that nothing can be recorded any more.
    pub(crate) sealed: bool,
    /// Whether handles are left that may read after that: a stream has one.
    pub(super) is_held: bool,
    pub(crate) fate: Fate,
    /// Whether the response depends on the session.
    pub(crate) consulted: bool,
    /// Whether the credential has been read and verified.
    pub(crate) identified: bool,
    /// Whether the store has been asked.
    pub(crate) loaded: bool,
    /// Whether, when it was loaded, the session was due for a touch or a phase of its renewal.
    pub(super) due: bool,
    /// The session that this request works on; none while there is none yet.
    pub(crate) target: Option<Target>,
    /// A session to delete with the next commit.
    pub(crate) doomed: Option<Doomed>,
    pub(crate) journal: Journal,
    pub(crate) flash: Flash,
    /// Commits that the store has not acknowledged yet, oldest first.
    pub(super) outbox: VecDeque<Arc<Work>>,
    /// Whose log-in has taken effect, until their sessions are counted.
    pub(super) entered: Option<UserId>,
    pub(super) answer: Answer,
    /// The transport that answers in place of the one by which the request came.
    pub(crate) answers_by: Option<usize>,
    /// Whether a handler puts the credential into the body of the response.
    pub(super) given: bool,
    /// What the client is to keep, as it was written at the last commit.
    pub(super) written: Option<Written>,
    /// Whether the browser is to drop what it keeps for the origin.
    pub(crate) clears_site: bool,
    /// Whether the session began, or got a new secret, in this request.
    pub(crate) is_new: bool,
    /// Why credentials were refused, to be told when the lock is free.
    pub(super) refusals: Vec<&'static str>,
}

/// A session as the client keeps it.
#[derive(Clone)]
pub(super) struct Written {
    /// The transport that the text was written for.
    pub(super) name: String,
    pub(super) text: String,
}

/// A session on its way out.
#[derive(Clone)]
pub(crate) struct Doomed {
    pub(super) key: StoreKey,
    /// Whose it is, if the request knows.
    pub(super) user: Option<UserId>,
    /// Whether that is a logout.
    pub(super) logs_out: bool,
}

/// A session that a request works on.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) token: Token,
    pub(crate) key: StoreKey,
    /// The record as last seen; none as long as it was only written to.
    pub(crate) base: Option<Arc<Record>>,
}

/// Whether the request may still write, and what for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fate {
    #[default]
    Open,
    /// Destroyed by this request for good.
    Destroyed,
    /// Ended or superseded meanwhile; what is written is dropped.
    Gone,
    /// The store is down and the configuration says to go on without it, or without any sessions.
    Degraded,
}

/// What the response says to the client.
#[derive(Clone, Default)]
pub(super) enum Answer {
    #[default]
    Nothing,
    Issue(Token),
    Remove,
}

impl State {
    /// That of a request without sessions: an empty one, which nothing is asked or told about.
    pub(super) fn disabled() -> Self {
        Self { fate: Fate::Degraded, identified: true, loaded: true, ..Self::default() }
    }

    pub(crate) fn base(&self) -> Option<&Arc<Record>> {
        self.target.as_ref()?.base.as_ref()
    }

    /// Notes that a handler gives the client its credential.
    pub(crate) fn give(&mut self) {
        self.given = true;
        if matches!(self.answer, Answer::Issue(_)) {
            self.answer = Answer::Nothing;
        }
    }

    /// What is to be [told](super::Slot::tell) when the lock is free.
    pub(crate) fn refusals(&mut self) -> Vec<&'static str> {
        std::mem::take(&mut self.refusals)
    }

    /// Ends the session as [`doom`](Self::doom) does, because its user leaves.
    pub(crate) fn log_out(&mut self) {
        let before = self.doomed.is_some();
        self.doom();
        if !before && let Some(doomed) = &mut self.doomed {
            doomed.logs_out = true;
        }
    }

    /// Ends the session with the next commit and forgets what was recorded for it.
    pub(crate) fn doom(&mut self) {
        let doomed = |key: &StoreKey, user: Option<&UserId>| Doomed {
            key: key.clone(),
            user: user.cloned(),
            logs_out: false,
        };
        let created = self.outbox.iter().find_map(|work| match &**work {
            Work::Create { key, record, .. } => Some(doomed(key, record.user.as_ref())),
            _ => None,
        });
        // A deletion that was never acknowledged must go on; what it overtakes need not.
        self.outbox.retain(|work| matches!(**work, Work::Delete { .. }));
        let loaded = self.target.take().map(|target| {
            doomed(&target.key, target.base.as_ref().and_then(|base| base.user.as_ref()))
        });
        if let Some(session) = loaded.or(created) {
            self.doomed = Some(session);
        }
        self.journal = Journal::default();
        self.is_new = true;
        self.loaded = true;
        if matches!(self.answer, Answer::Issue(_)) {
            self.answer = Answer::Nothing;
        }
    }
}
