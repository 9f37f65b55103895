use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::header::{CACHE_CONTROL, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::slot::Slot;
use super::state::Answer;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::id::Handle;
use crate::session::{Journal, LazySession};
use crate::transport::{ResponseContext, Transport};

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// One request and its session, from [`Sessions::open`](super::Sessions::open) to
/// [`seal`](Self::seal). Dropped instead, it commits nothing.
pub struct Exchange {
    slot: Arc<Slot>,
}

/// The end of an exchange: no handle can write any more.
pub struct Sealed {
    slot: Arc<Slot>,
    due: bool,
}

impl Exchange {
    pub(super) fn new(slot: Arc<Slot>) -> Self {
        Self { slot }
    }

    /// A handle to the session, not loaded.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::{Sessions, engine::Connection};
    /// # let sessions = Sessions::in_memory()?;
    /// # let (parts, ()) = http::Request::new(()).into_parts();
    /// let exchange = sessions.open(&parts, Connection::new());
    /// exchange.session().set("theme", "dark")?; // what a handler does
    /// assert!(exchange.seal(http::StatusCode::OK).needs_commit());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn session(&self) -> LazySession {
        LazySession::new(Arc::clone(&self.slot))
    }

    /// Ends the time of writing, in one step with taking what was written. `status` is that of the
    /// response, for [`commit_on`](super::SessionsBuilder::commit_on).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::{ErrorKind, Sessions, engine::Connection};
    /// # let sessions = Sessions::in_memory()?;
    /// # let (parts, ()) = http::Request::new(()).into_parts();
    /// # let exchange = sessions.open(&parts, Connection::new());
    /// let session = exchange.session();
    /// let sealed = exchange.seal(http::StatusCode::OK);
    /// assert_eq!(session.set("late", 1).unwrap_err().kind(), ErrorKind::Sealed);
    /// assert!(!sealed.needs_commit());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "what was written is lost unless it is committed"]
    pub fn seal(self, status: StatusCode) -> Sealed {
        let commit_on = self.slot.manager.settings.commit_on.as_ref();
        let wanted = commit_on.is_none_or(|when| when(status));
        let mut state = self.slot.state();
        state.sealed = true;
        state.is_held = Arc::strong_count(&self.slot) > 1;
        let due = if wanted {
            self.slot.is_due(&mut state)
        } else {
            state.journal = Journal::default();
            state.doomed = None;
            false
        };
        let refusals = state.refusals();
        drop(state);
        self.slot.tell(refusals);
        Sealed { slot: self.slot, due }
    }

    /// Seals, commits and writes the headers of the response.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::{Sessions, engine::Connection};
    /// # let sessions = Sessions::in_memory()?;
    /// # let (parts, ()) = http::Request::new(()).into_parts();
    /// # let exchange = sessions.open(&parts, Connection::new());
    /// # exchange.session().set("theme", "dark")?;
    /// let mut response = http::Response::new("ok");
    /// exchange.close(response.status(), response.headers_mut()).await?;
    /// assert_eq!(sessions.counts().created, 1);
    /// assert!(response.headers().contains_key("set-cookie"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Sealed::commit`] and [`Sealed::write_headers`].
    pub async fn close(self, status: StatusCode, headers: &mut HeaderMap) -> Result<()> {
        let sealed = self.seal(status);
        let committed = sealed.commit().await;
        sealed.write_headers(headers)?;
        committed
    }
}

impl Sealed {
    /// Whether there is anything to commit; if not, [`commit`](Self::commit) need not be awaited.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::{Sessions, engine::Connection};
    /// # let sessions = Sessions::in_memory()?;
    /// # let (parts, ()) = http::Request::new(()).into_parts();
    /// let exchange = sessions.open(&parts, Connection::new());
    /// exchange.session().load().await?; // to read, and that is all
    /// assert!(!exchange.seal(http::StatusCode::OK).needs_commit());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn needs_commit(&self) -> bool {
        self.due
    }

    /// Commits what was written.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::{Sessions, engine::Connection};
    /// # let sessions = Sessions::in_memory()?;
    /// # let (parts, ()) = http::Request::new(()).into_parts();
    /// # let exchange = sessions.open(&parts, Connection::new());
    /// # exchange.session().set("theme", "dark")?;
    /// let sealed = exchange.seal(http::StatusCode::OK);
    /// sealed.commit().await?;
    /// assert_eq!(sessions.counts().created, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the store cannot answer, or an operation does not fit the value that it met. The
    /// response should then be an error: what the client would be told has not happened.
    pub async fn commit(&self) -> Result<()> {
        if self.due { self.slot.commit().await } else { Ok(()) }
    }

    /// Commits what can be committed without waiting; none if that takes the store some time, and
    /// then [`commit`](Self::commit) goes on where this stopped.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::{Sessions, engine::Connection};
    /// # let sessions = Sessions::in_memory()?;
    /// # let (parts, ()) = http::Request::new(()).into_parts();
    /// # let exchange = sessions.open(&parts, Connection::new());
    /// # exchange.session().set("theme", "dark")?;
    /// let sealed = exchange.seal(http::StatusCode::OK);
    /// match sealed.commit_at_once() {
    ///     Some(outcome) => outcome?,      // no future was needed
    ///     None => sealed.commit().await?, // a store on a server
    /// }
    /// assert_eq!(sessions.counts().created, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn commit_at_once(&self) -> Option<Result<()>> {
        if !self.due {
            return Some(Ok(()));
        }
        // Only the store in memory answers at once; others are not asked in vain. Dropped before
        // its end a commit loses nothing.
        if !self.slot.manager.answers_at_once() {
            return None;
        }
        match pin!(self.slot.commit()).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => Some(outcome),
            Poll::Pending => None,
        }
    }

    /// Adds what the response has to say: `Set-Cookie` with `Cache-Control: no-store` (OWASP
    /// session management, "Web Content Caching"), and `Vary` as soon as the session was
    /// consulted. What the application has put there stays.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::{Sessions, engine::Connection};
    /// # let sessions = Sessions::in_memory()?;
    /// # let (parts, ()) = http::Request::new(()).into_parts();
    /// # let exchange = sessions.open(&parts, Connection::new());
    /// # exchange.session().set("theme", "dark")?;
    /// let sealed = exchange.seal(http::StatusCode::OK);
    /// sealed.commit().await?;
    /// let mut headers = http::HeaderMap::new();
    /// sealed.write_headers(&mut headers)?;
    /// assert!(headers.contains_key("set-cookie"));
    /// assert_eq!(headers["cache-control"], "no-store");
    /// assert_eq!(headers["vary"], "cookie");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the cookie is over its limit or a cookie factory broke the rules.
    pub fn write_headers(&self, headers: &mut HeaderMap) -> Result<()> {
        let manager = &self.slot.manager;
        let (answer, handle, lifetime, now, transport) = {
            let state = self.slot.state();
            if state.consulted && !manager.settings.disabled {
                for name in manager.transports.vary(&self.slot.arrived) {
                    add(headers, VARY, name.clone().into(), &["*"]);
                }
            }
            if state.clears_site && state.doomed.is_none() && state.outbox.is_empty() {
                let site = match state.answer {
                    Answer::Issue(_) => r#""cache", "storage""#,
                    _ => r#""cache", "cookies", "storage""#,
                };
                headers.insert(CLEAR_SITE_DATA, HeaderValue::from_static(site));
            }
            if state.given {
                add(headers, CACHE_CONTROL, HeaderValue::from_static("no-store"), &[]);
            }
            if matches!(state.answer, Answer::Nothing) {
                return Ok(());
            }
            let handle = state.target.as_ref().and_then(|target| target.key.handle());
            let now = manager.settings.clock.now();
            let transport = self.slot.answering(&state);
            (state.answer.clone(), handle, state.cookie_lifetime(now), now, transport)
        };
        self.answer(&answer, transport, (handle, lifetime, now), headers)
            .inspect_err(|error| manager.report(error))?;
        add(headers, CACHE_CONTROL, HeaderValue::from_static("no-store"), &[]);
        Ok(())
    }

    /// Runs the application's factory, so under no lock.
    fn answer(
        &self,
        answer: &Answer,
        transport: &dyn Transport,
        (handle, lifetime, now): (Option<Handle>, Option<Duration>, Timestamp),
        headers: &mut HeaderMap,
    ) -> Result<()> {
        let slot = &*self.slot;
        let handle = handle.map(|handle| handle.to_string()).unwrap_or_default();
        let mut context = ResponseContext::new(&handle, slot.secure, now, slot.request.as_deref())
            .lasting(lifetime);
        if std::ptr::addr_eq(transport, slot.transport()) {
            context = context.answering(&slot.arrived.presented);
        }
        match answer {
            Answer::Issue(token) => {
                let text = slot.credential(token, transport)?;
                transport.issue(&text, &context, headers)
            }
            Answer::Remove => transport.remove(&context, headers),
            Answer::Nothing => Ok(()),
        }
    }
}

/// Adds `item` to a list header unless it, or one of `enough`, is there.
fn add(headers: &mut HeaderMap, name: HeaderName, item: HeaderValue, enough: &[&str]) {
    let there = headers
        .get_all(&name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|there| {
            item.as_bytes().eq_ignore_ascii_case(there.as_bytes()) || enough.contains(&there)
        });
    if !there {
        headers.append(name, item);
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exchange")
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed").field("needs_commit", &self.due).finish()
    }
}
