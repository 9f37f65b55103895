//! Events for whoever debugs; nothing without the feature `tracing`, and never a token.

/// A credential was not accepted: why, for the log alone.
pub(crate) fn rejected(reason: &'static str) {
    #[cfg(feature = "tracing")]
    tracing::debug!(reason, "session credential rejected");
    #[cfg(not(feature = "tracing"))]
    let _ = reason;
}

/// A commit was dropped, since its session is gone.
pub(crate) fn gone(key: &crate::store::StoreKey) {
    #[cfg(feature = "tracing")]
    tracing::debug!(session = ?key.name(), "commit dropped: the session ended meanwhile");
    #[cfg(not(feature = "tracing"))]
    let _ = key;
}

/// A lock ends a session: why, for the log alone.
pub(crate) fn locked_out(key: &crate::store::StoreKey, reason: &'static str) {
    #[cfg(feature = "tracing")]
    tracing::debug!(session = ?key.name(), reason, "session ended by a lock");
    #[cfg(not(feature = "tracing"))]
    let _ = (key, reason);
}

/// The store failed.
pub(crate) fn failed(error: &crate::Error) {
    #[cfg(feature = "tracing")]
    tracing::warn!(%error, source = ?std::error::Error::source(error), "session store failed");
    #[cfg(not(feature = "tracing"))]
    let _ = error;
}
