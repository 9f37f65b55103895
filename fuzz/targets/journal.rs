//! What requests do to a session, one after the other and two at a time, against a map of values to
//! which the same is done.

#![no_main]

use std::collections::BTreeMap;

use arbitrary::{Arbitrary, Unstructured};
use http::header::COOKIE;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tenure_core::engine::Exchange;
use tenure_core::store::MemoryStore;
use tenure_core::{ErrorKind, Result, Session, Sessions};
use tenure_fuzz::{Counted, NAME, closed, now, opened, sessions};

/// Below the limits of a request and of a session.
const MOST_STEPS: usize = 40;
const MOST_VISITS: usize = 12;
const KEYS: [&str; 4] = ["", "a", "b.c", "\u{e9}"];
const USERS: [&str; 2] = ["ada", "grace"];

#[derive(Arbitrary, Debug)]
struct Input {
    /// Whether the store merges by itself, or by way of `swap`.
    merges: bool,
    visits: Vec<Visit>,
}

#[derive(Arbitrary, Debug)]
enum Visit {
    One(Vec<Step>),
    /// Both begin before one ends.
    Two(Vec<Write>, Vec<Write>),
}

#[derive(Arbitrary, Debug)]
enum Step {
    Write(Write),
    Login(bool),
    Logout,
    Regenerate,
    Save,
    Reload,
}

#[derive(Arbitrary, Clone, Debug)]
enum Write {
    Set(u8, Item),
    Remove(u8),
    Add(u8, #[arbitrary(with = number)] i64),
    Push(u8, Item),
    /// By a closure.
    Double(u8),
    Take(u8),
    Clear,
}

#[derive(Arbitrary, Clone, Debug)]
enum Item {
    Null,
    Number(#[arbitrary(with = number)] i64),
    Text(u8),
    List(Vec<u8>),
}

/// Mostly one whose sums fit.
fn number(octets: &mut Unstructured<'_>) -> arbitrary::Result<i64> {
    if u8::arbitrary(octets)? < 0xf0 {
        i16::arbitrary(octets).map(i64::from)
    } else {
        octets.arbitrary()
    }
}

fuzz_target!(|input: Input| {
    let sessions = match input.merges {
        true => sessions(MemoryStore::new()),
        false => sessions(Counted::default()),
    };
    let mut visitor = Visitor { sessions, token: None, kept: Map::default(), user: None };
    for visit in input.visits.into_iter().take(MOST_VISITS) {
        match visit {
            Visit::One(steps) => visitor.one(steps),
            Visit::Two(first, second) => visitor.two([first, second]),
        }
    }
});

/// What a session should hold.
#[derive(Clone, Debug, Default, PartialEq)]
struct Map(BTreeMap<&'static str, Value>);

/// A browser, and what its session should be.
struct Visitor {
    sessions: Sessions,
    token: Option<String>,
    kept: Map,
    user: Option<&'static str>,
}

impl Visitor {
    fn open(&self) -> (Exchange, Session) {
        let cookie = self.token.as_ref().map(|token| format!("{NAME}={token}").parse().unwrap());
        let exchange = opened(&self.sessions, COOKIE, cookie);
        let session = now(exchange.session().load()).expect("loaded");
        self.kept.check(&session);
        assert_eq!(session.user().map(|user| user.to_string()).as_deref(), self.user);
        (exchange, session)
    }

    fn close(&mut self, exchange: Exchange) -> Result<()> {
        let (_, cookie, outcome) = closed(exchange);
        if let Some(token) = cookie {
            self.token = Some(token).filter(|token| !token.is_empty());
        }
        outcome
    }

    fn one(&mut self, steps: Vec<Step>) {
        let (exchange, session) = self.open();
        let mut seen = self.kept.clone();
        for step in steps.into_iter().take(MOST_STEPS) {
            match step {
                Step::Write(write) => drop(seen.write_both(&session, &write)),
                Step::Login(which) => {
                    let user = USERS[usize::from(which)];
                    session.login(user).expect("logged in");
                    // Another user finds nothing of the one before.
                    if self.user.replace(user).is_some_and(|before| before != user) {
                        seen = Map::default();
                    }
                }
                Step::Logout => {
                    session.logout().expect("logged out");
                    (seen, self.kept, self.user) = Default::default();
                }
                Step::Regenerate => session.regenerate().expect("regenerated"),
                Step::Save => {
                    now(session.save()).expect("saved");
                    self.kept = seen.clone();
                }
                Step::Reload => {
                    // Nothing but the data is looked at here, so what else is unsaved goes first.
                    now(session.save()).expect("saved");
                    let reloaded = now(session.reload());
                    assert_eq!(reloaded.is_ok(), session.exists(), "{reloaded:?}");
                    if !session.exists() {
                        assert_eq!(seen, Map::default(), "it was saved, and is not there");
                    }
                }
            }
            seen.check(&session);
        }
        self.close(exchange).expect("committed");
        self.kept = seen;
        drop(self.open());
    }

    fn two(&mut self, writes: [Vec<Write>; 2]) {
        let begun = writes.map(|writes| (self.open(), writes));
        if !begun.iter().all(|((_, session), _)| session.exists()) {
            return;
        }
        let done = begun.map(|((exchange, session), writes)| {
            let mut seen = self.kept.clone();
            let mut journal: Vec<Write> = Vec::new();
            for write in writes.into_iter().take(MOST_STEPS) {
                if let Some(write) = seen.write_both(&session, &write) {
                    note(&mut journal, write);
                }
            }
            (exchange, journal)
        });
        for (exchange, journal) in done {
            let mut after = self.kept.clone();
            let fits = journal.iter().all(|write| after.write(write).is_ok());
            let outcome = self.close(exchange);
            assert_eq!(outcome.is_ok(), fits, "{outcome:?} of {journal:?} on {:?}", self.kept);
            // All of it, or nothing.
            if fits {
                self.kept = after;
            }
            drop(self.open());
        }
    }
}

/// Notes a write in normal form: what it overwrites does not matter any more, and neighbouring sums
/// of one key are one, since it is only their sum that has to fit.
fn note(journal: &mut Vec<Write>, write: Write) {
    match &write {
        Write::Clear => journal.clear(),
        Write::Set(..) | Write::Remove(_) => {
            journal.retain(|noted| noted.key() != write.key());
        }
        Write::Add(_, by) => {
            let last = journal.iter_mut().rfind(|noted| noted.key() == write.key());
            if let Some(Write::Add(_, sum)) = last
                && let Some(folded) = sum.checked_add(*by)
            {
                *sum = folded;
                return;
            }
        }
        _ => {}
    }
    journal.push(write);
}

fn name(key: u8) -> &'static str {
    KEYS[usize::from(key) % KEYS.len()]
}

impl Map {
    /// Does the same to the session and here, with the same outcome, and gives what the session
    /// recorded of it.
    fn write_both(&mut self, session: &Session, write: &Write) -> Option<Write> {
        let before = self.clone();
        let here = self.write(write);
        let key = write.key().unwrap_or_default();
        let there = match write {
            Write::Set(_, item) => session.set(key, item.value()),
            Write::Remove(_) => session.remove(key),
            Write::Add(_, by) => session.increment(key, *by),
            Write::Push(_, item) => session.push(key, item.value()),
            Write::Double(_) => session.update_with(key, doubled),
            Write::Take(_) => session.take::<Value>(key).map(|taken| {
                assert_eq!(taken.as_ref(), before.0.get(key));
            }),
            Write::Clear => session.clear(),
        };
        let refused = there.err().map(|error| error.kind());
        assert_eq!(refused, here.err(), "{write:?} on {before:?}");
        match write {
            _ if refused.is_some() => None,
            Write::Take(_) if !before.0.contains_key(key) => None,
            Write::Take(key) => Some(Write::Remove(*key)),
            write => Some(write.clone()),
        }
    }

    fn write(&mut self, write: &Write) -> Result<(), ErrorKind> {
        let Some(key) = write.key() else {
            self.0.clear();
            return Ok(());
        };
        match write {
            Write::Set(_, item) => drop(self.0.insert(key, item.value())),
            Write::Add(_, by) => {
                let before = match self.0.get(key) {
                    None => 0,
                    Some(value) => value.as_i64().ok_or(ErrorKind::Type)?,
                };
                let sum = before.checked_add(*by).ok_or(ErrorKind::Overflow)?;
                self.0.insert(key, sum.into());
            }
            Write::Push(_, item) => {
                let list = self.0.get(key).cloned().unwrap_or_else(|| Value::Array(Vec::new()));
                let Value::Array(mut items) = list else { return Err(ErrorKind::Type) };
                items.push(item.value());
                self.0.insert(key, items.into());
            }
            Write::Double(_) => {
                if let Some(value) = doubled(self.0.remove(key)) {
                    self.0.insert(key, value);
                }
            }
            Write::Remove(_) | Write::Take(_) | Write::Clear => drop(self.0.remove(key)),
        }
        Ok(())
    }

    fn check(&self, session: &Session) {
        let keys: Vec<&str> = self.0.keys().copied().collect();
        assert_eq!(session.keys(), keys);
        for (key, value) in &self.0 {
            assert_eq!(session.get::<Value>(*key).expect("JSON").as_ref(), Some(value));
        }
    }
}

/// Twice the number, a text that is twice as long up to some length; a list is dropped.
fn doubled(value: Option<Value>) -> Option<Value> {
    match value? {
        Value::Number(number) => Some(number.as_i64()?.wrapping_mul(2).into()),
        Value::String(text) => Some(if text.len() < 8 { text.repeat(2) } else { text }.into()),
        Value::Array(_) => None,
        other => Some(other),
    }
}

impl Write {
    /// The key, unless it is about all of them.
    fn key(&self) -> Option<&'static str> {
        match self {
            Self::Set(key, _)
            | Self::Remove(key)
            | Self::Add(key, _)
            | Self::Push(key, _)
            | Self::Double(key)
            | Self::Take(key) => Some(name(*key)),
            Self::Clear => None,
        }
    }
}

impl Item {
    fn value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Number(number) => (*number).into(),
            Self::Text(octet) => char::from(*octet).to_string().into(),
            Self::List(items) => items[..items.len().min(8)].into(),
        }
    }
}
