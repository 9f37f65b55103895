//! Drivers that can only read, write and destroy a text by its id, made into stores.
//!
//! A [`SimpleDriver`] is what session libraries elsewhere ask of a store: AdonisJS's session driver
//! has the same four functions, Ktor's `SessionStorage` three of them. [`SimpleStore`] makes a
//! [`Store`](super::Store) of it.
//!
//! ```
//! use std::collections::HashMap;
//! use std::sync::Mutex;
//! use tenure_core::store::simple::{SimpleDriver, SimpleStore};
//! use tenure_core::store::{StoreError, StoreResult};
//! use tenure_core::transform::{Keyring, SecretKey};
//! use tenure_core::{Sessions, Timestamp};
//!
//! #[derive(Default)]
//! struct Shelf(Mutex<HashMap<String, String>>);
//!
//! impl SimpleDriver for Shelf {
//!     async fn read(&self, id: &str) -> StoreResult<Option<String>> {
//!         Ok(self.0.lock().unwrap().get(id).cloned())
//!     }
//!
//!     async fn write(&self, id: &str, value: &str, _until: Timestamp) -> StoreResult<()> {
//!         self.0.lock().unwrap().insert(id.to_owned(), value.to_owned());
//!         Ok(())
//!     }
//!
//!     async fn destroy(&self, id: &str) -> StoreResult<()> {
//!         self.0.lock().unwrap().remove(id);
//!         Ok(())
//!     }
//! }
//!
//! let sessions = Sessions::builder()
//!     .store(SimpleStore::new(Shelf::default()))
//!     .signing_keys(Keyring::new([SecretKey::generate()?]))
//!     .build()?;
//! # drop(sessions);
//! # Ok::<(), tenure_core::Error>(())
//! ```

mod closures;
mod id;
mod store;

use std::future::Future;

pub use closures::{DriverFn, driver_fn};
pub use store::SimpleStore;

use super::StoreResult;
use crate::clock::Timestamp;

/// What keeps a text under an id, and can do no more.
///
/// Ids are ASCII of lower-case letters, digits and `.:_-%`, different for different sessions even
/// where case is folded; values are UTF-8 text. Calls for one session never overlap inside of this
/// process, unless the future of one was dropped: then the driver should not go on with it, or a
/// write may overtake a later one.
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::Mutex;
/// use tenure_core::store::StoreResult;
/// use tenure_core::store::simple::SimpleDriver;
/// use tenure_core::Timestamp;
///
/// #[derive(Default)]
/// struct Shelf(Mutex<HashMap<String, String>>);
///
/// impl SimpleDriver for Shelf {
///     async fn read(&self, id: &str) -> StoreResult<Option<String>> {
///         Ok(self.0.lock().unwrap().get(id).cloned())
///     }
///
///     async fn write(&self, id: &str, value: &str, _until: Timestamp) -> StoreResult<()> {
///         self.0.lock().unwrap().insert(id.to_owned(), value.to_owned());
///         Ok(())
///     }
///
///     async fn destroy(&self, id: &str) -> StoreResult<()> {
///         self.0.lock().unwrap().remove(id);
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> StoreResult<()> {
/// let (shelf, until) = (Shelf::default(), Timestamp::from_millis(60_000));
/// shelf.write("a", "1", until).await?;
/// shelf.touch("a", until).await?;
/// assert_eq!(shelf.read("a").await?.as_deref(), Some("1"));
/// shelf.destroy("a").await?;
/// assert_eq!(shelf.read("a").await?, None, "what is missing is no error");
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a simple session driver",
    note = "implement `SimpleDriver` (`read`, `write` and `destroy`), or take `driver_fn` with three \
            closures"
)]
pub trait SimpleDriver: Send + Sync + 'static {
    /// The text under `id`, if there is one.
    ///
    /// # Errors
    /// When it cannot be told. What is missing is `None`.
    fn read(&self, id: &str) -> impl Future<Output = StoreResult<Option<String>>> + Send;

    /// Puts `value` under `id`, in place of what is there. From `until` on nobody needs it, and the
    /// driver may drop it; not earlier.
    ///
    /// # Errors
    /// When it is not certain that the next [`read`](Self::read) gives the value.
    fn write(
        &self,
        id: &str,
        value: &str,
        until: Timestamp,
    ) -> impl Future<Output = StoreResult<()>> + Send;

    /// Removes what is under `id`, if there is anything.
    ///
    /// # Errors
    /// When it is not certain that it is gone.
    fn destroy(&self, id: &str) -> impl Future<Output = StoreResult<()>> + Send;

    /// Keeps what is under `id` until `until`, with the same value: asked for where the
    /// [`RecordFormat`](crate::format::RecordFormat) says that the times are not in the value. Ours
    /// has them in it, and a touch is a write.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    fn touch(&self, id: &str, until: Timestamp) -> impl Future<Output = StoreResult<()>> + Send {
        async move {
            match self.read(id).await? {
                Some(value) => self.write(id, &value, until).await,
                None => Ok(()),
            }
        }
    }
}

#[cfg(test)]
mod tests;
