//! Events for whoever debugs; nothing without the feature `tracing`. Sessions are named
//! by their public handle: a token, a proof or a user is in none of it.

#[cfg(feature = "tracing")]
use tracing::{debug, field, warn};

use super::events::Event;

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
        Event::Unknown { .. } => debug!(session, "no live session has this secret"),
        Event::Gone { .. } => debug!(session, "commit dropped: the session ended meanwhile"),
        Event::Swept { sessions } => debug!(sessions, "expired sessions swept"),
        Event::UserRevoked { sessions, .. } => debug!(sessions, "sessions of a user revoked"),
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
