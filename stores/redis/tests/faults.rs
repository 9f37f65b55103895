//! X14, X1, X2: Redis and Valkey, alone, behind Sentinel and in a cluster, out of reach, slow, cut
//! off, restarted, killed and replaced.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use tenure_core::store::StoreResult;
use tenure_redis::RedisStore;
use tenure_test_servers::{Options, Result, Server};
use tenure_testkit::faults::{Control, FaultHarness, Promise, ServerFault};
use tenure_testkit::{Proxies, fault_suite, server};

type Place = Arc<Mutex<Server>>;

/// One way to run Redis.
struct Redis {
    name: &'static str,
    make: fn(&Options) -> Result<Server>,
    /// The server of all faults that spare it.
    shared: &'static OnceLock<Option<Place>>,
    promise: Promise,
    /// Why no other server takes its place, if that is so.
    alone: Option<&'static str>,
}

const ALONE: &str = "one server: nobody takes its place";

/// As the store promises: an error at once while Redis is known to be down, and back within a second.
fn promise() -> Promise {
    Promise::new().known_down(Duration::from_millis(100)).recovery(Duration::from_secs(1))
}

fn redis() -> Redis {
    static SHARED: OnceLock<Option<Place>> = OnceLock::new();
    let (make, shared, alone) = (Server::redis, &SHARED, Some(ALONE));
    Redis { name: "Redis", make, shared, promise: promise(), alone }
}

fn valkey() -> Redis {
    static SHARED: OnceLock<Option<Place>> = OnceLock::new();
    let (make, shared, alone) = (Server::valkey, &SHARED, Some(ALONE));
    Redis { name: "Valkey", make, shared, promise: promise(), alone }
}

fn sentinel() -> Redis {
    static SHARED: OnceLock<Option<Place>> = OnceLock::new();
    let (make, shared) = (Server::redis_sentinel, &SHARED);
    Redis { name: "Redis Sentinel", make, shared, promise: promise(), alone: None }
}

fn cluster() -> Redis {
    static SHARED: OnceLock<Option<Place>> = OnceLock::new();
    let (make, shared) = (Server::redis_cluster, &SHARED);
    Redis { name: "Redis Cluster", make, shared, promise: promise().repeats_unseen(), alone: None }
}

impl FaultHarness for Redis {
    type Store = RedisStore;
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
        let start = || match (self.make)(&Options::new()) {
            Ok(server) => Some(Arc::new(Mutex::new(server))),
            Err(error) if error.is_missing() => None,
            Err(error) => panic!("{error}"),
        };
        let place = if fault.spares_the_server() {
            self.shared.get_or_init(start).clone()
        } else {
            start()
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

    async fn open(&self, server: &Place, way: &Proxies) -> StoreResult<RedisStore> {
        let url = way.in_url(lock(server).url());
        RedisStore::connect(url).await
    }

    fn control(&self, server: &Place, control: Control) {
        let mut server = lock(server);
        let done = match control {
            Control::Stop => server.stop(),
            Control::Kill => server.kill(),
            Control::Start => server.start(),
            Control::StartEmpty => server.replace(&Options::new()),
            Control::KillMaster => server.nodes()[0].kill(),
            other => panic!("{other:?}"),
        };
        done.unwrap();
    }
}

fn lock(server: &Place) -> MutexGuard<'_, Server> {
    server.lock().unwrap()
}

fault_suite! { redis_alone, redis() }
fault_suite! { valkey_alone, valkey() }
fault_suite! { redis_sentinel, sentinel() }
fault_suite! { redis_cluster, cluster() }
