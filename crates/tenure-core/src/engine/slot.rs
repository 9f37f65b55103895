use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use http::header::{ACCEPT_LANGUAGE, USER_AGENT};
use http::{HeaderMap, HeaderValue};

use super::events::Event;
use super::manager::{Credential, Manager};
use super::request::Connection;
use super::state::{Answer, State, Target};
use crate::error::{Error, ErrorKind, Result};
use crate::format::TokenContext;
use crate::session::Journal;
use crate::store::client::Carried;
use crate::store::{AnyStore, Client};
use crate::transport::{Arrived, Transport};

/// Why a token is refused that no key of ours has signed, or nobody could have.
pub(super) const UNVERIFIED: &str = "malformed or not signed by us";

/// What one request has to do with its session; all handles of the request share it.
pub(crate) struct Slot {
    pub(crate) manager: Arc<Manager>,
    pub(super) arrived: Arrived,
    pub(crate) reach: Reach,
    pub(crate) secure: bool,
    peer: Option<IpAddr>,
    user_agent: Option<HeaderValue>,
    /// Only where a hook wants to know whether it changes.
    pub(super) accept_language: Option<HeaderValue>,
    pub(super) request: Option<Box<http::request::Parts>>,
    /// The store of this request, where each has its own.
    store: Option<Box<AnyStore>>,
    /// What the client brought along, where it keeps the session, and the store that it makes: made
    /// when it is asked for, since most requests never ask.
    brought: OnceLock<(Carried, AnyStore)>,
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
        if slot.manager.settings.guards.compares_languages() {
            slot.accept_language = parts.headers.get(ACCEPT_LANGUAGE).cloned();
        }
        slot.request = request;
        if !slot.manager.settings.disabled && slot.manager.sealer.is_none() {
            slot.store = slot.manager.store.for_request(parts).map(Box::new);
        }
        slot
    }

    pub(super) fn of_headers(manager: Arc<Manager>, headers: &HeaderMap, secure: bool) -> Self {
        let disabled = manager.settings.disabled;
        let state = if disabled { State::disabled() } else { State::default() };
        let arrived = match disabled {
            true => Arrived::default(),
            false => manager.transports.arrive(headers, secure),
        };
        Self {
            arrived,
            reach: Reach::Caller,
            secure,
            peer: None,
            user_agent: headers.get(USER_AGENT).cloned(),
            accept_language: None,
            request: None,
            store: None,
            brought: OnceLock::new(),
            state: Mutex::new(state),
            gate: async_lock::Mutex::new(()),
            manager,
        }
    }

    pub(super) fn of_credential(
        manager: Arc<Manager>,
        credential: Credential,
        transport: usize,
    ) -> Self {
        let mut slot = Self::of_headers(manager, &HeaderMap::new(), true);
        slot.arrived = Arrived::with_nothing(transport);
        if !slot.manager.settings.disabled {
            let mut state = slot.state();
            state.identified = true;
            slot.adopt(&mut state, credential);
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
            arrived: Arrived::with_nothing(self.arrived.index),
            reach: Reach::Nobody,
            secure: self.secure,
            peer: self.peer,
            user_agent: self.user_agent.clone(),
            accept_language: None,
            request: None,
            store: self.store.clone(),
            brought: self.brought.clone(),
            state: Mutex::new(detached),
            gate: async_lock::Mutex::new(()),
        })
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // No code of an application runs under this lock, so a poisoned one is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where this request finds its session.
    pub(crate) fn store(&self) -> &AnyStore {
        match self.brought() {
            Some((_, store)) => store,
            None => self.store.as_deref().unwrap_or(&self.manager.store),
        }
    }

    /// What the client brought along, where it keeps the session.
    pub(super) fn carried(&self) -> Option<&Carried> {
        self.brought().map(|(carried, _)| carried)
    }

    fn brought(&self) -> Option<&(Carried, AnyStore)> {
        let sealer = self.manager.sealer.as_ref()?;
        Some(self.brought.get_or_init(|| {
            let carried = Carried::new(sealer.revocations.clone());
            (carried.clone(), AnyStore::new(carried))
        }))
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
        let (token, transport) = {
            let state = self.state();
            (state.target.as_ref()?.token.clone(), self.answering(&state))
        };
        self.credential(&token, transport).ok()
    }

    /// The transport by which the request came, or the first one.
    pub(super) fn transport(&self) -> &dyn Transport {
        self.manager.transports.get(self.arrived.index)
    }

    /// The transport by which the response answers.
    pub(super) fn answering(&self, state: &State) -> &dyn Transport {
        self.manager.transports.get(state.answers_by.unwrap_or(self.arrived.index))
    }

    /// What a token of this request is made and read with, where it travels by `transport`.
    pub(super) fn token_context<'a>(&'a self, transport: &'a dyn Transport) -> TokenContext<'a> {
        self.manager.token_context(transport.name(self.secure), self.request.as_deref())
    }

    /// Refuses what takes a store that tells parallel requests apart.
    pub(crate) fn needs_merging(&self, operation: &'static str) -> Result<()> {
        if self.manager.sealer.is_none() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Misuse,
            operation,
            "the client keeps this session, so that nobody can tell who of several requests was \
             first; keep it in a store",
        ))
    }

    /// Who is asking, as a new record remembers it.
    pub(super) fn client(&self) -> Client {
        let user_agent = self.user_agent.as_ref().and_then(|value| value.to_str().ok());
        Client::new(self.peer, user_agent)
    }

    /// Reads and verifies the credential, once. Whatever is wrong with it, there is simply none.
    pub(crate) fn identify(&self, state: &mut State) {
        if std::mem::replace(&mut state.identified, true) || self.arrived.presented.is_empty() {
            return;
        }
        let manager = &*self.manager;
        let transport = self.transport();
        let candidates = transport.find(&self.arrived.presented, self.secure);
        if let Some(refusal) = candidates.refusal() {
            state.refusals.push(refusal.description());
            return;
        }
        let context = self.token_context(transport);
        let mut valid = candidates.iter().filter_map(|text| {
            let credential = manager.read(text, &context);
            if credential.is_none() {
                state.refusals.push(UNVERIFIED);
            }
            credential
        });
        let (first, second) = (valid.next(), valid.next());
        drop(valid);
        match (first, second) {
            (Some(credential), None) => self.adopt(state, credential),
            (Some(_), Some(_)) => {
                // One of them was planted, and nothing tells which (RFC 6265bis 4.2.2).
                state.refusals.push("several valid credentials in one request");
                state.answer = Answer::Remove;
            }
            (None, _) => {}
        }
    }

    /// Takes a credential that is in order for the one of this request.
    fn adopt(&self, state: &mut State, credential: Credential) {
        let Credential { token, record } = credential;
        let key = self.manager.key(&token);
        if let (Some(carried), Some(mut record)) = (self.carried(), record) {
            record.proofs.present = key.proof().copied();
            carried.put(&key, *record);
        }
        state.target = Some(Target { key, token, base: None });
    }

    /// Tells why credentials were refused.
    pub(crate) fn tell(&self, refusals: Vec<&'static str>) {
        for reason in refusals {
            self.manager.emit(Event::Rejected { reason });
        }
    }
}
