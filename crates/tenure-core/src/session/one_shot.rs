//! What only one request may have: secrets for one use, and values taken once.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::handle::Session;
use super::key::{AsKey, AsName};
use super::reserved::{ONE_SHOT, is_reserved};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::store::changes::Call;
use crate::value::Json;

/// How often a value is asked for that keeps changing.
const ATTEMPTS: u32 = 8;

/// A secret as it lies in the session: its hash, so that who reads the store cannot use it.
#[derive(Serialize, Deserialize)]
struct Kept {
    #[serde(rename = "h")]
    hash: String,
    /// In milliseconds.
    #[serde(rename = "u")]
    until: u64,
}

impl Session {
    /// Makes a secret for one use within `lifetime` and keeps its hash in the session: the `state`
    /// of an OAuth request, say, or the token of a link (RFC 6749 section 10.12). Another one under
    /// the same name takes its place; a log-in drops it.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// let state = session.issue_secret("oauth", Duration::from_secs(10 * 60))?;
    /// assert_eq!(state.len(), 32, "192 bits");
    /// // … and when the provider sends the browser back with it:
    /// assert!(session.consume("oauth", &state).await?);
    /// assert!(!session.consume("oauth", &state).await?, "it was good for once");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Misuse`] where the clients keep the sessions; with
    /// [`require_merging`](crate::SessionsBuilder::require_merging) that shows at start.
    /// [`ErrorKind::Unavailable`] when the operating system has no random numbers. And as every
    /// write.
    pub fn issue_secret(&self, name: impl AsName, lifetime: Duration) -> Result<String> {
        self.writing("issue_secret")?.needs_merging("issue_secret")?;
        let mut octets = [0; 24];
        let random = &self.slot.manager.settings.random;
        random.fill(&mut octets).map_err(|error| {
            Error::new(ErrorKind::Unavailable, "issue_secret", "no random numbers")
                .with_source(error)
        })?;
        let secret = URL_SAFE_NO_PAD.encode(octets);
        self.set_secret(name, &secret, lifetime)?;
        Ok(secret)
    }

    /// Keeps the hash of a secret of the application's own for one use within `lifetime`: of a code
    /// of six digits that goes out by mail, say. What can be guessed needs a count of the attempts
    /// as well.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.set_secret("code", "413 906", Duration::from_secs(5 * 60))?;
    /// assert!(!session.consume("code", "000 000").await?, "a wrong one uses nothing up");
    /// assert!(session.consume("code", "413 906").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Misuse`] as for [`issue_secret`](Self::issue_secret). And as every write.
    pub fn set_secret(&self, name: impl AsName, secret: &str, lifetime: Duration) -> Result<()> {
        let slot = self.writing("set_secret")?;
        slot.needs_merging("set_secret")?;
        let until = slot.manager.settings.clock.now() + lifetime;
        let name = name.as_name();
        let kept = Kept { hash: hash(name, secret), until: until.as_millis() };
        slot.put_reserved(&key(name), Some(Json::of(&kept)?))
    }

    /// Uses a secret up, and tells whether `presented` was it: of any number of parallel calls, in
    /// all processes, exactly one gets `true`. What was recorded so far is [saved](Self::save) with
    /// it. A wrong or late one costs no store call.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// let secret = session.issue_secret("download", Duration::from_secs(60))?;
    /// session.save().await?;
    /// # let token = session.danger_expose_token().unwrap();
    /// let parallel = sessions.open_token(&token).await?.unwrap(); // another request
    /// assert!(session.consume("download", &secret).await?);
    /// assert!(!parallel.consume("download", &secret).await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Misuse`] where the clients keep the sessions; with
    /// [`require_merging`](crate::SessionsBuilder::require_merging) that shows at start. And as
    /// [`save`](Self::save), but for a session that has ended: nobody wins there. After an error
    /// of the store it is not known whether the secret is used up; issue another one.
    pub async fn consume(&self, name: impl AsName, presented: &str) -> Result<bool> {
        let slot = self.writing("consume")?;
        slot.needs_merging("consume")?;
        drop(slot.writable("consume")?);
        let name = name.as_name();
        let now = slot.manager.settings.clock.now();
        let expected = hash(name, presented);
        let fits = move |kept: Option<&Json>| kept.is_some_and(|kept| kept.is(&expected, now));
        let key = key(name);
        if !fits(slot.find_reserved(&key)?.as_ref()) {
            return Ok(false);
        }
        let call: Call =
            Arc::new(move |kept| if fits(kept) { Ok(None) } else { Err(lost("consume")) });
        slot.decide("consume", &key, call).await
    }

    /// The value under `key`, which is removed: of any number of parallel calls, in all processes,
    /// exactly one gets it. What was recorded so far is [saved](Self::save) with it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// session.set("verifier", "dBjftJeZ4CVP")?; // of a PKCE request, RFC 7636
    /// session.save().await?;
    /// # let token = session.danger_expose_token().unwrap();
    /// let parallel = sessions.open_token(&token).await?.unwrap(); // another request
    /// assert_eq!(session.take_once::<String>("verifier").await?.as_deref(), Some("dBjftJeZ4CVP"));
    /// assert_eq!(parallel.take_once::<String>("verifier").await?, None);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`get`](Self::get); a value of another type stays. And as [`consume`](Self::consume), which
    /// is [`ErrorKind::Misuse`] where the clients keep the sessions: with
    /// [`require_merging`](crate::SessionsBuilder::require_merging) that shows at start.
    pub async fn take_once<T: DeserializeOwned>(&self, key: impl AsKey<T>) -> Result<Option<T>> {
        let slot = self.writing("take_once")?;
        slot.needs_merging("take_once")?;
        drop(slot.writable("take_once")?);
        let name = key.as_name();
        if is_reserved(name) {
            return Ok(None);
        }
        // Whoever changed it meanwhile has left another value to take.
        for _ in 0..ATTEMPTS {
            let Some(value) = self.raw(name)? else { return Ok(None) };
            let taken = self.policy().decode(name, &value)?;
            let call: Call =
                Arc::new(
                    move |found| {
                        if found == Some(&value) { Ok(None) } else { Err(lost("take_once")) }
                    },
                );
            if slot.decide("take_once", name, call).await? {
                return Ok(taken);
            }
            match self.reload().await {
                Err(error) if error.kind() == ErrorKind::Gone => return Ok(None),
                reloaded => reloaded?,
            }
        }
        Err(Error::new(ErrorKind::Conflict, "take_once", format!("{name:?} keeps changing")))
    }
}

impl Json {
    fn is(&self, hash: &str, now: Timestamp) -> bool {
        self.decode::<Kept>().is_ok_and(|kept| {
            bool::from(kept.hash.as_bytes().ct_eq(hash.as_bytes())) && now.as_millis() < kept.until
        })
    }
}

fn key(name: &str) -> String {
    format!("{ONE_SHOT}{name}")
}

fn hash(name: &str, secret: &str) -> String {
    let mut hash = Sha256::new();
    hash.update((name.len() as u64).to_be_bytes());
    hash.update(name);
    hash.update(secret);
    URL_SAFE_NO_PAD.encode(hash.finalize())
}

/// Refuses the commit of whoever comes too late.
fn lost(operation: &'static str) -> Error {
    Error::new(ErrorKind::Conflict, operation, "another request was faster")
}
