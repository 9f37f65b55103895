//! X14, X1, X2: a server of MongoDB's protocol out of reach, slow, cut off, restarted and killed.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use tenure_core::store::StoreResult;
use tenure_mongodb::MongoStore;
use tenure_test_servers::{Options, Server};
use tenure_testkit::faults::{Control, FaultHarness, Promise, ServerFault};
use tenure_testkit::{Proxies, fault_suite, server};

type Place = Arc<Mutex<Server>>;

struct Mongo;

impl FaultHarness for Mongo {
    type Store = MongoStore;
    type Server = Place;

    fn name(&self) -> &'static str {
        "MongoDB"
    }

    fn promise(&self) -> Promise {
        // The driver does, and after a crash the server may not know that it was asked before.
        Promise::new().repeats_unseen()
    }

    fn impossible(&self, fault: ServerFault) -> Option<&'static str> {
        (fault == ServerFault::Failover).then_some("the test server is a replica set of one")
    }

    fn serve(&self, fault: ServerFault) -> Option<Place> {
        static SHARED: OnceLock<Option<Place>> = OnceLock::new();
        let start = || match Server::mongodb(&Options::new()) {
            Ok(server) => Some(Arc::new(Mutex::new(server))),
            Err(error) if error.is_missing() => None,
            Err(error) => panic!("{error}"),
        };
        let place =
            if fault.spares_the_server() { SHARED.get_or_init(start).clone() } else { start() };
        if place.is_none() {
            server::missing("MongoDB is not installed");
        }
        place
    }

    fn addresses(&self, server: &Place) -> Vec<SocketAddr> {
        vec![SocketAddr::from(([127, 0, 0, 1], lock(server).nodes()[0].port()))]
    }

    async fn open(&self, server: &Place, way: &Proxies) -> StoreResult<MongoStore> {
        let url = way.in_url(lock(server).url());
        let store = MongoStore::connect(url).await?;
        store.migrate().await?;
        Ok(store)
    }

    fn control(&self, server: &Place, control: Control) {
        let mut server = lock(server);
        let done = match control {
            Control::Stop => server.stop(),
            Control::Kill => server.kill(),
            Control::Start => server.start(),
            Control::StartEmpty => server.replace(&Options::new()),
            other => panic!("{other:?}"),
        };
        done.unwrap();
    }
}

fn lock(server: &Place) -> MutexGuard<'_, Server> {
    server.lock().unwrap()
}

fault_suite! { mongodb, Mongo }
