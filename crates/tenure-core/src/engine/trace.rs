//! Spans and events for whoever debugs; nothing without the feature `tracing`. Sessions are named
//! by their public handle: a token, a proof or a user is in none of it.

#[cfg(feature = "tracing")]
use tracing::{Instrument, Span, debug, debug_span, field, warn};

use super::events::Event;
use crate::id::Handle;

#[cfg(feature = "tracing")]
const COMMIT: &str = "session.commit";

/// The span of a load.
#[cfg(feature = "tracing")]
pub(super) fn loading<F: Future>(
    session: Option<Handle>,
    load: F,
) -> impl Future<Output = F::Output> {
    load.instrument(debug_span!("session.load", session = session.map(field::display)))
}

#[cfg(not(feature = "tracing"))]
pub(super) fn loading<F: Future>(_: Option<Handle>, load: F) -> F {
    load
}

/// The span of a commit, whose session may be named later.
#[cfg(feature = "tracing")]
pub(super) fn committing<F: Future>(
    session: impl FnOnce() -> Option<Handle>,
    commit: F,
) -> impl Future<Output = F::Output> {
    let span = debug_span!("session.commit", session = field::Empty);
    if !span.is_disabled()
        && let Some(session) = session()
    {
        span.record("session", field::display(session));
    }
    commit.instrument(span)
}

#[cfg(not(feature = "tracing"))]
pub(super) fn committing<F: Future>(_: impl FnOnce() -> Option<Handle>, commit: F) -> F {
    commit
}

/// Tells an event.
#[cfg(feature = "tracing")]
pub(super) fn tell(event: &Event<'_>) {
    let session = event.session().map(field::display);
    match event {
        Event::Failed { error } => {
            let source = std::error::Error::source(error);
            warn!(%error, ?source, "session store failed");
        }
        Event::Rejected { reason } => debug!(reason, "session credential rejected"),
        Event::LockedOut { reason, .. } => debug!(session, reason, "session ended by a lock"),
        Event::Unknown { .. } => debug!(session, "no live session has this secret"),
        Event::Reused { .. } => debug!(session, "a retired secret of a living session came again"),
        Event::Gone { .. } => debug!(session, "commit dropped: the session ended meanwhile"),
        Event::Swept { sessions } => debug!(sessions, "expired sessions swept"),
        Event::UserRevoked { sessions, .. } => debug!(sessions, "sessions of a user revoked"),
        Event::Created { session: Some(session), .. } => {
            let span = Span::current();
            if span.metadata().is_some_and(|metadata| metadata.name() == COMMIT) {
                span.record("session", field::display(session));
            }
            debug!(%session, "session created");
        }
        _ => debug!(session, "session {}", event.name()),
    }
}

#[cfg(not(feature = "tracing"))]
pub(super) fn tell(_: &Event<'_>) {}

/// A listener has panicked.
pub(super) fn listener_panicked() {
    #[cfg(feature = "tracing")]
    warn!("a listener to session events panicked; everything else goes on");
}

/// Tells those who run the application what a setting costs.
#[cfg(feature = "tracing")]
pub(super) fn warn(why: &'static str) {
    warn!("{why}");
}

#[cfg(not(feature = "tracing"))]
pub(super) fn warn(_: &'static str) {}
