//! X14, X1, X2: a server of MongoDB's protocol out of reach, slow, cut off, restarted and killed.

use tenure_mongodb::MongoStore;
use tenure_test_servers::Server;
use tenure_test_servers::faults::{Servers, Shared};
use tenure_testkit::fault_suite;
use tenure_testkit::faults::Promise;

fn mongo() -> Servers<MongoStore> {
    static SHARED: Shared = Shared::new();
    let servers = Servers::new("MongoDB", Server::mongodb, &SHARED, |url| {
        Box::pin(async {
            let store = MongoStore::connect(url).await?;
            store.migrate().await?;
            Ok(store)
        })
    });
    // The driver repeats, and after a crash the server may not know that it was asked before.
    servers
        .promise(Promise::new().repeats_unseen())
        .alone("the test server is a replica set of one")
}

fault_suite! { mongodb, mongo() }
