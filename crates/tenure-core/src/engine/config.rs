mod at_rest;
mod client;
mod commits;
mod events;
mod guards;
mod lifetimes;
mod limits;
mod merging;
mod profile;
mod quota;
mod reuse;
mod switch;
mod tokens;
mod transports;
mod undecodable;
mod validate;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

pub(crate) use self::limits::Limits;
pub use self::profile::Profile;
pub use self::quota::AtLimit;
pub(crate) use self::quota::Quota;
pub(crate) use self::reuse::ReuseHook;
use self::transports::Way;
pub(crate) use self::undecodable::Policy;
pub use self::undecodable::Undecodable;
pub(crate) use self::validate::Validators;
use super::events::Listener;
use super::manager::Manager;
use super::sessions::Sessions;
use crate::clock::{Clock, Random, SystemClock, SystemRandom};
use crate::error::{Error, Result};
use crate::format::{IdGenerator, KeyScheme, SplitKeys, TokenScheme};
use crate::guard::Guards;
use crate::id::Namespace;
use crate::store::client::Sealer;
use crate::store::{AnyStore, ClientStore, MemoryStore, Store};
use crate::transform::Keyring;

type ErrorHook = Arc<dyn Fn(&Error) + Send + Sync>;
type CommitOn = Arc<dyn Fn(StatusCode) -> bool + Send + Sync>;

/// What a request gets when the store cannot be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenUnavailable {
    /// An error, in HTTP a 503.
    #[default]
    Fail,
    /// An empty session for reading, which never commits and touches no cookie. A visitor who is
    /// logged in looks like an anonymous one while it lasts.
    Degrade,
}

/// Configures [`Sessions`]; every contradiction is refused by [`build`](Self::build).
///
/// ```
/// use std::time::Duration;
/// use tenure_core::{Sessions, store::MemoryStore, transport::Cookie};
///
/// let sessions = Sessions::builder()
///     .store(MemoryStore::new())
///     .cookie(Cookie::named("__Host-shop"))
///     .idle_timeout(Duration::from_secs(30 * 60))
///     .absolute_timeout(Duration::from_secs(12 * 60 * 60))
///     .build()?;
/// # drop(sessions);
/// # Ok::<(), tenure_core::Error>(())
/// ```
#[must_use = "nothing happens until `build` is called"]
pub struct SessionsBuilder {
    store: Option<AnyStore>,
    transports: Vec<Way>,
    namespace: Option<String>,
    keyring: Option<Keyring>,
    at_rest: Option<Keyring>,
    unsigned: bool,
    merging: bool,
    generator: Option<IdGenerator>,
    client: Option<ClientStore>,
    scheme: Option<Arc<dyn TokenScheme>>,
    key_scheme: Arc<dyn KeyScheme>,
    idle_timeout: Option<Duration>,
    absolute_timeout: Option<Duration>,
    settings: Settings,
}

/// The settings that the engine works by.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) idle_timeout: Duration,
    pub(crate) absolute_timeout: Duration,
    pub(crate) profile: Option<Profile>,
    pub(crate) renewal_interval: Option<Duration>,
    pub(crate) touch_interval: Option<Duration>,
    pub(crate) touch_every_request: bool,
    pub(crate) save_uninitialized: bool,
    pub(crate) rolling: bool,
    pub(crate) clear_unknown: bool,
    pub(crate) guards: Guards,
    pub(crate) keeps_request: bool,
    pub(crate) disabled: bool,
    pub(crate) seals_at_rest: bool,
    pub(crate) undecodable: Policy,
    pub(crate) validators: Validators,
    pub(crate) store_timeout: Duration,
    pub(crate) limits: Limits,
    pub(crate) quota: Option<Quota>,
    pub(crate) when_unavailable: WhenUnavailable,
    pub(crate) on_error: Option<ErrorHook>,
    pub(crate) on_reuse: Option<ReuseHook>,
    pub(crate) listeners: Vec<Listener>,
    pub(crate) commit_on: Option<CommitOn>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
}

impl SessionsBuilder {
    pub(super) fn new() -> Self {
        Self {
            store: None,
            transports: Vec::new(),
            namespace: None,
            keyring: None,
            at_rest: None,
            unsigned: false,
            merging: false,
            generator: None,
            client: None,
            scheme: None,
            key_scheme: Arc::new(SplitKeys),
            idle_timeout: None,
            absolute_timeout: None,
            settings: Settings {
                idle_timeout: Duration::from_secs(30 * 60),
                absolute_timeout: Duration::from_secs(12 * 60 * 60),
                profile: None,
                renewal_interval: Some(Duration::from_secs(60 * 60)),
                touch_interval: None,
                touch_every_request: false,
                save_uninitialized: false,
                rolling: false,
                clear_unknown: false,
                guards: Guards::default(),
                keeps_request: false,
                disabled: false,
                seals_at_rest: false,
                undecodable: Policy::Fixed(Undecodable::Fail),
                validators: Validators::default(),
                store_timeout: Duration::from_secs(2),
                limits: Limits::default(),
                quota: None,
                when_unavailable: WhenUnavailable::Fail,
                on_error: None,
                on_reuse: None,
                listeners: Vec::new(),
                commit_on: None,
                clock: Arc::new(SystemClock),
                random: Arc::new(SystemRandom),
            },
        }
    }

    /// Where sessions are kept. A [`MemoryStore`](crate::store::MemoryStore) needs no signing keys,
    /// since one is made for as long as the process lives; every other store does.
    ///
    /// ```
    /// # use tenure_core::{Sessions, store::MemoryStore};
    /// let store = MemoryStore::new().max_sessions(10_000);
    /// let sessions = Sessions::builder().store(store).build()?;
    /// assert!(sessions.store().is_volatile());
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    pub fn store(mut self, store: impl Store) -> Self {
        self.store = Some(AnyStore::new(store));
        self
    }

    /// Where the time comes from.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use std::time::Duration;
    /// # use tenure_core::{Sessions, store::MemoryStore};
    /// use tenure_testkit::ManualClock;
    ///
    /// let clock = ManualClock::new();
    /// let sessions = Sessions::builder().store(MemoryStore::new()).clock(clock.clone()).build()?;
    /// # let session = sessions.start().await?;
    /// # session.login("ada")?;
    /// # session.save().await?;
    /// # let token = session.danger_expose_token().unwrap();
    /// clock.advance(Duration::from_secs(30 * 60)); // no test has to wait
    /// assert!(sessions.open_token(&token).await?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.settings.clock = Arc::new(clock);
        self
    }

    /// Where random octets come from.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tenure_core::Result<()> {
    /// # use tenure_core::{ErrorKind, Sessions, store::MemoryStore};
    /// use tenure_testkit::ScriptedRandom;
    ///
    /// let random = ScriptedRandom::new().then([7; 16]).then_unavailable();
    /// let sessions = Sessions::builder().store(MemoryStore::new()).random(random).build()?;
    /// let session = sessions.start().await?;
    /// session.login("ada")?;
    /// assert_eq!(session.save().await.unwrap_err().kind(), ErrorKind::Unavailable);
    /// # Ok(())
    /// # }
    /// ```
    pub fn random(mut self, random: impl Random) -> Self {
        self.settings.random = Arc::new(random);
        self
    }

    /// Checks the configuration and builds the manager.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tenure_core::{Sessions, store::MemoryStore};
    /// let builder = Sessions::builder().store(MemoryStore::new());
    /// let error = builder.store_timeout(Duration::ZERO).build().unwrap_err();
    /// assert!(error.to_string().contains("store_timeout"), "it names the setting");
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for every contradiction, with the setting
    /// and the remedy.
    pub fn build(mut self) -> Result<Sessions> {
        self.settings.set_timeouts(self.idle_timeout, self.absolute_timeout);
        self.settings.check()?;
        self.check_merging()?;
        let client = self.take_client()?;
        let store = self
            .store
            .take()
            .or_else(|| self.settings.disabled.then(|| AnyStore::new(MemoryStore::new())));
        let store = store.ok_or_else(|| {
            Error::config(
                "store: none was given; call `.store(MemoryStore::new())` for one that ends with \
                 the process, or give a durable one",
            )
        })?;
        self.settings.quota.iter().try_for_each(|quota| quota.check(&store))?;
        self.check_reuse(&store)?;
        let ways = std::mem::take(&mut self.transports);
        let transports = transports::build(ways, client.is_some(), self.settings.clock.now())?;
        let name = self.namespace.take().unwrap_or_else(|| transports.main().name(true).to_owned());
        let namespace = Namespace::new(name)?;
        let scheme = self.take_scheme(&store)?;
        self.settings.seals_at_rest = self.at_rest.is_some();
        let store = at_rest::sealed(store, self.at_rest.take(), &self.settings.random)?;
        let keeps_client = self.settings.guards.watch();
        let sealer = client.map(|(client, revocations)| {
            Sealer::new(client, namespace.as_str(), keeps_client, revocations)
        });
        Ok(Sessions::from_manager(Manager::new(
            store,
            transports,
            namespace,
            scheme,
            self.key_scheme,
            sealer,
            self.settings,
        )?))
    }
}

impl Settings {
    const LONGEST: Duration = Duration::from_secs(400 * 24 * 60 * 60);
    const SHORTEST: Duration = Duration::from_secs(1);

    fn check(&self) -> Result<()> {
        for (setting, timeout) in
            [("idle_timeout", self.idle_timeout), ("absolute_timeout", self.absolute_timeout)]
        {
            if !(Self::SHORTEST..=Self::LONGEST).contains(&timeout) {
                return Err(Error::config(format!(
                    "{setting}: {timeout:?} is not between one second and 400 days"
                )));
            }
        }
        self.check_profile()?;
        if self.idle_timeout > self.absolute_timeout {
            return Err(Error::config(format!(
                "idle_timeout: {:?} is longer than the absolute timeout of {:?}, which would end \
                 every session first; shorten the one or lengthen the other",
                self.idle_timeout, self.absolute_timeout
            )));
        }
        if self.renewal_interval.is_some_and(|interval| interval < Self::SHORTEST) {
            return Err(Error::config(
                "renewal_interval: less than one second; take an hour, or `.insecure_never_renew()`",
            ));
        }
        if self.touch_interval.is_some_and(|interval| interval >= self.idle_timeout) {
            return Err(Error::config(
                "touch_interval: not shorter than the idle timeout, so sessions in use would \
                 expire; take a tenth of it",
            ));
        }
        if self.store_timeout.is_zero() {
            return Err(Error::config("store_timeout: zero leaves the store no time to answer"));
        }
        self.limits.check()?;
        self.guards.check()?;
        Ok(())
    }

    /// How old the note of the last use may grow.
    pub(crate) fn touch_interval(&self, idle_timeout: Duration) -> Duration {
        self.touch_interval.unwrap_or_else(|| (idle_timeout / 10).min(Duration::from_secs(60)))
    }
}

impl fmt::Debug for SessionsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionsBuilder")
            .field("idle_timeout", &self.idle_timeout)
            .field("absolute_timeout", &self.absolute_timeout)
            .finish_non_exhaustive()
    }
}
