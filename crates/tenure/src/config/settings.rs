//! All settings but those of store and connections, put into a builder.

use std::collections::BTreeMap;

use tenure_core::engine::{AtLimit, Profile, Undecodable, WhenUnavailable};
use tenure_core::{Sessions, SessionsBuilder};

use super::keys::{self, Secrets};
use super::reader::Reader;
use super::{guards, transports};

/// The keys, or why there need not be any.
pub(super) enum Keys {
    Given(Secrets),
    /// Tokens are to be unsigned.
    Unsigned,
    Missing,
}

/// What was configured.
pub(super) fn settings(
    reader: &mut Reader,
    vars: &BTreeMap<String, String>,
) -> (SessionsBuilder, Keys) {
    let mut builder = Sessions::builder();
    let keys = keys::keys(reader, vars);
    let unsigned = reader.is_on("insecure_unsigned_tokens");
    if keys.is_some() && unsigned {
        reader.problem("secret, insecure_unsigned_tokens: keep the secret alone");
    }
    let at_rest = reader.is_on("seal_at_rest");
    if at_rest && keys.is_none() {
        reader.problem("seal_at_rest: the key comes from the secret; set `secret_file` as well");
    }
    if let Some(keys) = keys.as_ref().filter(|_| at_rest) {
        builder = builder.seal_at_rest(keys.ring.clone());
    }
    let keys = match keys {
        Some(keys) => Keys::Given(keys),
        None if unsigned => Keys::Unsigned,
        None => Keys::Missing,
    };
    if unsigned {
        builder = builder.insecure_unsigned_tokens();
    }
    if let Some(namespace) = reader.text("namespace") {
        builder = builder.namespace(namespace);
    }
    builder = lifetimes(builder, reader);
    builder = limits(builder, reader);
    builder = quota(builder, reader);
    builder = guards::locks(builder, reader);
    let choices = [("fail", WhenUnavailable::Fail), ("degrade", WhenUnavailable::Degrade)];
    if let Some(what) = reader.choice("when_unavailable", &choices) {
        builder = builder.when_unavailable(what);
    }
    if reader.choice("undecodable", &[("fail", false), ("reset", true)]) == Some(true) {
        builder = builder.undecodable(Undecodable::Reset);
    }
    (builder, keys)
}

fn lifetimes(mut builder: SessionsBuilder, reader: &mut Reader) -> SessionsBuilder {
    let profiles = [("aal1", Profile::Aal1), ("aal2", Profile::Aal2), ("aal3", Profile::Aal3)];
    if let Some(profile) = reader.choice("profile", &profiles) {
        builder = builder.profile(profile);
    }
    if reader.has("age") && reader.has("idle_timeout") {
        reader.problem("age, idle_timeout: keep one of them; they are the same");
    }
    let age = reader.duration("age");
    let idle = age.or(reader.duration("idle_timeout"));
    if let Some(idle) = idle {
        builder = builder.idle_timeout(idle);
    }
    builder = transports::transports(builder, reader, idle);
    if let Some(timeout) = reader.duration("absolute_timeout") {
        builder = builder.absolute_timeout(timeout);
    }
    let never = reader.is_on("insecure_never_renew");
    if never && reader.has("renewal_interval") {
        reader.problem("renewal_interval, insecure_never_renew: keep the interval");
    }
    if let Some(interval) = reader.duration("renewal_interval") {
        builder = builder.renewal_interval(interval);
    }
    if never {
        builder = builder.insecure_never_renew();
    }
    if let Some(interval) = reader.duration("touch_interval") {
        builder = builder.touch_interval(interval);
    }
    type Switch = fn(SessionsBuilder) -> SessionsBuilder;
    let switches: [(&str, Switch); 5] = [
        ("touch_every_request", SessionsBuilder::touch_every_request),
        ("rolling", SessionsBuilder::rolling),
        ("save_uninitialized", SessionsBuilder::save_uninitialized),
        ("clear_unknown", SessionsBuilder::clear_unknown),
        ("require_merging", SessionsBuilder::require_merging),
    ];
    for (path, switch) in switches {
        if reader.is_on(path) {
            builder = switch(builder);
        }
    }
    builder
}

fn limits(mut builder: SessionsBuilder, reader: &mut Reader) -> SessionsBuilder {
    if let Some(timeout) = reader.duration("store_timeout") {
        builder = builder.store_timeout(timeout);
    }
    type Limit = fn(SessionsBuilder, usize) -> SessionsBuilder;
    let limits: [(&str, Limit); 4] = [
        ("max_session_bytes", SessionsBuilder::max_session_bytes),
        ("max_session_keys", SessionsBuilder::max_session_keys),
        ("max_operations", SessionsBuilder::max_operations),
        ("max_flash_bytes", SessionsBuilder::max_flash_bytes),
    ];
    for (path, limit) in limits {
        if let Some(number) = reader.number(path) {
            builder = limit(builder, number);
        }
    }
    builder
}

fn quota(builder: SessionsBuilder, reader: &mut Reader) -> SessionsBuilder {
    let choices = [
        ("reject_new", AtLimit::RejectNew),
        ("evict_oldest", AtLimit::EvictOldest),
        ("evict_all", AtLimit::EvictAll),
    ];
    let has = ["max_sessions_per_user", "at_limit"].map(|path| reader.has(path));
    if has[0] != has[1] {
        reader.problem("max_sessions_per_user, at_limit: set both, or neither");
    }
    match (reader.number("max_sessions_per_user"), reader.choice("at_limit", &choices)) {
        (Some(most), Some(at_limit)) => builder.max_sessions_per_user(most, at_limit),
        _ => builder,
    }
}
