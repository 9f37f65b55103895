//! Request forgery tokens: they prove that a form was made for the session that it comes back with.

use std::sync::Arc;

use super::handle::Session;
use super::journal::Journal;
use super::reserved::CSRF;
use crate::csrf::Secret;
use crate::engine::Fate;
use crate::error::{Error, ErrorKind, Result};
use crate::id::Token;
use crate::store::changes::Call;

impl Session {
    /// A request forgery token for a form or a header of this session, as 64 base64url characters:
    /// another text with every call, all of them good until the session ends or gets another secret
    /// by `login`, `logout` or `regenerate`. Periodic renewal keeps them.
    ///
    /// It is made from the session's own secret. Nothing is written, and the forms of parallel
    /// requests are all good. Only where the session does not exist yet, or gets another secret in
    /// this very request, is a fresh secret put into it: so this call *begins a session* for a
    /// visitor who has none, since there is nothing else that a form could be bound to.
    ///
    /// Ask for it after `login` and the like, not before: those end the tokens that were made.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// let token = session.csrf_token()?; // into the form, as the field `csrf_field`
    /// assert_ne!(session.csrf_token()?, token);
    /// assert!(session.verify_csrf(&token)?); // when the form comes back
    /// session.login("ada")?;
    /// assert!(!session.verify_csrf(&token)?, "it was planted, perhaps");
    /// assert!(session.verify_csrf(&session.csrf_token()?)?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Deployment caveat
    /// A page with a token is for one visitor: a cache that ignores `Vary: Cookie` gives it to
    /// others, whose forms then fail.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when there are no random numbers. Where a session has to be begun,
    /// as [`set`](Self::set): a destroyed one and an empty one in place of a store that is down give
    /// no token.
    pub fn csrf_token(&self) -> Result<String> {
        let random = self.slot.manager.settings.random.as_ref();
        if let Some(secret) = self.csrf_secret()? {
            return secret.token(random);
        }
        let fresh = Secret::random(random)?.to_json();
        let call: Call = Arc::new(move |present| Ok(Some(present.unwrap_or(&fresh).clone())));
        self.writing("csrf_token")?.update_reserved(CSRF, call)?;
        match self.csrf_secret()? {
            Some(secret) => secret.token(random),
            None => Err(Error::new(
                ErrorKind::Conflict,
                "csrf_token",
                "another handle gave the session a new secret meanwhile; ask again",
            )),
        }
    }

    /// The name of the field of a form that carries the [`csrf_token`](Self::csrf_token):
    /// [`Sessions::csrf_field`](crate::Sessions::csrf_field).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let session = sessions.start().await?;
    /// let (name, token) = (session.csrf_field(), session.csrf_token()?);
    /// let field = format!(r#"<input type="hidden" name="{name}" value="{token}">"#);
    /// # assert!(field.contains("_csrf"));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn csrf_field(&self) -> &str {
        self.slot.manager.csrf_field()
    }

    /// Whether this is a [`csrf_token`](Self::csrf_token) of this session. It writes nothing; without
    /// a session no token is good. It takes the same time wherever the token is wrong.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// let (ada, eve) = (sessions.start().await?, sessions.start().await?);
    /// let token = ada.csrf_token()?;
    /// assert!(ada.verify_csrf(&token)?);
    /// assert!(!eve.verify_csrf(&token)?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] for the empty session in place of a store that is down: whether the
    /// token is good cannot be known. [`ErrorKind::Corrupt`] when another program has overwritten what
    /// tokens are made from.
    pub fn verify_csrf(&self, token: &str) -> Result<bool> {
        if self.see(|state| state.fate == Fate::Degraded) {
            return Err(Error::new(
                ErrorKind::Unavailable,
                "verify_csrf",
                "the store is unavailable, and what the token is to be checked with is there",
            ));
        }
        Ok(self.csrf_secret()?.is_some_and(|secret| secret.verifies(token)))
    }

    /// What this session's tokens are made from: what it keeps for that, or else what follows from
    /// its secret. None as long as there is neither.
    fn csrf_secret(&self) -> Result<Option<Secret>> {
        self.see(|state| match state.journal.view(CSRF)? {
            Some(kept) => Secret::from_json(&kept).map(Some),
            None => Ok(state.lasting_token().map(Secret::of)),
        })
    }
}

impl Journal {
    /// Keeps what tokens are made from while the secret is renewed, so that open forms stay good.
    pub(crate) fn keep_csrf(&mut self, token: &Token) {
        if self.changes.get(CSRF).is_none() && matches!(self.view(CSRF), Ok(None)) {
            self.put(CSRF, Some(Secret::of(token).to_json()));
        }
    }
}
