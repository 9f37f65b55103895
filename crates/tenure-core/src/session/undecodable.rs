//! Reading values that are not of the type that is asked for.

use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::handle::Session;
use crate::engine::{Policy, Undecodable};
use crate::error::{Error, Result};
use crate::store::changes::Call;
use crate::value::Json;

impl Policy {
    /// Decodes `value`, or what takes its place.
    pub(super) fn decode<T: DeserializeOwned>(&self, key: &str, value: &Json) -> Result<Option<T>> {
        match value.decode() {
            Ok(value) => Ok(Some(value)),
            Err(error) => self.decided(key, value, error).map(|(value, _)| value),
        }
    }

    #[cold]
    fn decided<T: DeserializeOwned>(
        &self,
        key: &str,
        value: &Json,
        error: Error,
    ) -> Result<(Option<T>, Option<Json>)> {
        match self.decide(key, value, &error)? {
            Undecodable::Fail => Err(error),
            Undecodable::Reset => Ok((None, None)),
            Undecodable::Replace(other) => Ok((Some(other.decode()?), Some(other))),
        }
    }
}

impl Session {
    /// As [`Policy::decode`]; what becomes of the value is recorded if this handle may write.
    pub(super) fn decode<T: DeserializeOwned>(&self, key: &str, value: &Json) -> Result<Option<T>> {
        value.decode().map(Some).or_else(|error| self.replaced(key, value, error))
    }

    /// What reading gives in place of `value`, which does not decode.
    #[cold]
    pub(super) fn replaced<T: DeserializeOwned>(
        &self,
        key: &str,
        value: &Json,
        error: Error,
    ) -> Result<Option<T>> {
        let (decoded, other) = self.policy().decided(key, value, error)?;
        let saw = value.clone();
        // What another request puts there meanwhile is not what was decided on.
        let call: Call = Arc::new(move |present| {
            Ok(if present == Some(&saw) { other.clone() } else { present.cloned() })
        });
        // Whoever only reads is not refused for what cannot be written.
        let _ = self.writing("get").and_then(|slot| slot.update(key, call));
        Ok(decoded)
    }

    pub(super) fn policy(&self) -> &Policy {
        &self.slot.manager.settings.undecodable
    }
}
