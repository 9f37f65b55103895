//! The settings of sessions that their clients keep.

use tenure_core::store::ClientStore;
use tenure_core::transform::Keyring;

use super::connection::{self, Urls};
use super::reader::Reader;
use super::settings::Keys;
use crate::connect::CLIENT;

/// What is said of sessions that their clients keep.
pub(super) struct Kept {
    signed: bool,
    /// Where is remembered which have ended.
    pub(super) revocations: Option<String>,
}

impl Kept {
    /// By what protects them, with these keys.
    pub(super) fn store(&self, keys: Keyring) -> ClientStore {
        match self.signed {
            true => ClientStore::signed(keys),
            false => ClientStore::sealed(keys),
        }
    }

    /// Reports what cannot be had with them.
    pub(super) fn check(&self, reader: &mut Reader, keys: &Keys, is_cached: bool) {
        if matches!(keys, Keys::Unsigned) {
            reader.problem(
                "insecure_unsigned_tokens: whoever keeps a session could write it; leave it out, \
                 and set `secret_file`",
            );
        }
        if is_cached && self.revocations.is_none() {
            reader.problem(
                "near_cache: there is no store that it could stand before; leave it out, or set \
                 `client.revocations`",
            );
        }
    }
}

/// None where `store` is the URL of a store on the server, or missing.
pub(super) fn kept(reader: &mut Reader, store: Option<&str>, urls: &Urls) -> Option<Kept> {
    let rest = store.and_then(of_client);
    let settings = reader.below("client.");
    if store.is_some() && rest.is_none() && !settings.is_empty() {
        let settings = settings.join(", ");
        reader.problem(format!("{settings}: write `client:` for `store`, or leave it out"));
    }
    let choices = [("sealed", false), ("signed", true)];
    let signed = reader.choice("client.protection", &choices).unwrap_or(false);
    let revocations = connection::url(reader, "client.revocations", urls);
    if revocations.as_deref().is_some_and(|url| of_client(url).is_some()) {
        reader
            .problem("client.revocations: the clients cannot keep it; name a store on the server");
    }
    if !rest?.is_empty() {
        reader.problem(
            "store: nothing follows `client:`; how the sessions are protected is said by \
             `client.protection`, where their end is remembered by `client.revocations`",
        );
    }
    Some(Kept { signed, revocations })
}

/// What follows the scheme, if it is this one.
fn of_client(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once(':')?;
    scheme.eq_ignore_ascii_case(CLIENT).then_some(rest)
}
