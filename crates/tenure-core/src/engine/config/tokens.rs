//! Settings: how a credential is made, and under which key its session is filed.

use std::sync::Arc;

use super::SessionsBuilder;
use crate::format::{KeyScheme, TokenScheme};
use crate::transform::Keyring;

impl SessionsBuilder {
    /// What keeps these sessions apart from others in the same store; by default the cookie's name.
    pub fn namespace(mut self, name: impl Into<String>) -> Self {
        self.namespace = Some(name.into());
        self
    }

    /// The keys that sign tokens, so that a forged one costs no store call.
    pub fn signing_keys(mut self, keys: Keyring) -> Self {
        self.keyring = Some(keys);
        self
    }

    /// Leaves tokens unsigned. The price: every forged token costs the store one look-up, so
    /// whoever floods the application with them floods the store. A token cannot be guessed either
    /// way.
    pub fn insecure_unsigned_tokens(mut self) -> Self {
        self.unsigned = true;
        self
    }

    /// Takes the random octets of new tokens from `generator`, which sees the request's head. Less
    /// than 128 bits are refused when a token is made.
    pub fn id_generator(
        mut self,
        generator: impl Fn(&http::request::Parts) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        self.generator = Some(Arc::new(generator));
        self.settings.keeps_request = true;
        self
    }

    /// Reads and writes tokens of another format. It signs and makes them by itself, so signing keys
    /// and an id generator beside it are refused.
    pub fn token_scheme(mut self, scheme: impl TokenScheme) -> Self {
        self.scheme = Some(Arc::new(scheme));
        self
    }

    /// Makes store keys of tokens in another way.
    pub fn key_scheme(mut self, scheme: impl KeyScheme) -> Self {
        self.key_scheme = Arc::new(scheme);
        self
    }

    /// Keeps the head of each request for the [cookie factory](crate::transport::Cookie::factory)
    /// and for the token scheme to look at; it costs a copy of the head a request.
    pub fn keep_request(mut self) -> Self {
        self.settings.keeps_request = true;
        self
    }
}
