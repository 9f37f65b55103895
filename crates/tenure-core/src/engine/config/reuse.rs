//! Setting: who hears of a stolen session.

use std::sync::Arc;

use super::SessionsBuilder;
use crate::error::{Error, Result};
use crate::guard::Reuse;
use crate::store::{AnyStore, Store};

pub(crate) type ReuseHook = Arc<dyn Fn(&Reuse<'_>) + Send + Sync>;

impl SessionsBuilder {
    /// Calls `hook` whenever a request comes with a secret that was retired while its session lives
    /// on under another: two hold the credential of one session, and one of them has stolen it (as
    /// with refresh tokens, RFC 9700 §4.14.2). It shows within a
    /// [`renewal_interval`](Self::renewal_interval): the new secret goes to one of both, and the
    /// other comes back with the old one.
    ///
    /// The request has no session, as without the hook, and nothing else changes, whatever the hook
    /// does, a panic included. Which of both is the thief nobody knows. So an application ends the
    /// session by [`revoke`](crate::Sessions::revoke), which logs both out, and tells the user; an
    /// [event](crate::engine::Event::Reused) and a counter tell of it, too. The hook is told with
    /// every such request. It runs on the way to the handler and should be quick: what takes time,
    /// such as to end the session, goes to a channel.
    ///
    /// It takes one more call of the store for each signed token that opens nothing, which is what
    /// every session that has expired leaves behind; a failure of that call is reported and fails no
    /// request. Without a hook nothing is asked.
    ///
    /// ```
    /// # use tenure_core::{Sessions, engine::Connection, store::MemoryStore};
    /// # use http::{HeaderMap, Request, StatusCode, header::COOKIE};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let clock = tenure_testkit::ManualClock::new();
    /// let (stolen, alarms) = std::sync::mpsc::channel();
    /// let sessions = Sessions::builder()
    ///     .store(MemoryStore::new())
    /// #   .clock(clock.clone())
    ///     .on_reuse(move |reuse| drop(stolen.send((reuse.handle(), reuse.user().cloned()))))
    ///     .build()?;
    /// # let session = sessions.start().await?;
    /// # session.login("ada")?;
    /// # session.commit().await?;
    /// # let token = session.danger_expose_token().unwrap();
    /// # let request = || {
    /// #     let request = Request::builder().header(COOKIE, format!("__Host-id={token}"));
    /// #     let (parts, ()) = request.body(()).unwrap().into_parts();
    /// #     sessions.open(&parts, Connection::new().secure(true))
    /// # };
    /// # let exchange = request();
    /// # exchange.session().load().await?.regenerate()?;
    /// # let mut headers = HeaderMap::new();
    /// # exchange.close(StatusCode::OK, &mut headers).await?;
    /// # let cookie = headers["set-cookie"].to_str()?;
    /// # let renewed = cookie["__Host-id=".len()..].split(';').next().unwrap();
    /// # clock.advance(std::time::Duration::from_secs(120));
    /// // Somebody comes with the secret from before.
    /// let old = request();
    /// assert!(!old.session().load().await?.exists());
    /// // Beside the requests, such as in a task:
    /// let (handle, user) = alarms.try_recv()?;
    /// assert!(sessions.open_token(renewed).await?.is_some(), "it is alive");
    /// assert!(sessions.revoke(handle).await?);
    /// assert!(sessions.open_token(renewed).await?.is_none(), "for neither of both");
    /// println!("{}, please log in again: your session was stolen", user.unwrap().as_str());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Deployment caveat
    /// A request may have been under way when the secret changed. So nothing is told for ten seconds
    /// after a secret began to count, and of the one before a log-in or a `regenerate` for two
    /// minutes. What takes longer is a false alarm, and so is a client that keeps its token in two
    /// places, or one that was restored from a backup. After a log-in the secret from before is
    /// retired at once: where it was planted, the one who planted it raises the alarm.
    ///
    /// A thief who gets hold of the session first, and an owner who never comes back with the old
    /// cookie because a log-in replaced it, are not noticed. Sessions in foreign formats have no
    /// handle, and nothing is told of them. A [token scheme](Self::token_scheme) of one's own must
    /// sign: whoever knows a handle could make up an old secret otherwise.
    ///
    /// [`build`](Self::build) refuses it where tokens are not signed, where the clients keep the
    /// sessions, and for a store that cannot [inspect](crate::store::Inspect).
    pub fn on_reuse(mut self, hook: impl Fn(&Reuse<'_>) + Send + Sync + 'static) -> Self {
        self.settings.on_reuse = Some(Arc::new(hook));
        self
    }

    pub(super) fn check_reuse(&self, store: &AnyStore) -> Result<()> {
        if self.settings.on_reuse.is_none() {
            return Ok(());
        }
        if self.unsigned {
            return Err(Error::config(
                "on_reuse: without a signature whoever knows a session's handle could make up an \
                 old secret of it, and raise the alarm; configure signing_keys",
            ));
        }
        if store.inspect().is_none() {
            return Err(Error::config(
                "on_reuse: the store cannot show a session without its secret; take one that can, \
                 or leave this out",
            ));
        }
        Ok(())
    }
}
