//! Settings: how a credential is made, and under which key its session is filed.

use std::sync::Arc;

use super::SessionsBuilder;
use crate::error::{Error, Result};
use crate::format::{KeyScheme, SplitTokens, TokenScheme};
use crate::store::AnyStore;
use crate::transform::{Keyring, SecretKey};

impl SessionsBuilder {
    /// What keeps these sessions apart from others in the same store; by default the cookie's name.
    ///
    /// Signed tokens are bound to the cookie's name and not to this: where cookies of one name have
    /// several namespaces, a token of the other costs a look-up, in which it is not found.
    ///
    /// ```
    /// # use tenure_core::{Sessions, store::MemoryStore};
    /// let sessions = Sessions::builder().store(MemoryStore::new()).namespace("shop").build()?;
    /// assert_eq!(sessions.namespace().as_str(), "shop");
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    pub fn namespace(mut self, name: impl Into<String>) -> Self {
        self.namespace = Some(name.into());
        self
    }

    /// The keys that sign tokens, so that a forged one costs no store call.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::{Sessions, store::{AnyStore, MemoryStore}, transform::Keyring};
    /// # let store = AnyStore::new(MemoryStore::new());
    /// # let secret = "k7Q2mXv9LrT4wB8nZ1cJ6hY3pD5sF0gA";
    /// # let builder = Sessions::builder().store(store.clone());
    /// # let other_process = builder.signing_keys(Keyring::from_secrets([secret])?).build()?;
    /// # let session = other_process.start().await?;
    /// # session.login("ada")?;
    /// # session.save().await?;
    /// # let token = session.danger_expose_token().unwrap();
    /// # let forged = format!("AAAA{}", &token[4..]);
    /// let keys = Keyring::from_secrets([secret])?; // the same in every process
    /// let sessions = Sessions::builder().store(store).signing_keys(keys).build()?;
    /// assert!(sessions.open_token(&token).await?.is_some(), "another process made it");
    /// assert!(sessions.open_token(&forged).await?.is_none());
    /// assert_eq!(sessions.counts().loads, 1, "the forged one was not looked up");
    /// # Ok(())
    /// # }
    /// ```
    pub fn signing_keys(mut self, keys: Keyring) -> Self {
        self.keyring = Some(keys);
        self
    }

    /// Leaves tokens unsigned. The price: every forged token costs the store one look-up, so
    /// whoever floods the application with them floods the store. A token cannot be guessed either
    /// way.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::{Sessions, store::MemoryStore};
    /// let sessions =
    ///     Sessions::builder().store(MemoryStore::new()).insecure_unsigned_tokens().build()?;
    /// assert!(sessions.open_token(&"A".repeat(48)).await?.is_none());
    /// assert_eq!(sessions.counts().unknown, 1, "the store was asked");
    /// # Ok(())
    /// # }
    /// ```
    pub fn insecure_unsigned_tokens(mut self) -> Self {
        self.unsigned = true;
        self
    }

    /// Takes the random octets of new tokens from `generator`, which sees the request's head. Less
    /// than 128 bits are refused when a token is made.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use std::sync::atomic::{AtomicU8, Ordering};
    /// # use tenure_core::{Sessions, engine::Connection, store::MemoryStore};
    /// # static ASKED: AtomicU8 = AtomicU8::new(0);
    /// # fn hardware_octets() -> [u8; 32] { [ASKED.fetch_add(1, Ordering::Relaxed); 32] }
    /// let sessions = Sessions::builder()
    ///     .store(MemoryStore::new())
    ///     .id_generator(|_request| hardware_octets().to_vec())
    ///     .build()?;
    /// # let (parts, ()) = http::Request::new(()).into_parts();
    /// # let session = sessions.open(&parts, Connection::new()).session().load().await?;
    /// # session.login("ada")?;
    /// # session.save().await?;
    /// assert_eq!(ASKED.load(Ordering::Relaxed), 1, "one token was made");
    /// # Ok(())
    /// # }
    /// ```
    pub fn id_generator(
        mut self,
        generator: impl Fn(&http::request::Parts) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        self.generator = Some(Arc::new(generator));
        self.settings.keeps_request = true;
        self
    }

    /// Reads and writes tokens of another format. It signs and makes them by itself, so signing keys
    /// and an id generator beside it are refused.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::{Sessions, format::SplitTokens, store::MemoryStore};
    /// let scheme = SplitTokens::insecure_unsigned(); // or a type of the application
    /// let sessions = Sessions::builder().store(MemoryStore::new()).token_scheme(scheme).build()?;
    /// let session = sessions.start().await?;
    /// session.login("ada")?;
    /// session.save().await?;
    /// assert_eq!(session.danger_expose_token().unwrap().len(), 48, "without a signature");
    /// # Ok(())
    /// # }
    /// ```
    pub fn token_scheme(mut self, scheme: impl TokenScheme) -> Self {
        self.scheme = Some(Arc::new(scheme));
        self
    }

    /// Makes store keys of tokens in another way.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::{Clock, Namespace, Sessions, SystemClock};
    /// # use tenure_core::{format::{KeyScheme, SplitKeys}, id::Token};
    /// # use tenure_core::store::{MemoryStore, Store, StoreKey};
    /// #[derive(Debug)]
    /// struct Tenant(Namespace);
    ///
    /// impl KeyScheme for Tenant {
    ///     fn key(&self, _: &Namespace, token: &Token) -> StoreKey {
    ///         SplitKeys.key(&self.0, token)
    ///     }
    /// }
    ///
    /// let acme = Namespace::new("acme")?;
    /// let keys = Tenant(acme.clone());
    /// let sessions = Sessions::builder().store(MemoryStore::new()).key_scheme(keys).build()?;
    /// # let session = sessions.start().await?;
    /// # session.login("ada")?;
    /// # session.save().await?;
    /// let key = StoreKey::new(acme, session.handle().unwrap());
    /// assert!(sessions.store().delete(&key, SystemClock.now()).await.unwrap());
    /// # Ok(())
    /// # }
    /// ```
    pub fn key_scheme(mut self, scheme: impl KeyScheme) -> Self {
        self.key_scheme = Arc::new(scheme);
        self
    }

    /// Keeps the head of each request for the [cookie factory](crate::transport::Cookie::factory)
    /// and for the token scheme to look at; it costs a copy of the head a request.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::{Sessions, engine::Connection, store::MemoryStore, transport::Cookie};
    /// # async fn visit(sessions: &Sessions, path: &str) -> tenure_core::Result<String> {
    /// #     let (parts, ()) = http::Request::get(path).body(()).unwrap().into_parts();
    /// #     let exchange = sessions.open(&parts, Connection::new().secure(true));
    /// #     exchange.session().set("n", 1)?;
    /// #     let mut headers = http::HeaderMap::new();
    /// #     exchange.close(http::StatusCode::OK, &mut headers).await?;
    /// #     Ok(headers["set-cookie"].to_str().unwrap().to_owned())
    /// # }
    /// # let fortnight = std::time::Duration::from_secs(14 * 24 * 60 * 60);
    /// let cookie = Cookie::default().lifetime(fortnight).factory(|context, cookie| {
    ///     let guest = context.request().is_some_and(|request| request.uri.path() == "/guest");
    ///     if guest { cookie.browser_session() } else { cookie }
    /// });
    /// let builder = Sessions::builder().store(MemoryStore::new()).cookie(cookie);
    /// let sessions = builder.keep_request().build()?;
    /// assert!(visit(&sessions, "/").await?.contains("Max-Age"));
    /// assert!(!visit(&sessions, "/guest").await?.contains("Max-Age"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn keep_request(mut self) -> Self {
        self.settings.keeps_request = true;
        self
    }

    /// The token scheme that the settings ask for.
    ///
    /// # Errors
    /// When they contradict each other, or keys are missing.
    pub(super) fn take_scheme(&mut self, store: &AnyStore) -> Result<Arc<dyn TokenScheme>> {
        if let Some(scheme) = self.scheme.take() {
            if self.keyring.is_some() || self.unsigned || self.generator.is_some() {
                return Err(Error::config(
                    "token_scheme: another scheme signs and makes tokens by itself; leave out \
                     signing_keys, insecure_unsigned_tokens and id_generator",
                ));
            }
            return Ok(scheme);
        }
        let mut tokens = match (self.keyring.take(), self.unsigned) {
            (Some(_), true) => {
                return Err(Error::config(
                    "signing_keys and insecure_unsigned_tokens contradict each other; keep the keys \
                     and leave the other out",
                ));
            }
            (Some(keys), false) => {
                keys.check("signing_keys")?;
                SplitTokens::signed(keys)
            }
            (None, true) => SplitTokens::insecure_unsigned(),
            (None, false) if store.is_volatile() => {
                SplitTokens::signed(Keyring::new([SecretKey::generate()?]))
            }
            (None, false) => {
                return Err(Error::config(
                    "signing_keys: none were given, and sessions in this store outlive the process; \
                     pass `Keyring::from_secrets([secret])` with a secret from `openssl rand \
                     -base64 33`, or `.insecure_unsigned_tokens()` at the price of one look-up a \
                     forged token",
                ));
            }
        };
        if let Some(generator) = self.generator.take() {
            tokens = tokens.generator(generator);
        }
        Ok(Arc::new(tokens))
    }
}
