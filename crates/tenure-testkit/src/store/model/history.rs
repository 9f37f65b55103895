use proptest::collection::vec;
use proptest::prelude::*;

/// What happens to one session, in this order.
pub(super) type History = Vec<Event>;

#[derive(Clone, Debug)]
pub(super) enum Event {
    /// A request commits.
    Commit(Commit),
    /// An earlier commit is sent again.
    Repeat(usize),
    /// A request only touches, to so many milliseconds from then.
    Touch(u64),
    /// So many milliseconds pass.
    Pass(u64),
    /// The session is deleted.
    Delete,
}

#[derive(Clone, Debug)]
pub(super) struct Commit {
    pub(super) operations: Vec<Operation>,
    /// How many changes ago the record was that the request saw; none if it saw none.
    pub(super) saw: Option<usize>,
    pub(super) extend: Option<u64>,
    pub(super) idle_timeout: Option<u64>,
    pub(super) user: Option<Option<u8>>,
    /// Whether the secret is replaced.
    pub(super) login: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Operation {
    Set(&'static str, &'static str),
    Remove(&'static str),
    Add(&'static str, i64),
    /// Quarters, which floats hold exactly.
    AddQuarters(&'static str, i32),
    Push(&'static str, &'static str),
    /// Whether the value was there.
    UpdateIsSome(&'static str),
    /// A list with the value in it.
    UpdateWrap(&'static str),
    /// A closure that takes strings alone, and removes them.
    UpdateTake(&'static str),
    Clear,
}

pub(super) const KEYS: [&str; 4] = ["a", "b", "", "$ключ.\0"];
pub(super) const VALUES: [&str; 14] = [
    "0",
    "1",
    "-7",
    "9007199254740993",
    "0.5",
    "2.0",
    "null",
    "true",
    "[]",
    "[1.0]",
    "{}",
    "{\"a\":[]}",
    "\"\"",
    "\"\u{1f980}\\u0000\"",
];

pub(super) fn history() -> impl Strategy<Value = History> {
    vec(event(), 1..7)
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        12 => commit().prop_map(Event::Commit),
        3 => (0_usize..4).prop_map(Event::Repeat),
        2 => (0_u64..10_000_000).prop_map(Event::Touch),
        2 => prop_oneof![0_u64..9_000, 0_u64..9_000_000].prop_map(Event::Pass),
        1 => Just(Event::Delete),
    ]
}

fn commit() -> impl Strategy<Value = Commit> {
    (
        vec(operation(), 0..5),
        prop::option::of(0_usize..3),
        prop::option::weighted(0.3, 0_u64..10_000_000),
        prop::option::weighted(0.1, 1_000_u64..10_000_000),
        prop::option::weighted(0.1, prop::option::of(0_u8..2)),
        prop::bool::weighted(0.05),
    )
        .prop_map(|(operations, saw, extend, idle_timeout, user, login)| Commit {
            operations,
            saw,
            extend,
            idle_timeout,
            user,
            login,
        })
}

fn operation() -> impl Strategy<Value = Operation> {
    let key = || prop::sample::select(&KEYS[..]);
    let value = || prop::sample::select(&VALUES[..]);
    prop_oneof![
        4 => (key(), value()).prop_map(|(key, value)| Operation::Set(key, value)),
        2 => key().prop_map(Operation::Remove),
        4 => (key(), -3_i64..4).prop_map(|(key, by)| Operation::Add(key, by)),
        1 => (key(), -9_i32..9).prop_map(|(key, by)| Operation::AddQuarters(key, by)),
        3 => (key(), value()).prop_map(|(key, item)| Operation::Push(key, item)),
        2 => key().prop_map(Operation::UpdateIsSome),
        2 => key().prop_map(Operation::UpdateWrap),
        1 => key().prop_map(Operation::UpdateTake),
        1 => Just(Operation::Clear),
    ]
}
