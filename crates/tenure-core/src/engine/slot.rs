use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::header::USER_AGENT;
use http::{HeaderMap, HeaderValue};

use super::events::Event;
use super::manager::Manager;
use super::outbox::Work;
use super::request::Connection;
use crate::id::{Token, UserId};
use crate::session::{Flash, Journal};
use crate::store::{AnyStore, Client, Record, StoreKey};
use crate::transport::Presented;

/// What one request has to do with its session; all handles of the request share it.
pub(crate) struct Slot {
    pub(crate) manager: Arc<Manager>,
    presented: Presented,
    pub(crate) reach: Reach,
    pub(crate) secure: bool,
    peer: Option<IpAddr>,
    user_agent: Option<HeaderValue>,
    pub(super) request: Option<Box<http::request::Parts>>,
    /// The store of this request, where each has its own.
    store: Option<Box<AnyStore>>,
    state: Mutex<State>,
    /// Held while the one load, or a commit, is under way. Never held together with the lock of
    /// `state` across an await.
    pub(super) gate: async_lock::Mutex<()>,
}

/// Whom a new token reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The client, by the response.
    Client,
    /// Whoever opened the session outside a request and asks for the token in force.
    Caller,
    /// Nobody, since the response is left to another handle.
    Nobody,
}

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
    /// Whether the browser is to drop what it keeps for the origin.
    pub(crate) clears_site: bool,
    /// Whether the session began, or got a new secret, in this request.
    pub(crate) is_new: bool,
    /// Why credentials were refused, to be told when the lock is free.
    pub(super) refusals: Vec<&'static str>,
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

impl Slot {
    pub(super) fn of_request(
        manager: Arc<Manager>,
        parts: &http::request::Parts,
        connection: Connection,
    ) -> Self {
        let request = manager.settings.keeps_request.then(|| Box::new(parts.clone()));
        let mut slot = Self::of_headers(manager, &parts.headers, connection.secure);
        slot.reach = Reach::Client;
        slot.peer = connection.peer;
        slot.request = request;
        if !slot.manager.settings.disabled {
            slot.store = slot.manager.store.for_request(parts).map(Box::new);
        }
        slot
    }

    pub(super) fn of_headers(manager: Arc<Manager>, headers: &HeaderMap, secure: bool) -> Self {
        let disabled = manager.settings.disabled;
        let state = if disabled { State::disabled() } else { State::default() };
        let presented =
            if disabled { Presented::default() } else { manager.cookie.capture(headers) };
        Self {
            presented,
            reach: Reach::Caller,
            secure,
            peer: None,
            user_agent: headers.get(USER_AGENT).cloned(),
            request: None,
            store: None,
            state: Mutex::new(state),
            gate: async_lock::Mutex::new(()),
            manager,
        }
    }

    pub(super) fn of_token(manager: Arc<Manager>, token: Token) -> Self {
        let slot = Self::of_headers(manager, &HeaderMap::new(), true);
        if !slot.manager.settings.disabled {
            let mut state = slot.state();
            state.identified = true;
            state.target = Some(Target { key: slot.manager.key(&token), token, base: None });
        }
        slot
    }

    /// A slot of its own for a stream that outlives the response: it sees what this one sees and
    /// is never sealed. None if there is no session to go on with.
    pub(crate) fn detach(&self) -> Option<Self> {
        let state = self.state();
        let target = state.target.clone().filter(|target| target.base.is_some())?;
        let mut journal = Journal::default();
        journal.rebase(target.base.as_deref());
        let detached = State {
            journal,
            identified: true,
            loaded: state.loaded,
            target: Some(target),
            ..State::default()
        };
        Some(Self {
            manager: Arc::clone(&self.manager),
            presented: Presented::default(),
            reach: Reach::Nobody,
            secure: self.secure,
            peer: self.peer,
            user_agent: self.user_agent.clone(),
            request: None,
            store: self.store.clone(),
            state: Mutex::new(detached),
            gate: async_lock::Mutex::new(()),
        })
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // No code of an application runs under this lock, so a poisoned one is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where this request finds its session.
    pub(super) fn store(&self) -> &AnyStore {
        self.store.as_deref().unwrap_or(&self.manager.store)
    }

    /// After a save by hand: a cookie with a date is sent again.
    pub(crate) fn saved(&self) {
        self.extended(true);
    }

    pub(crate) fn is_acknowledged(&self) -> bool {
        self.state().outbox.is_empty()
    }

    /// The present token as it travels.
    pub(crate) fn token_text(&self) -> Option<String> {
        let context = self.manager.token_context(self.secure, self.request.as_deref());
        let state = self.state();
        state.target.as_ref().map(|target| self.manager.scheme.write(&target.token, &context))
    }

    /// Who is asking, as a new record remembers it.
    pub(super) fn client(&self) -> Client {
        let user_agent = self.user_agent.as_ref().and_then(|value| value.to_str().ok());
        Client::new(self.peer, user_agent)
    }

    /// Reads and verifies the credential, once. Whatever is wrong with it, there is simply none.
    pub(crate) fn identify(&self, state: &mut State) {
        if std::mem::replace(&mut state.identified, true) || self.presented.is_empty() {
            return;
        }
        let manager = &*self.manager;
        let candidates = manager.cookie.candidates(&self.presented, self.secure);
        if let Some(refusal) = candidates.refusal() {
            state.refusals.push(refusal.description());
            return;
        }
        let context = manager.token_context(self.secure, self.request.as_deref());
        let mut valid = candidates.as_slice().iter().filter_map(|text| {
            let token = manager.scheme.parse(text, &context);
            if token.is_none() {
                state.refusals.push("malformed or not signed by us");
            }
            token
        });
        let (first, second) = (valid.next(), valid.next());
        drop(valid);
        match (first, second) {
            (Some(token), None) => {
                state.target = Some(Target { key: manager.key(&token), token, base: None });
            }
            (Some(_), Some(_)) => {
                // One of them was planted, and nothing tells which (RFC 6265bis 4.2.2).
                state.refusals.push("several valid credentials in one request");
                state.answer = Answer::Remove;
            }
            (None, _) => {}
        }
    }

    /// Tells why credentials were refused.
    pub(crate) fn tell(&self, refusals: Vec<&'static str>) {
        for reason in refusals {
            self.manager.emit(Event::Rejected { reason });
        }
    }
}

impl State {
    /// That of a request without sessions: an empty one, which nothing is asked or told about.
    fn disabled() -> Self {
        Self { fate: Fate::Degraded, identified: true, loaded: true, ..Self::default() }
    }

    pub(crate) fn base(&self) -> Option<&Arc<Record>> {
        self.target.as_ref()?.base.as_ref()
    }

    /// What is to be [told](Slot::tell) when the lock is free.
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
