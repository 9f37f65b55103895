use std::ops::Deref;

use super::handle::Session;
use crate::error::Result;

/// A session outside the life of a request: it commits when told to, and sends no cookie.
///
/// ```
/// use tenure_core::Sessions;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> tenure_core::Result<()> {
/// let sessions = Sessions::in_memory()?;
/// let session = sessions.start().await?;
/// session.set("room", "lobby")?;
/// session.commit().await?;
///
/// let token = session.danger_expose_token().unwrap();
/// let again = sessions.open_token(&token).await?.unwrap();
/// assert_eq!(again.get::<String>("room")?.unwrap(), "lobby");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Detached(Session);

impl Detached {
    pub(crate) fn new(session: Session) -> Self {
        Self(session)
    }

    /// Commits what was recorded since the last commit.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// let job = sessions.start().await?;
    /// job.set("done", 1)?;
    /// job.commit().await?;
    /// job.set("done", 2)?;
    /// assert!(job.is_modified(), "that is left for the next commit");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Session::save`].
    pub async fn commit(&self) -> Result<()> {
        self.0.save().await
    }
}

impl Deref for Detached {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.0
    }
}
