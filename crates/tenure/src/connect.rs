use tenure_core::store::{AnyStore, MemoryStore};
use tenure_core::{Error, ErrorKind, Result};

/// The store that a URL names: `memory:`, or with the feature `sqlite` a file as `sqlite:path`,
/// whose table is made if it is missing.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> tenure::Result<()> {
/// let store = tenure::store::connect("memory:").await?;
/// let error = tenure::store::connect("carrier-pigeon:home").await.unwrap_err();
/// assert!(error.to_string().contains("memory:"));
/// # drop(store);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`ErrorKind::Config`] for a URL that names no store, or whose feature is off; what the store says
/// when it cannot be opened.
pub async fn connect(url: &str) -> Result<AnyStore> {
    let (scheme, _) = url.split_once(':').unwrap_or((url, ""));
    match scheme {
        "memory" => Ok(AnyStore::new(MemoryStore::new())),
        #[cfg(feature = "sqlite")]
        "sqlite" => {
            let failed = |error: tenure_core::store::StoreError| error.during("connect");
            let store = tenure_sql::SqliteStore::open(url).await.map_err(failed)?;
            store.migrate().await.map_err(failed)?;
            Ok(AnyStore::new(store))
        }
        #[cfg(not(feature = "sqlite"))]
        "sqlite" => Err(Error::new(
            ErrorKind::Config,
            "connect",
            "store URL: `sqlite:` needs the feature `sqlite` of the crate `tenure`",
        )),
        // The rest of a URL may hold a password.
        _ => Err(Error::new(
            ErrorKind::Config,
            "connect",
            format!("store URL: {scheme:?} names no store; write `memory:` or `sqlite:path`"),
        )),
    }
}
