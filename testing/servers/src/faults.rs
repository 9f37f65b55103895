//! The fault suite of a store, on servers that are started here.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tenure_core::store::{Store, StoreResult};
use tenure_testkit::faults::{Control, FaultHarness, Promise, ServerFault};
use tenure_testkit::{Proxies, server};

use crate::{Options, Result, Server};

/// A server that several tests may have.
pub type Place = Arc<Mutex<Server>>;

/// The server that all faults share which leave it as it is; a `static` for each kind.
pub type Shared = OnceLock<Option<Place>>;

type Opening<S> = Pin<Box<dyn Future<Output = StoreResult<S>> + Send>>;

/// What the fault suite has to know of a store, on one kind of server.
#[derive(Debug)]
pub struct Servers<S> {
    name: &'static str,
    make: fn(&Options) -> Result<Server>,
    shared: &'static Shared,
    open: fn(String) -> Opening<S>,
    promise: Promise,
    alone: Option<&'static str>,
}

impl<S: Store> Servers<S> {
    /// Servers that `make` starts, and the store at their URL, ready to be used.
    pub fn new(
        name: &'static str,
        make: fn(&Options) -> Result<Server>,
        shared: &'static Shared,
        open: fn(String) -> Opening<S>,
    ) -> Self {
        let alone = Some("one server: nobody takes its place");
        Self { name, make, shared, open, promise: Promise::new(), alone }
    }

    /// What the store promises, where that is not the common promise.
    #[must_use]
    pub fn promise(mut self, promise: Promise) -> Self {
        self.promise = promise;
        self
    }

    /// Why no other server takes its place.
    #[must_use]
    pub fn alone(mut self, why: &'static str) -> Self {
        self.alone = Some(why);
        self
    }

    /// When the first of the servers dies, another takes its place.
    #[must_use]
    pub fn replaced(mut self) -> Self {
        self.alone = None;
        self
    }

    fn start(&self) -> Option<Place> {
        match (self.make)(&Options::new()) {
            Ok(server) => Some(Arc::new(Mutex::new(server))),
            Err(error) if error.is_missing() => None,
            Err(error) => panic!("{error}"),
        }
    }
}

impl<S: Store> FaultHarness for Servers<S> {
    type Store = S;
    type Server = Place;

    fn name(&self) -> &'static str {
        self.name
    }

    fn promise(&self) -> Promise {
        self.promise
    }

    fn impossible(&self, fault: ServerFault) -> Option<&'static str> {
        self.alone.filter(|_| fault == ServerFault::Failover)
    }

    fn serve(&self, fault: ServerFault) -> Option<Place> {
        let place = if fault.spares_the_server() {
            self.shared.get_or_init(|| self.start()).clone()
        } else {
            self.start()
        };
        if place.is_none() {
            server::missing(&format!("{} is not installed", self.name));
        }
        place
    }

    fn addresses(&self, server: &Place) -> Vec<SocketAddr> {
        let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
        lock(server).nodes().iter().map(|node| address(node.port())).collect()
    }

    async fn open(&self, server: &Place, way: &Proxies) -> StoreResult<S> {
        let url = way.in_url(lock(server).url());
        (self.open)(url).await
    }

    fn control(&self, server: &Place, control: Control) {
        let mut server = lock(server);
        let done = match control {
            Control::Stop => server.stop(),
            Control::Kill => server.kill(),
            Control::Start => server.start(),
            Control::StartEmpty => server.replace(&Options::new()),
            Control::Replicate => server.replicated(),
            Control::KillMaster => server.nodes()[0].kill(),
            other => panic!("{other:?}"),
        };
        done.unwrap_or_else(|error| panic!("{error}"));
    }
}

fn lock(server: &Place) -> MutexGuard<'_, Server> {
    server.lock().unwrap_or_else(PoisonError::into_inner)
}
