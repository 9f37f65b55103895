//! The rules of security and of lifetimes, and what is promised when things go wrong, proven on the
//! engine alone. Tests carry the ids of the rules.

mod auth;
mod client_store;
mod closures;
mod cookies;
mod csrf;
mod data;
mod decoding;
mod detached;
mod events;
mod failures;
mod flash;
mod foreign;
mod groups;
mod guards;
mod language;
mod lifetimes;
mod limits;
mod one_shot;
mod origins;
mod people;
mod privileges;
mod profiles;
mod proxies;
mod quota;
mod races;
mod remember;
mod renewal;
mod reuse;
mod sweeping;
mod tokens;
mod typed;
mod typed_fields;
mod urls;
mod validation;
mod visitor;
