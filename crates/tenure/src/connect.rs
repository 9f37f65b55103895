use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tenure_core::store::{AnyStore, MemoryStore, Store, StoreResult};
use tenure_core::{Error, ErrorKind, Result};

/// The schemes of the stores that tenure brings, by the feature of this crate that each store needs.
const FEATURES: [(&str, &[&str]); 7] = [
    ("couchdb", &["couchdb", "couchdbs"]),
    ("file", &["file"]),
    ("mongodb", &["mongodb", "mongodb+srv"]),
    ("mysql", &["mysql", "mariadb"]),
    ("postgres", &["postgres", "postgresql"]),
    (
        "redis",
        &[
            "redis",
            "rediss",
            "redis+sentinel",
            "rediss+sentinel",
            "redis-cluster",
            "rediss-cluster",
        ],
    ),
    ("sqlite", &["sqlite"]),
];

/// The scheme that only a configuration knows, for sessions that their clients keep.
pub(crate) const CLIENT: &str = "client";

/// The store that a URL names: `memory:`, or one of those whose feature is on, such as
/// `file:/path` and `sqlite:path`; what they need of folders and tables is made if it is missing.
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
/// A store that tells of changes, as that for Redis does, can have a near cache before it, which
/// serves what is read again from memory:
///
/// ```
/// use tenure::{Sessions, store::{self, NearCache}, transform::{Keyring, SecretKey}};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> tenure::Result<()> {
/// # let (url, keys) = ("memory:", Keyring::new([SecretKey::generate()?]));
/// let store = NearCache::new(store::connect(url).await?);
/// tokio::spawn(store.watcher().run());
/// let sessions = Sessions::builder().store(store).signing_keys(keys).build()?;
/// # drop(sessions);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As [`Schemes::connect`].
pub async fn connect(url: &str) -> Result<AnyStore> {
    Schemes::new().connect(url).await
}

/// Which store a URL names, by its scheme: those that tenure brings, and the application's own.
///
/// ```
/// use tenure::store::{MemoryStore, Schemes};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> tenure::Result<()> {
/// let schemes = Schemes::new().add("carrier", |url: String| async move {
///     println!("the pigeons fly to {url}");
///     Ok(MemoryStore::new())
/// })?;
/// let store = schemes.connect("carrier:home").await?;
/// # drop(store);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Schemes {
    /// By scheme, in lower case.
    known: BTreeMap<String, Opens>,
}

type Opens = Arc<dyn Fn(String) -> Opening + Send + Sync>;
type Opening = Pin<Box<dyn Future<Output = StoreResult<AnyStore>> + Send>>;

impl Schemes {
    /// The schemes of the stores whose features are on.
    #[must_use]
    pub fn new() -> Self {
        let mut schemes = Self { known: BTreeMap::new() };
        schemes.put("memory", |_| async { Ok(MemoryStore::new()) });
        #[cfg(feature = "file")]
        schemes.feature("file", |url| async { tenure_file::FileStore::open(url).await });
        #[cfg(feature = "couchdb")]
        schemes.feature("couchdb", |url: String| async move {
            let store = tenure_couchdb::CouchStore::connect(&url).await?;
            store.migrate().await.map(|()| store)
        });
        #[cfg(feature = "mongodb")]
        schemes.feature("mongodb", |url: String| async move {
            let store = tenure_mongodb::MongoStore::connect(&url).await?;
            store.migrate().await.map(|()| store)
        });
        #[cfg(feature = "mysql")]
        schemes.feature("mysql", |url: String| async move {
            let store = tenure_sql::MySqlStore::connect(&url).await?;
            store.migrate().await.map(|()| store)
        });
        #[cfg(feature = "postgres")]
        schemes.feature("postgres", |url: String| async move {
            let store = tenure_sql::PostgresStore::connect(&url).await?;
            store.migrate().await.map(|()| store)
        });
        #[cfg(feature = "redis")]
        schemes.feature("redis", |url: String| async move {
            tenure_redis::RedisStore::connect(&url).await
        });
        #[cfg(feature = "sqlite")]
        schemes.feature("sqlite", |url| async {
            let store = tenure_sql::SqliteStore::open(url).await?;
            store.migrate().await.map(|()| store)
        });
        schemes
    }

    /// Adds a scheme of the application's own. `open` gets the whole URL, the scheme in lower case
    /// (RFC 3986, section 3.1), each time that one is to be opened; what else it needs, such as a
    /// configuration, it brings along. A driver that is made for each request is a store, too:
    /// [`SimpleStore::per_request`](tenure_core::store::simple::SimpleStore::per_request).
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a name that cannot be a scheme, or is taken.
    pub fn add<S, F>(
        mut self,
        scheme: &str,
        open: impl Fn(String) -> F + Send + Sync + 'static,
    ) -> Result<Self>
    where
        S: Store,
        F: Future<Output = StoreResult<S>> + Send + 'static,
    {
        if !is_scheme(scheme) {
            return Err(refused(format!(
                "{scheme:?} cannot be one; take a letter, then letters, digits, `+`, `-` and `.`"
            )));
        }
        let scheme = scheme.to_ascii_lowercase();
        if scheme == CLIENT || self.known.contains_key(&scheme) {
            return Err(refused(format!("`{scheme}:` names a store already; take another scheme")));
        }
        self.put(&scheme, open);
        Ok(self)
    }

    /// Opens the store that `url` names.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a URL that names no store, or one whose feature is off; what the
    /// store says when it cannot be opened.
    pub async fn connect(&self, url: &str) -> Result<AnyStore> {
        let (scheme, rest) = url.split_once(':').unwrap_or((url, ""));
        // The rest of a URL may hold a password, and so may what has no scheme.
        if !is_scheme(scheme) {
            return Err(refused(format!("it has no scheme; write {}", self.examples())));
        }
        let scheme = scheme.to_ascii_lowercase();
        if let Some(open) = self.known.get(&scheme) {
            let opened = open(format!("{scheme}:{rest}")).await;
            return opened.map_err(|error| error.during("connect"));
        }
        if scheme == CLIENT {
            return Err(refused(
                "`client:` is no store, but sessions without one; it is for the setting `store` of a \
                 configuration, and `SessionsBuilder::client_store` is the same in code"
                    .to_owned(),
            ));
        }
        let feature = FEATURES.iter().find(|(_, schemes)| schemes.contains(&scheme.as_str()));
        Err(refused(match feature {
            Some((feature, _)) => {
                format!("`{scheme}:` needs the feature `{feature}` of the crate `tenure`")
            }
            None => format!(
                "{scheme:?} names no store; write {}, or add it to Schemes",
                self.examples()
            ),
        }))
    }

    /// Adds the schemes of a store that tenure brings.
    #[allow(dead_code, reason = "without features there is none")]
    fn feature<S: Store, F: Future<Output = StoreResult<S>> + Send + 'static>(
        &mut self,
        feature: &str,
        open: impl Fn(String) -> F + Clone + Send + Sync + 'static,
    ) {
        let schemes = FEATURES.iter().filter(|(name, _)| *name == feature);
        for scheme in schemes.flat_map(|(_, schemes)| *schemes) {
            self.put(scheme, open.clone());
        }
    }

    fn put<S: Store, F: Future<Output = StoreResult<S>> + Send + 'static>(
        &mut self,
        scheme: &str,
        open: impl Fn(String) -> F + Send + Sync + 'static,
    ) {
        let opens = move |url| -> Opening {
            let opening = open(url);
            Box::pin(async { opening.await.map(AnyStore::new) })
        };
        self.known.insert(scheme.to_owned(), Arc::new(opens));
    }

    /// What can be written, for messages.
    fn examples(&self) -> String {
        let own = self.known.keys().map(String::as_str);
        let own = own.filter(|scheme| !["memory", "file", "sqlite"].contains(scheme));
        let own = own.map(|scheme| format!(", `{scheme}:…`")).collect::<String>();
        format!("`memory:`, `file:/path`, `sqlite:path`{own}")
    }
}

fn is_scheme(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet))
}

fn refused(message: String) -> Error {
    Error::new(ErrorKind::Config, "connect", format!("store URL: {message}"))
}

impl Default for Schemes {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Schemes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.known.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A store that was left out is not taken for a mistake in the URL.
    #[tokio::test]
    async fn a_scheme_whose_feature_is_off_names_the_feature() {
        let none = Schemes { known: BTreeMap::new() };
        for (scheme, feature) in [
            ("redis", "redis"),
            ("rediss", "redis"),
            ("redis+sentinel", "redis"),
            ("redis-cluster", "redis"),
            ("postgres", "postgres"),
            ("postgresql", "postgres"),
            ("mysql", "mysql"),
            ("mariadb", "mysql"),
            ("mongodb", "mongodb"),
            ("mongodb+srv", "mongodb"),
            ("couchdb", "couchdb"),
            ("couchdbs", "couchdb"),
            ("file", "file"),
            ("sqlite", "sqlite"),
        ] {
            let error = none.connect(&format!("{scheme}://ada:secret@host/1")).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            let text = error.to_string();
            assert!(text.contains(&format!("`{scheme}:` needs the feature `{feature}`")), "{text}");
            assert!(!text.contains("secret"), "{text}");
        }
    }

    /// No scheme stands in two lines, and each can be one.
    #[test]
    fn each_scheme_belongs_to_one_feature() {
        let mut schemes: Vec<_> = FEATURES.iter().flat_map(|(_, schemes)| *schemes).collect();
        assert!(schemes.iter().all(|scheme| is_scheme(scheme)));
        let count = schemes.len();
        schemes.sort_unstable();
        schemes.dedup();
        assert_eq!(schemes.len(), count);
    }
}
