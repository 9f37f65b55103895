//! X14, X1, X2: a server of CouchDB's protocol out of reach, slow, cut off, restarted and killed.

use tenure_couchdb::CouchStore;
use tenure_test_servers::Server;
use tenure_test_servers::faults::{Servers, Shared};
use tenure_testkit::fault_suite;

fn couch() -> Servers<CouchStore> {
    static SHARED: Shared = Shared::new();
    Servers::new("CouchDB", Server::couchdb, &SHARED, |url| {
        Box::pin(async {
            let store = CouchStore::connect(url).await?;
            store.migrate().await?;
            Ok(store)
        })
    })
}

fault_suite! { couchdb, couch() }
