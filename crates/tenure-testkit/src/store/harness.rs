use std::future::Future;

use tenure_core::store::Store;

/// How the suite gets at a store.
///
/// The suite makes one harness for each test, and works in namespaces of its own: tests of one
/// store do not disturb each other, and the store may hold other data. The times that it passes
/// begin at the real time and move forward.
///
/// ```
/// use tenure_core::store::{AnyStore, MemoryStore};
/// use tenure_testkit::StoreHarness;
///
/// struct Memory;
///
/// impl StoreHarness for Memory {
///     type Store = MemoryStore;
///
///     async fn open(&self) -> MemoryStore {
///         MemoryStore::new()
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not tell the suite how to open a store",
    note = "implement `StoreHarness`: the type of the store, and `async fn open(&self)`"
)]
pub trait StoreHarness: Send + Sync + 'static {
    /// The store.
    type Store: Store;

    /// Opens the store, migrated and ready; called once or more in each test.
    ///
    /// A store that lives in this process may be a new one each time.
    fn open(&self) -> impl Future<Output = Self::Store> + Send;

    /// Where other processes find the data that [`open`](Self::open) opens, if it outlives this
    /// one: a path, a URL. With it the tests between processes apply.
    ///
    /// ```
    /// # use tenure_core::store::MemoryStore;
    /// # use tenure_testkit::StoreHarness;
    /// struct Folder(std::path::PathBuf);
    ///
    /// impl StoreHarness for Folder {
    ///     # type Store = MemoryStore;
    ///     # async fn open(&self) -> MemoryStore { MemoryStore::new() }
    ///     fn address(&self) -> Option<String> {
    ///         self.0.to_str().map(str::to_owned)
    ///     }
    /// }
    /// assert_eq!(Folder("/tmp/sessions".into()).address().as_deref(), Some("/tmp/sessions"));
    /// ```
    fn address(&self) -> Option<String> {
        None
    }

    /// Opens the store at an [`address`](Self::address), which another process has given.
    ///
    /// ```
    /// # use std::{collections::HashMap, sync::{LazyLock, Mutex}};
    /// # use tenure_core::store::{AnyStore, MemoryStore};
    /// # use tenure_testkit::StoreHarness;
    /// # static SERVERS: LazyLock<Mutex<HashMap<String, AnyStore>>> = LazyLock::new(Mutex::default);
    /// # fn connect(url: &str) -> AnyStore {
    /// #     let mut servers = SERVERS.lock().unwrap();
    /// #     servers.entry(url.into()).or_insert_with(|| AnyStore::new(MemoryStore::new())).clone()
    /// # }
    /// struct Server;
    ///
    /// impl StoreHarness for Server {
    ///     type Store = AnyStore;
    ///
    ///     async fn open(&self) -> AnyStore {
    ///         connect("first.example")
    ///     }
    ///
    ///     async fn open_at(&self, address: &str) -> AnyStore {
    ///         connect(address)
    ///     }
    /// }
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// Server.open_at("second.example").await;
    /// assert!(SERVERS.lock().unwrap().contains_key("second.example"));
    /// # });
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn open_at(&self, address: &str) -> impl Future<Output = Self::Store> + Send {
        let _ = address;
        self.open()
    }

    /// Whether the server may drop records by its own clock, so that a sweep finds fewer than have
    /// expired.
    ///
    /// ```
    /// # use tenure_core::store::MemoryStore;
    /// # use tenure_testkit::StoreHarness;
    /// struct Cache;
    ///
    /// impl StoreHarness for Cache {
    ///     # type Store = MemoryStore;
    ///     # async fn open(&self) -> MemoryStore { MemoryStore::new() }
    ///     fn expires_by_itself(&self) -> bool {
    ///         true
    ///     }
    /// }
    /// assert!(Cache.expires_by_itself());
    /// ```
    fn expires_by_itself(&self) -> bool {
        false
    }

    /// Which share of the rounds of the long tests this server is given, those that run one after
    /// the other: all by default, less where one takes it too long, or where another server has run
    /// them with the same commands. How many writers work at once stays as it is.
    ///
    /// ```
    /// # use tenure_core::store::MemoryStore;
    /// # use tenure_testkit::StoreHarness;
    /// struct FarAway;
    ///
    /// impl StoreHarness for FarAway {
    ///     # type Store = MemoryStore;
    ///     # async fn open(&self) -> MemoryStore { MemoryStore::new() }
    ///     fn share_of_rounds(&self) -> f64 {
    ///         0.1
    ///     }
    /// }
    /// assert!(FarAway.share_of_rounds() < 1.0);
    /// ```
    fn share_of_rounds(&self) -> f64 {
        1.0
    }

    /// Which share there is of the 1,000 writers on one session, and of the 100 sessions that several
    /// processes end or rotate: all by default, less where a store merges by a swap and each attempt
    /// costs it much, as one that seals, or where one takes them too long. How many write at once
    /// stays as it is.
    ///
    /// ```
    /// # use tenure_core::store::MemoryStore;
    /// # use tenure_testkit::StoreHarness;
    /// struct Sealing;
    ///
    /// impl StoreHarness for Sealing {
    ///     # type Store = MemoryStore;
    ///     # async fn open(&self) -> MemoryStore { MemoryStore::new() }
    ///     fn share_of_writers(&self) -> f64 {
    ///         0.1
    ///     }
    /// }
    /// assert!(Sealing.share_of_writers() < 1.0);
    /// ```
    fn share_of_writers(&self) -> f64 {
        1.0
    }
}

/// One run of a law: the harness, and the name of the test that runs it.
///
/// ```
/// use tenure_core::store::MemoryStore;
/// use tenure_testkit::store::{Finding, StoreHarness, Trial};
/// use tenure_testkit::laws;
///
/// struct Memory;
///
/// impl StoreHarness for Memory {
///     type Store = MemoryStore;
///
///     async fn open(&self) -> MemoryStore {
///         MemoryStore::new()
///     }
/// }
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let found = laws::law_01_create_never_overwrites(&Trial::new(Memory)).await?;
/// assert_eq!(found, Finding::Kept);
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Trial<H> {
    pub(super) harness: H,
    pub(super) test: Option<&'static str>,
}

impl<H: StoreHarness> Trial<H> {
    /// A run with this harness. Tests between processes do not apply, since other processes could
    /// not be told which test to run.
    #[must_use]
    pub fn new(harness: H) -> Self {
        Self { harness, test: None }
    }

    /// A run inside the test function of this path, as `module_path!` writes it.
    ///
    /// ```
    /// # use tenure_core::store::MemoryStore;
    /// # use tenure_testkit::{StoreHarness, laws, store::{Finding, Trial}};
    /// # struct Memory;
    /// # impl StoreHarness for Memory {
    /// #     type Store = MemoryStore;
    /// #     async fn open(&self) -> MemoryStore { MemoryStore::new() }
    /// # }
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// let trial = Trial::new(Memory).inside(concat!(module_path!(), "::mine::law_02"));
    /// assert_eq!(laws::law_02_missing_session_is_gone(&trial).await?, Finding::Kept);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn inside(mut self, test: &'static str) -> Self {
        self.test = test.split_once("::").map(|(_, name)| name);
        self
    }
}

impl<H: StoreHarness> Trial<H> {
    /// How many rounds a test has that has `rounds` by default, at least one.
    pub(super) fn rounds(&self, rounds: u32) -> usize {
        times(rounds, scale() * self.harness.share_of_rounds())
    }

    /// How many writers a test has that has `writers` by default, or sessions that writers of several
    /// processes contend for; at least one.
    pub(super) fn writers(&self, writers: u32) -> usize {
        times(writers, scale() * self.harness.share_of_writers())
    }
}

/// `size` times `TENURE_SUITE_SCALE`, at least one.
pub(super) fn scaled(size: u32) -> usize {
    times(size, scale())
}

fn scale() -> f64 {
    std::env::var("TENURE_SUITE_SCALE")
        .ok()
        .and_then(|scale| scale.parse::<f64>().ok())
        .filter(|scale| *scale > 0.0)
        .unwrap_or(1.0)
}

fn times(size: u32, scale: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive number, and a cast saturates"
    )]
    let scaled = (f64::from(size) * scale).ceil() as usize;
    scaled.max(1)
}
