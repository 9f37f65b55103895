//! Masters that die while sessions are written.

use std::time::Duration;

use tenure_core::store::Store;
use tenure_test_servers::{Options, Server};

use crate::support::{begin, installed, now, open, replicated};

/// A session that was ended before the failover stays ended.
#[tokio::test(flavor = "multi_thread")]
async fn t_out_3_a_logout_survives_the_failover() {
    let Some(server) = installed(Server::redis_sentinel(&Options::new().volatile())) else {
        return;
    };
    let store = open(&server).await;
    let (ended, lives) = (begin(&store, &[]).await, begin(&store, &[]).await);
    assert!(store.delete(&ended, now()).await.unwrap());
    replicated(&server);
    server.nodes()[0].kill().unwrap();
    let took = crate::outages::back(&store, &lives).await;
    assert!(took < Duration::from_secs(15), "{took:?}");
    assert!(store.load(&lives, now()).await.unwrap().is_some());
    assert!(store.load(&ended, now()).await.unwrap().is_none());
}
