//! Requests after requests.

use tenure::session::Detached;
use tenure::{Session, Sessions};

pub(crate) fn sessions() -> Sessions {
    Sessions::in_memory().unwrap()
}

/// A request's session, after another one in which this was done.
pub(crate) async fn after(
    sessions: &Sessions,
    earlier: impl FnOnce(&Session) -> tenure::Result<()>,
) -> Detached {
    let session = sessions.start().await.unwrap();
    earlier(&session).unwrap();
    following(sessions, &session).await.unwrap()
}

/// The session as the next request sees it.
pub(crate) async fn following(sessions: &Sessions, session: &Session) -> Option<Detached> {
    session.save().await.unwrap();
    sessions.open_token(&session.danger_expose_token()?).await.unwrap()
}
