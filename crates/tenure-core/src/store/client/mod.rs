//! Sessions that no server keeps: the whole record travels with the client.

mod carried;
mod revocations;

use std::fmt;
use std::sync::Arc;

pub(crate) use carried::Carried;
pub(crate) use revocations::Revocations;

use super::{AnyStore, Client, Record, Store};
use crate::error::{Error, Result};
use crate::format::{Envelope, Packed, RecordFormat};
use crate::id::{Handle, Token};
use crate::transform::{Keyring, Seal, Sign, TransformContext, Transforms};

const TOKEN: usize = Handle::LEN + Token::SECRET_LEN;

/// Keeps each session with its client, in the cookie or header itself, and nothing on the server.
///
/// The record travels with the times at which it ends, which are checked on the server, and is
/// protected by [`Transforms`], one of which at least must refuse what was made without the key.
///
/// What that costs, and no setting can change:
/// - **Parallel responses do not merge.** Each request works on the copy that it brought along, and
///   the last response wins. Counters lose counts, [`consume`](crate::Session::consume) is an
///   error, and there is no list of a user's sessions.
/// - **A copy of an old value is good until it expires**, after a logout too, unless
///   [`revocations`](Self::revocations) are remembered by a store: then each request costs look-ups
///   there.
/// - **It is small**: three cookies of 4096 octets at most. What is over that is an error before
///   anything is sent.
///
/// ```
/// use tenure_core::{Sessions, store::ClientStore, transform::Keyring};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> tenure_core::Result<()> {
/// # let secret = "k7Q2mXv9LrT4wB8nZ1cJ6hY3pD5sF0gA";
/// let keys = Keyring::from_secrets([secret])?;
/// let sessions = Sessions::builder().client_store(ClientStore::sealed(keys)).build()?;
/// let session = sessions.start().await?;
/// session.set("theme", "dark")?;
/// session.commit().await?;
/// let sealed = session.danger_expose_token().unwrap();
/// let again = sessions.open_token(&sealed).await?.unwrap();
/// assert_eq!(again.get::<String>("theme")?.unwrap(), "dark");
/// assert!(!sessions.merges(), "parallel responses do not");
/// # Ok(())
/// # }
/// ```
///
/// # Deployment caveat
/// Servers and proxies limit the headers of a request, often to 8 KiB in all.
#[derive(Clone)]
pub struct ClientStore {
    transforms: Transforms,
    format: Arc<dyn RecordFormat>,
    revocations: Option<AnyStore>,
}

impl ClientStore {
    /// Values that nobody but the server can read or write, sealed with these keys, or by a [`Seal`]
    /// of another algorithm: AES-256-GCM-SIV (feature `aes-gcm-siv`) takes less time
    /// where the processor has instructions for it.
    ///
    /// ```
    /// # use tenure_core::{Sessions, store::ClientStore, transform::Keyring};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let secret = "k7Q2mXv9LrT4wB8nZ1cJ6hY3pD5sF0gA";
    /// let keys = Keyring::from_secrets([secret])?;
    /// let sessions = Sessions::builder().client_store(ClientStore::sealed(keys)).build()?;
    /// # let session = sessions.start().await?;
    /// # session.set("pet", "cat")?;
    /// # session.commit().await?;
    /// let sealed = session.danger_expose_token().unwrap();
    /// assert!(sessions.open_token(&sealed).await?.is_some());
    /// assert!(sessions.open_token(&sealed[1..]).await?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn sealed(seal: impl Into<Seal>) -> Self {
        Self::transformed(Transforms::new().then(seal.into())).format(Packed)
    }

    /// Values that clients can read, and nobody but the server can write: 48 characters of token,
    /// then the record.
    ///
    /// ```
    /// # use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
    /// # use tenure_core::{Sessions, store::ClientStore, transform::Keyring};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # let keys = Keyring::from_secrets(["k7Q2mXv9LrT4wB8nZ1cJ6hY3pD5sF0gA"])?;
    /// let sessions = Sessions::builder().client_store(ClientStore::signed(keys)).build()?;
    /// # let session = sessions.start().await?;
    /// session.set("theme", "dark")?;
    /// # session.commit().await?;
    /// # let signed = session.danger_expose_token().unwrap();
    /// let octets = BASE64.decode(&signed[48..]).unwrap();
    /// assert!(String::from_utf8_lossy(&octets).contains(r#""data":{"theme":"dark"}"#));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn signed(keyring: Keyring) -> Self {
        Self::transformed(Transforms::new().then(Sign::new(keyring)))
    }

    /// Values that are protected by these transforms.
    ///
    /// ```
    /// # use tenure_core::{ErrorKind, Sessions, store::ClientStore, transform::Transforms};
    /// let open = ClientStore::transformed(Transforms::new()); // anybody could write it
    /// let error = Sessions::builder().client_store(open).build().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Config);
    /// ```
    #[must_use]
    pub fn transformed(transforms: Transforms) -> Self {
        Self { transforms, format: Arc::new(Envelope), revocations: None }
    }

    /// Writes records in another format; what was written in one before is still read. By default
    /// that is [`Packed`] where values are sealed, which makes them short, and otherwise JSON.
    ///
    /// ```
    /// # use tenure_core::{format::Envelope, store::ClientStore, transform::Transforms};
    /// let store = ClientStore::transformed(Transforms::new()).format(Envelope); // or another one
    /// # drop(store);
    /// ```
    #[must_use]
    pub fn format(mut self, format: impl RecordFormat) -> Self {
        self.format = Arc::new(format);
        self
    }

    /// Remembers in this store which sessions have ended, so that a copy of their value is refused:
    /// by logout, by a rotation, by [`revoke`](crate::Sessions::revoke) and its kin.
    ///
    /// A request then costs a look-up for its session, one for its user and one for everybody, all
    /// at once; a [`NearCache`](super::NearCache) before the store spares most of them. Entries are
    /// kept until what they refuse has expired.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::{Sessions, store::{ClientStore, MemoryStore}, transform::Keyring};
    /// # let keys = Keyring::from_secrets(["k7Q2mXv9LrT4wB8nZ1cJ6hY3pD5sF0gA"])?;
    /// let store = ClientStore::sealed(keys).revocations(MemoryStore::new()); // or a durable one
    /// let sessions = Sessions::builder().client_store(store).build()?;
    /// let session = sessions.start().await?;
    /// session.login("ada")?;
    /// session.commit().await?;
    /// let copy = session.danger_expose_token().unwrap();
    /// session.logout()?;
    /// session.commit().await?;
    /// assert!(sessions.open_token(&copy).await?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn revocations(mut self, store: impl Store) -> Self {
        self.revocations = Some(AnyStore::new(store));
        self
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.transforms.authenticates() {
            return Ok(());
        }
        Err(Error::config(
            "client_store: no transform refuses what was made without the key, so that anybody \
             could write a session; add `Seal` or `Sign`",
        ))
    }

    pub(crate) fn remembers(&self) -> Option<AnyStore> {
        self.revocations.clone()
    }
}

impl fmt::Debug for ClientStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientStore")
            .field("transforms", &self.transforms)
            .field("format", &self.format)
            .field("revocations", &self.revocations.is_some())
            .finish()
    }
}

/// How the sessions of one manager travel.
#[derive(Clone)]
pub(crate) struct Sealer {
    store: ClientStore,
    /// What values are bound to beside the name: that they are sessions, of this namespace.
    purpose: String,
    /// Whether records say where they began.
    keeps_client: bool,
    pub(crate) revocations: Option<Revocations>,
}

impl Sealer {
    pub(crate) fn new(
        store: ClientStore,
        namespace: &str,
        keeps_client: bool,
        revocations: Option<Revocations>,
    ) -> Self {
        Self { store, purpose: format!("session {namespace}"), keeps_client, revocations }
    }

    /// What a context of these values is bound to.
    pub(crate) fn purpose(&self) -> &str {
        &self.purpose
    }

    /// The text that travels in place of `record`.
    ///
    /// # Errors
    /// When the format cannot hold the record, or a transform fails.
    pub(crate) fn write(
        &self,
        token: &Token,
        mut record: Record,
        cx: &TransformContext<'_>,
    ) -> Result<String> {
        // The token is there itself, and nobody else commits.
        record.proofs = Default::default();
        record.commits.clear();
        if !self.keeps_client {
            record.client = Client::default();
        }
        let encoded = self.store.format.encode(&record).map_err(|error| error.during("client"))?;
        let mut value = Vec::with_capacity(TOKEN + encoded.bytes.len() + 64);
        if let (Some(handle), Some(secret)) = (token.handle(), token.danger_secret()) {
            value.extend(handle.as_bytes());
            value.extend(secret);
        }
        value.extend(encoded.bytes);
        self.store.transforms.write(value, cx)
    }

    /// What was [written](Self::write) as `text`; none, whatever is wrong with it.
    pub(crate) fn read(&self, text: &str, cx: &TransformContext<'_>) -> Option<(Token, Record)> {
        let value = self.store.transforms.read(text, cx)?;
        let (token, record) = value.split_at_checked(TOKEN)?;
        let (handle, secret) = token.split_at(Handle::LEN);
        let handle = Handle::from_bytes(handle.try_into().ok()?);
        let token = Token::split(handle, secret.try_into().ok()?);
        Some((token, self.store.format.decode(record).ok()?))
    }
}
