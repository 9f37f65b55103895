use std::fmt;
use std::future::Future;

use super::SimpleDriver;
use crate::clock::Timestamp;
use crate::store::StoreResult;

/// A driver of three closures; made by [`driver_fn`].
#[derive(Clone, Copy)]
pub struct DriverFn<R, W, D> {
    read: R,
    write: W,
    destroy: D,
}

/// A driver of closures: read the text under an id, write one until a time, destroy it.
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::{Arc, Mutex};
/// use tenure_core::store::simple::{SimpleStore, driver_fn};
///
/// let texts = Arc::new(Mutex::new(HashMap::new()));
/// let (read, written, destroyed) = (Arc::clone(&texts), Arc::clone(&texts), texts);
/// let store = SimpleStore::new(driver_fn(
///     move |id: String| {
///         let found = read.lock().unwrap().get(&id).cloned();
///         async { Ok(found) }
///     },
///     move |id, value: String, _until| {
///         written.lock().unwrap().insert(id, value);
///         async { Ok(()) }
///     },
///     move |id| {
///         destroyed.lock().unwrap().remove(&id);
///         async { Ok(()) }
///     },
/// ));
/// # drop(store);
/// ```
pub fn driver_fn<R, W, D, Reading, Writing, Destroying>(
    read: R,
    write: W,
    destroy: D,
) -> DriverFn<R, W, D>
where
    R: Fn(String) -> Reading,
    W: Fn(String, String, Timestamp) -> Writing,
    D: Fn(String) -> Destroying,
    Reading: Future<Output = StoreResult<Option<String>>> + Send,
    Writing: Future<Output = StoreResult<()>> + Send,
    Destroying: Future<Output = StoreResult<()>> + Send,
{
    DriverFn { read, write, destroy }
}

impl<R, W, D, Reading, Writing, Destroying> SimpleDriver for DriverFn<R, W, D>
where
    R: Fn(String) -> Reading + Send + Sync + 'static,
    W: Fn(String, String, Timestamp) -> Writing + Send + Sync + 'static,
    D: Fn(String) -> Destroying + Send + Sync + 'static,
    Reading: Future<Output = StoreResult<Option<String>>> + Send,
    Writing: Future<Output = StoreResult<()>> + Send,
    Destroying: Future<Output = StoreResult<()>> + Send,
{
    fn read(&self, id: &str) -> impl Future<Output = StoreResult<Option<String>>> + Send {
        (self.read)(id.to_owned())
    }

    fn write(
        &self,
        id: &str,
        value: &str,
        until: Timestamp,
    ) -> impl Future<Output = StoreResult<()>> + Send {
        (self.write)(id.to_owned(), value.to_owned(), until)
    }

    fn destroy(&self, id: &str) -> impl Future<Output = StoreResult<()>> + Send {
        (self.destroy)(id.to_owned())
    }
}

impl<R, W, D> fmt::Debug for DriverFn<R, W, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DriverFn")
    }
}
