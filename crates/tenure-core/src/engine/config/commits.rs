//! Settings: what is committed, how long it may take, and what happens when it fails.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use super::{SessionsBuilder, WhenUnavailable};
use crate::error::Error;

impl SessionsBuilder {
    /// How long the store may take for one load or one commit, one retry and the wait for other
    /// commits of the same session included; 2 seconds by default.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use std::time::Duration;
    /// # use tenure_core::{ErrorKind, Sessions, store::MemoryStore, transform::{Keyring, SecretKey}};
    /// # use tenure_testkit::{Fault, FaultStore, Operation};
    /// let store = FaultStore::new(MemoryStore::new());
    /// store.inject(Operation::Create, Fault::hang());
    /// # let keys = Keyring::new([SecretKey::generate()?]);
    /// # let builder = Sessions::builder().signing_keys(keys);
    /// let sessions = builder.store(store).store_timeout(Duration::from_millis(20)).build()?;
    /// let session = sessions.start().await?;
    /// session.login("ada")?;
    /// assert_eq!(session.save().await.unwrap_err().kind(), ErrorKind::Timeout);
    /// # Ok(())
    /// # }
    /// ```
    pub fn store_timeout(mut self, timeout: Duration) -> Self {
        self.settings.store_timeout = timeout;
        self
    }

    /// What a request gets when the store cannot be reached.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::{Sessions, store::MemoryStore, transform::{Keyring, SecretKey}};
    /// # use tenure_core::engine::{Connection, WhenUnavailable};
    /// # use tenure_testkit::{Fault, FaultStore};
    /// # let store = FaultStore::new(MemoryStore::new());
    /// # let keys = Keyring::new([SecretKey::generate()?]);
    /// # let builder = Sessions::builder().signing_keys(keys).store(store.clone());
    /// let sessions = builder.when_unavailable(WhenUnavailable::Degrade).build()?;
    /// # let session = sessions.start().await?;
    /// # session.login("ada")?;
    /// # session.save().await?;
    /// # let cookie = format!("__Host-id={}", session.danger_expose_token().unwrap());
    /// # let request = http::Request::builder().header("cookie", cookie).body(()).unwrap();
    /// # let (parts, ()) = request.into_parts();
    /// store.inject_everywhere(Fault::unavailable());
    /// let exchange = sessions.open(&parts, Connection::new().secure(true));
    /// let session = exchange.session().load().await?; // no error
    /// assert_eq!(session.user(), None, "she looks like an anonymous visitor");
    /// # Ok(())
    /// # }
    /// ```
    pub fn when_unavailable(mut self, what: WhenUnavailable) -> Self {
        self.settings.when_unavailable = what;
        self
    }

    /// Calls `hook` with every error of a load or a commit, before those who listen to
    /// [events](Self::on_event). What it does changes nothing.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use std::sync::{Arc, Mutex};
    /// # use tenure_core::{ErrorKind, Sessions, store::MemoryStore, transform::{Keyring, SecretKey}};
    /// # use tenure_testkit::{Fault, FaultStore};
    /// # let store = FaultStore::new(MemoryStore::new());
    /// # let keys = Keyring::new([SecretKey::generate()?]);
    /// # let builder = Sessions::builder().signing_keys(keys).store(store.clone());
    /// let log = Arc::new(Mutex::new(Vec::new()));
    /// let sink = Arc::clone(&log);
    /// let sessions = builder.on_error(move |error| sink.lock().unwrap().push(error.kind())).build()?;
    /// # let session = sessions.start().await?;
    /// # session.login("ada")?;
    /// store.inject_everywhere(Fault::unavailable());
    /// assert!(session.save().await.is_err());
    /// assert_eq!(*log.lock().unwrap(), [ErrorKind::Unavailable]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_error(mut self, hook: impl Fn(&Error) + Send + Sync + 'static) -> Self {
        self.settings.on_error = Some(Arc::new(hook));
        self
    }

    /// Commits only with responses of these statuses; by default with all, errors included, so that
    /// what was written beside an error survives.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use http::{HeaderMap, StatusCode};
    /// # use tenure_core::{Sessions, engine::Connection, store::MemoryStore};
    /// let builder = Sessions::builder().store(MemoryStore::new());
    /// let sessions = builder.commit_on(|status| !status.is_server_error()).build()?;
    /// # let (parts, ()) = http::Request::new(()).into_parts();
    /// let exchange = sessions.open(&parts, Connection::new().secure(true));
    /// exchange.session().set("order", 17)?;
    /// exchange.close(StatusCode::INTERNAL_SERVER_ERROR, &mut HeaderMap::new()).await?;
    /// assert_eq!(sessions.counts().created, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn commit_on(mut self, when: impl Fn(StatusCode) -> bool + Send + Sync + 'static) -> Self {
        self.settings.commit_on = Some(Arc::new(when));
        self
    }
}
