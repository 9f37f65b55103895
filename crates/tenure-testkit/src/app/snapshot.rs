use std::fmt;

use serde::Serialize;
use serde_json::Value;
use tenure_core::Session;
use tenure_core::session::AsName;

/// A visitor's session at one moment, and what a test says about it.
///
/// Every assertion gives the snapshot back, so that the next can follow, and panics with what it
/// has found instead, at the line of the test.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> tenure_core::Result<()> {
/// # use tenure_core::Sessions;
/// # use tenure_testkit::app;
/// # let sessions = Sessions::in_memory()?;
/// let visitor = app::visitor(&sessions).with("theme", "dark").arrive().await;
/// visitor.session().await.assert_session().assert_no_user().assert_eq("theme", "dark");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Snapshot {
    session: Session,
}

impl Snapshot {
    pub(super) fn new(session: Session) -> Self {
        Self { session }
    }

    /// The session for reading, for what no assertion is made for; an empty one if there is none.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_testkit::app;
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// let visitor = app::visitor(&sessions).with("visits", 3).arrive().await;
    /// assert!(visitor.session().await.session().get::<u32>("visits")?.unwrap() > 2);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// There is a session.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_testkit::app;
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// let visitor = app::visitor(&sessions).with("n", 1).arrive().await;
    /// visitor.session().await.assert_session();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// When there is none, or it has ended.
    #[track_caller]
    pub fn assert_session(&self) -> &Self {
        assert!(self.session.exists(), "there is no session");
        self
    }

    /// There is no session: it never began, has ended, or the visitor has no cookie any more.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::Session;
    /// # use tenure_testkit::app;
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// let mut ada = app::visitor(&sessions).logged_in_as("ada").arrive().await;
    /// ada.arrange(Session::logout).await;
    /// ada.session().await.assert_no_session();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// When there is one.
    #[track_caller]
    pub fn assert_no_session(&self) -> &Self {
        assert!(!self.session.exists(), "there is a session; {self}");
        self
    }

    /// There is something under `key`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_testkit::app;
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// let visitor = app::visitor(&sessions).with("cart", ["tea"]).arrive().await;
    /// visitor.session().await.assert_has("cart");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// When there is nothing.
    #[track_caller]
    pub fn assert_has(&self, key: impl AsName) -> &Self {
        let key = key.as_name();
        assert!(self.session.contains(key), "there is nothing under {key:?}; {self}");
        self
    }

    /// There is nothing under `key`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_testkit::app;
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// let visitor = app::visitor(&sessions).with("theme", "dark").arrive().await;
    /// visitor.session().await.assert_missing("cart");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// When there is something.
    #[track_caller]
    pub fn assert_missing(&self, key: impl AsName) -> &Self {
        let key = key.as_name();
        if let Some(found) = self.value(key) {
            panic!("{key:?} should be missing, and is {found}");
        }
        self
    }

    /// The value under `key` is this one. They are compared as JSON, in which the order of an
    /// object's fields does not matter.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_testkit::app;
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// let visitor = app::visitor(&sessions).with("cart", ["tea", "milk"]).arrive().await;
    /// visitor.session().await.assert_eq("cart", ["tea", "milk"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// When it is another one, or there is none.
    #[track_caller]
    pub fn assert_eq(&self, key: impl AsName, expected: impl Serialize) -> &Self {
        let (key, expected) = (key.as_name(), json(&expected));
        match self.value(key) {
            Some(found) => {
                assert!(found == expected, "{key:?} should be {expected}, and is {found}")
            }
            None => panic!("{key:?} should be {expected}, and there is nothing; {self}"),
        }
        self
    }

    /// This user is logged in.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_testkit::app;
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// let visitor = app::visitor(&sessions).logged_in_as(42).arrive().await;
    /// visitor.session().await.assert_user(42);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// When it is another one, or nobody.
    #[track_caller]
    pub fn assert_user(&self, user: impl ToString) -> &Self {
        let user = user.to_string();
        match self.session.user() {
            Some(found) => assert!(
                found.as_str() == user,
                "{user:?} should be logged in, and {:?} is",
                found.as_str()
            ),
            None => panic!("{user:?} should be logged in, and nobody is; {self}"),
        }
        self
    }

    /// Nobody is logged in.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_testkit::app;
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// let visitor = app::visitor(&sessions).with("theme", "dark").arrive().await;
    /// visitor.session().await.assert_no_user();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// When somebody is.
    #[track_caller]
    pub fn assert_no_user(&self) -> &Self {
        if let Some(found) = self.session.user() {
            panic!("nobody should be logged in, and {:?} is", found.as_str());
        }
        self
    }

    /// A message with this key and value waits to be shown; there may be others beside it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_testkit::app;
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// # let mut visitor = app::visitor(&sessions).arrive().await;
    /// visitor.arrange(|session| session.flash_errors([("title", "is missing")])).await; // a form
    /// let left = visitor.session().await;
    /// left.assert_flash("errors.title.0", "is missing"); // a path works as well
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// When none does.
    #[track_caller]
    pub fn assert_flash(&self, key: impl AsName, expected: impl Serialize) -> &Self {
        let (key, expected) = (key.as_name(), json(&expected));
        let messages = self.messages();
        let found = messages.iter().filter(|(name, _)| name == key).map(|(_, value)| value);
        let mut found: Vec<_> = found.cloned().collect();
        if found.is_empty() {
            // Only what has no key of its own may be a path.
            let at_path = self.session.flash_messages().ok().and_then(|all| all.get(key).ok()?);
            found.extend(at_path);
        }
        match found.as_slice() {
            [] => panic!("message {key:?} should be {expected}, and there is none; {self}"),
            found if found.contains(&expected) => {}
            found => {
                let found = found.iter().map(Value::to_string).collect::<Vec<_>>().join(", ");
                panic!("message {key:?} should be {expected}, and is {found}");
            }
        }
        self
    }

    /// No message waits to be shown.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_testkit::app;
    /// # let sessions = tenure_core::Sessions::in_memory()?;
    /// let mut visitor = app::visitor(&sessions).with_flash("success", "Saved.").arrive().await;
    /// visitor.arrange(|session| session.flash_messages().map(drop)).await; // a page shows them
    /// visitor.session().await.assert_no_flash();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// When one does.
    #[track_caller]
    pub fn assert_no_flash(&self) -> &Self {
        assert!(self.messages().is_empty(), "no message should wait to be shown; {self}");
        self
    }

    fn value(&self, key: &str) -> Option<Value> {
        let text = self.session.raw(key).ok()??;
        serde_json::from_str(text.as_str()).ok()
    }

    /// The messages that wait, which the handle leaves where they are since it is for reading only.
    fn messages(&self) -> Vec<(String, Value)> {
        let messages = self.session.flash_messages().unwrap_or_default();
        let parse = |text: &str| serde_json::from_str(text).unwrap_or_default();
        messages.iter().map(|(key, value)| (key.to_owned(), parse(value.as_str()))).collect()
    }
}

/// What the session has, for the message of a failed assertion.
impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.session.exists() {
            return f.write_str("there is no session");
        }
        write!(f, "the session has")?;
        let keys = self.session.keys();
        for key in &keys {
            write!(f, " {key:?}")?;
        }
        if keys.is_empty() {
            write!(f, " no key")?;
        }
        match self.session.user() {
            Some(user) => write!(f, ", the user {:?}", user.as_str())?,
            None => write!(f, ", no user")?,
        }
        for (key, value) in self.messages() {
            write!(f, ", the message {key:?}: {value}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Snapshot").field(&self.session).finish()
    }
}

#[track_caller]
fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_else(|error| panic!("the value is no JSON: {error}"))
}
