//! X14, X1, X2: PostgreSQL and MariaDB out of reach, slow, cut off, restarted and killed.

#![cfg(all(feature = "postgres", feature = "mysql"))]

use tenure_sql::{MySqlStore, PostgresStore};
use tenure_test_servers::Server;
use tenure_test_servers::faults::{Servers, Shared};
use tenure_testkit::fault_suite;

fn postgres() -> Servers<PostgresStore> {
    static SHARED: Shared = Shared::new();
    Servers::new("PostgreSQL", Server::postgres, &SHARED, |url| {
        Box::pin(async move {
            let store = PostgresStore::connect(&url).await?;
            store.migrate().await?;
            Ok(store)
        })
    })
}

fn mariadb() -> Servers<MySqlStore> {
    static SHARED: Shared = Shared::new();
    Servers::new("MariaDB", Server::mariadb, &SHARED, |url| {
        Box::pin(async move {
            let store = MySqlStore::connect(&url).await?;
            store.migrate().await?;
            Ok(store)
        })
    })
}

fault_suite! { postgres, postgres() }
fault_suite! { mariadb, mariadb() }
