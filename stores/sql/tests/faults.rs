//! X14, X1, X2: PostgreSQL and MariaDB out of reach, slow, cut off, restarted and killed.

#![cfg(all(feature = "postgres", feature = "mysql"))]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use tenure_core::store::StoreResult;
use tenure_sql::{MySqlStore, PostgresStore};
use tenure_test_servers::{Options, Server};
use tenure_testkit::faults::{Control, FaultHarness, Promise, ServerFault};
use tenure_testkit::{Proxies, fault_suite, server};

type Place = Arc<Mutex<Server>>;

macro_rules! harness {
    ($harness:ident, $name:literal, $store:ident, $make:ident) => {
        struct $harness;

        impl FaultHarness for $harness {
            type Store = $store;
            type Server = Place;

            fn name(&self) -> &'static str {
                $name
            }

            fn promise(&self) -> Promise {
                Promise::new()
            }

            fn impossible(&self, fault: ServerFault) -> Option<&'static str> {
                (fault == ServerFault::Failover).then_some("one server: nobody takes its place")
            }

            fn serve(&self, fault: ServerFault) -> Option<Place> {
                static SHARED: OnceLock<Option<Place>> = OnceLock::new();
                let start = || match Server::$make(&Options::new()) {
                    Ok(server) => Some(Arc::new(Mutex::new(server))),
                    Err(error) if error.is_missing() => None,
                    Err(error) => panic!("{error}"),
                };
                let place = if fault.spares_the_server() {
                    SHARED.get_or_init(start).clone()
                } else {
                    start()
                };
                if place.is_none() {
                    server::missing(concat!($name, " is not installed"));
                }
                place
            }

            fn addresses(&self, server: &Place) -> Vec<SocketAddr> {
                vec![SocketAddr::from(([127, 0, 0, 1], lock(server).nodes()[0].port()))]
            }

            async fn open(&self, server: &Place, way: &Proxies) -> StoreResult<$store> {
                let url = way.in_url(lock(server).url());
                let store = $store::connect(url).await?;
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
    };
}

harness! { Postgres, "PostgreSQL", PostgresStore, postgres }
harness! { MariaDb, "MariaDB", MySqlStore, mariadb }

fn lock(server: &Place) -> MutexGuard<'_, Server> {
    server.lock().unwrap()
}

fault_suite! { postgres, Postgres }
fault_suite! { mariadb, MariaDb }
