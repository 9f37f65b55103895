//! Setting: whether data is sealed before it reaches the store.

use std::sync::Arc;

use super::SessionsBuilder;
use crate::clock::Random;
use crate::error::Result;
use crate::store::{AnyStore, Sealed};
use crate::transform::Keyring;

impl SessionsBuilder {
    /// Encrypts the data of sessions before it reaches the store, as [`Sealed`] does: with the first
    /// of these keys, while all of them open. They may be the same as the
    /// [`signing_keys`](Self::signing_keys).
    ///
    /// A key is retired when the last session that it has sealed was written again or has ended, after
    /// the absolute timeout at the latest: sessions whose key is gone are errors.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::{Sessions, SystemClock, Clock, UserId};
    /// # use tenure_core::store::{AnyStore, MemoryStore, Store, UserIndex};
    /// # use tenure_core::transform::{Keyring, SecretKey};
    /// # let store = AnyStore::new(MemoryStore::new());
    /// let keys = Keyring::new([SecretKey::generate()?]);
    /// let sessions = Sessions::builder().store(store.clone()).seal_at_rest(keys).build()?;
    /// let session = sessions.start().await?;
    /// session.login("ada")?;
    /// session.set("diagnosis", "flu")?;
    /// session.commit().await?;
    ///
    /// # let (ada, now) = (UserId::new("ada")?, SystemClock.now());
    /// # let users = store.users().unwrap();
    /// let rows = users.list(sessions.namespace(), &ada, now).await.unwrap(); // what lies there
    /// assert_eq!(rows[0].record.data.keys().collect::<Vec<_>>(), ["\0sealed"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn seal_at_rest(mut self, keys: Keyring) -> Self {
        self.at_rest = Some(keys);
        self
    }
}

/// The store behind the seal, if there is to be one.
pub(super) fn sealed(
    store: AnyStore,
    keys: Option<Keyring>,
    random: &Arc<dyn Random>,
) -> Result<AnyStore> {
    let Some(keys) = keys else { return Ok(store) };
    keys.check("seal_at_rest")?;
    let sealed = Sealed::new(store.clone(), keys).random(Arc::clone(random));
    if !store.is_per_request() {
        return Ok(AnyStore::new(sealed));
    }
    Ok(AnyStore::per_request(sealed.clone(), move |request| {
        AnyStore::new(match store.for_request(request) {
            Some(store) => sealed.with_inner(store),
            None => sealed.clone(),
        })
    }))
}
