use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use tenure_core::store::{Store, StoreResult};

use crate::Proxies;

/// How the faults get at a store and at its server.
///
/// ```no_run
/// use std::net::SocketAddr;
/// use std::process::{Child, Command};
/// use std::sync::Mutex;
/// use std::time::Duration;
///
/// # use tenure_core::store::MemoryStore as RemoteStore;
/// use tenure_core::store::StoreResult;
/// use tenure_testkit::faults::{Control, FaultHarness, Promise, ServerFault};
/// use tenure_testkit::{Proxies, fault_suite, server};
///
/// # async fn connect(_: String) -> StoreResult<RemoteStore> { Ok(RemoteStore::new()) }
/// struct Remote;
///
/// impl FaultHarness for Remote {
///     type Store = RemoteStore;
///     type Server = Mutex<Child>;
///
///     fn name(&self) -> &'static str {
///         "Remote"
///     }
///
///     fn promise(&self) -> Promise {
///         Promise::new().known_down(Duration::from_millis(100)).recovery(Duration::from_secs(1))
///     }
///
///     fn impossible(&self, fault: ServerFault) -> Option<&'static str> {
///         match fault {
///             ServerFault::Failover => Some("one server, which nobody replaces"),
///             _ => None,
///         }
///     }
///
///     fn serve(&self, _fault: ServerFault) -> Option<Mutex<Child>> {
///         let Ok(child) = Command::new("remote-server").spawn() else {
///             server::missing("remote-server is not installed");
///             return None;
///         };
///         Some(Mutex::new(child))
///     }
///
///     fn addresses(&self, _: &Mutex<Child>) -> Vec<SocketAddr> {
///         vec!["127.0.0.1:7000".parse().unwrap()]
///     }
///
///     async fn open(&self, _: &Mutex<Child>, way: &Proxies) -> StoreResult<RemoteStore> {
///         connect(way.in_url("remote://127.0.0.1:7000")).await
///     }
///
///     fn control(&self, server: &Mutex<Child>, control: Control) {
///         let mut child = server.lock().unwrap();
///         match control {
///             Control::Stop | Control::Kill => child.kill().unwrap(),
///             Control::Start | Control::StartEmpty => {
///                 *child = Command::new("remote-server").spawn().unwrap();
///             }
///             other => panic!("{other:?}: there is no such thing here"),
///         }
///     }
/// }
///
/// fault_suite! { remote, Remote }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not tell the faults how to get at a store and its server",
    note = "implement `FaultHarness`"
)]
pub trait FaultHarness: Send + Sync + 'static {
    /// The store.
    type Store: Store;
    /// A server, which ends when this is dropped.
    type Server: Send + Sync;

    /// How the table of results names the store.
    fn name(&self) -> &'static str;

    /// What the store promises.
    fn promise(&self) -> Promise;

    /// Why this fault cannot be had here, in some words for the table of results.
    fn impossible(&self, fault: ServerFault) -> Option<&'static str> {
        let _ = fault;
        None
    }

    /// Starts a server for a test of this fault. Faults that leave the server
    /// [as it is](ServerFault::spares_the_server) may share one. None if it is not installed.
    fn serve(&self, fault: ServerFault) -> Option<Self::Server>;

    /// Where the server listens: a proxy is put before each of these.
    fn addresses(&self, server: &Self::Server) -> Vec<SocketAddr>;

    /// Opens the store through the proxies, migrated, and with its default time limits.
    fn open(
        &self,
        server: &Self::Server,
        way: &Proxies,
    ) -> impl Future<Output = StoreResult<Self::Store>> + Send;

    /// Does this to the server; returns when it is done. It may block.
    fn control(&self, server: &Self::Server, control: Control);
}

/// A fault of the server or of the way to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ServerFault {
    /// Connections are refused, and those that were open are reset.
    Refused,
    /// Nothing passes, not even the beginning of a connection.
    BlackHole,
    /// Answers take their time, and then more than there is.
    Slow,
    /// A connection is reset in the middle of an answer.
    ResetMidReply,
    /// The server has acted, and its answer is lost with the connection.
    AckLost,
    /// Nothing passes for five seconds, and then what was held back does.
    Stall,
    /// The server is stopped and started again.
    Restart,
    /// The server is stopped, and another starts in its place, without data.
    RestartWithoutData,
    /// The server is killed while sessions are written, and started again.
    KilledDuringCommits,
    /// The server that takes the writes is killed, and another takes its place.
    Failover,
}

impl ServerFault {
    /// Whether the server goes on as if nothing was: the fault is on the way to it.
    ///
    /// ```
    /// use tenure_testkit::faults::ServerFault;
    ///
    /// assert!(ServerFault::BlackHole.spares_the_server());
    /// assert!(!ServerFault::Restart.spares_the_server());
    /// ```
    #[must_use]
    pub fn spares_the_server(self) -> bool {
        use ServerFault::{AckLost, BlackHole, Refused, ResetMidReply, Slow, Stall};
        matches!(self, Refused | BlackHole | Slow | ResetMidReply | AckLost | Stall)
    }
}

/// What a test does to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Control {
    /// End it in order, all of its processes. Its data stays.
    Stop,
    /// Kill it by SIGKILL, all of its processes. Its data stays.
    Kill,
    /// Start it at the same address with the data that it has.
    Start,
    /// Start it at the same address without any data.
    StartEmpty,
    /// Wait until whoever may take the place of a master has all that was acknowledged so far.
    Replicate,
    /// Kill the process that takes the writes, or one of them, by SIGKILL.
    KillMaster,
}

/// What a store promises while its server is out of reach, and after.
///
/// A test fails when something takes 1.5 seconds more, since a machine that is busy with other things
/// may add to any time; what takes more than is promised and less than that is named on standard error.
///
/// ```
/// use std::time::Duration;
/// use tenure_testkit::faults::Promise;
///
/// let promise = Promise::new()
///     .answer(Duration::from_secs(1))
///     .known_down(Duration::from_millis(100))
///     .recovery(Duration::from_millis(500))
///     .after_silence(Duration::from_secs(2))
///     .repeats_unseen()
///     .failover(Duration::from_secs(5));
/// # let _ = promise;
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Promise {
    pub(super) answer: Duration,
    pub(super) known_down: Duration,
    pub(super) recovery: Duration,
    pub(super) after_silence: Duration,
    pub(super) failover: Duration,
    pub(super) repeats_unseen: bool,
}

impl Promise {
    /// Any answer within 2.5 seconds; everything as before one second after the server's return, two
    /// after a silence, ten after the death of a master.
    pub fn new() -> Self {
        let answer = Duration::from_millis(2_500);
        Self {
            answer,
            known_down: answer,
            recovery: Duration::from_secs(1),
            after_silence: Duration::from_secs(2),
            failover: Duration::from_secs(10),
            repeats_unseen: false,
        }
    }

    /// Within which time each request is answered, whatever happens.
    pub fn answer(mut self, time: Duration) -> Self {
        self.answer = time;
        self
    }

    /// Within which time a request is answered once the store knows that the server is down.
    pub fn known_down(mut self, time: Duration) -> Self {
        self.known_down = time;
        self
    }

    /// How long after the server's return requests succeed again.
    pub fn recovery(mut self, time: Duration) -> Self {
        self.recovery = time;
        self
    }

    /// How long after a time in which all was lost requests succeed again: an attempt to connect that
    /// was lost, too, has to be given up first.
    pub fn after_silence(mut self, time: Duration) -> Self {
        self.after_silence = time;
        self
    }

    /// Says that the driver repeats a command by itself when its answer was lost. Who then repeats a
    /// logout learns only that nothing is there, and leaves the cookie, which leads nowhere.
    pub fn repeats_unseen(mut self) -> Self {
        self.repeats_unseen = true;
        self
    }

    /// How long after the death of a master all requests succeed again.
    pub fn failover(mut self, time: Duration) -> Self {
        self.failover = time;
        self
    }
}

impl Default for Promise {
    fn default() -> Self {
        Self::new()
    }
}
