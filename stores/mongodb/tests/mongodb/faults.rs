//! A server of the test's own, that fails as it is told.

use std::time::Duration;

use mongodb::bson::{Document, doc};
use tenure_core::store::{Applied, Created, Store, StoreErrorKind};
use tenure_mongodb::{MongoOptions, MongoStore};
use tenure_test_servers::{Certificates, Options, Server};
use tenure_testkit::server;

use crate::support::{NOW, ONE, key, loaded, patch, record};

/// None where it is not installed; who asks returns then.
fn private(options: &Options) -> Option<Server> {
    match Server::mongodb(&options.clone().volatile()) {
        Ok(server) => Some(server),
        Err(error) if error.is_missing() => {
            server::missing(&format!("mongodb: {error}"));
            None
        }
        Err(error) => panic!("{error}"),
    }
}

async fn store(server: &Server) -> MongoStore {
    let options = MongoOptions::new().operation_timeout(Duration::from_secs(5));
    let store = options.connect(server.url()).await.unwrap();
    store.migrate().await.unwrap();
    store
}

/// Makes the next commands of these names fail.
async fn fail(store: &MongoStore, times: i32, data: Document) {
    let point =
        doc! { "configureFailPoint": "failCommand", "mode": { "times": times }, "data": data };
    store.client().database("admin").run_command(point).await.unwrap();
}

/// A user without rights is told what to grant.
#[tokio::test]
async fn a_user_without_rights_is_named() {
    let Some(server) = private(&Options::new().argument("require_auth=True")) else { return };
    let error = MongoOptions::new().connect(server.url()).await;
    let error = match error {
        Ok(store) => store.migrate().await.unwrap_err(),
        Err(error) => error,
    };
    assert_eq!(error.kind(), StoreErrorKind::Other);
    assert!(error.to_string().contains("grant it readWrite"), "{error}");
}

/// A replica that only reads, a shutdown, a majority that does not answer: each has its remedy.
#[tokio::test]
async fn what_the_server_says_is_explained() {
    let Some(server) = private(&Options::new()) else { return };
    let other = store(&server).await;
    other.create(&key(1), &record(), NOW).await.unwrap();
    for (code, kind, remedy) in [
        (10_107, StoreErrorKind::Unavailable, "replicaSet="),
        (91, StoreErrorKind::Unavailable, "going down"),
        (50, StoreErrorKind::Timeout, "did not finish in time"),
        (13, StoreErrorKind::Other, "grant it readWrite"),
        (10_334, StoreErrorKind::TooLarge, "16 MiB"),
    ] {
        // A driver that was told that there is no primary asks again after ten seconds only.
        let store = store(&server).await;
        let commands = ["delete", "find", "findAndModify"];
        fail(&other, 4, doc! { "failCommands": commands.as_slice(), "errorCode": code }).await;
        let error = store.delete(&key(1), NOW).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{code}: {error}");
        assert!(error.to_string().contains(remedy), "{code}: {error}");
        let off = doc! { "configureFailPoint": "failCommand", "mode": "off" };
        other.client().database("admin").run_command(off).await.unwrap();
    }
    loaded(&store(&server).await, &key(1)).await;
}

/// The answer to a write is lost with its connection: the repeat, by the driver or by the request,
/// does nothing twice.
#[tokio::test]
async fn t_retry_a_lost_answer_counts_once() {
    let Some(server) = private(&Options::new()) else { return };
    let store = store(&server).await;
    let commands = ["insert", "findAndModify"];
    fail(&store, 1, doc! { "failCommands": commands.as_slice(), "closeConnection": true }).await;
    assert_eq!(store.create(&key(1), &record(), NOW).await.unwrap(), Created::Created);
    for n in ["1", "2", "3"] {
        fail(&store, 1, doc! { "failCommands": commands.as_slice(), "closeConnection": true })
            .await;
        let once = patch().add("n", ONE);
        for _ in 0..2 {
            let applied = store.apply(&key(1), &once, NOW).await.unwrap();
            assert!(matches!(applied, Applied::Done(_)), "{applied:?}");
        }
        assert_eq!(loaded(&store, &key(1)).await.data.get("n"), Some(n));
    }
}

/// A write that blocks longer than the limit is an error that may be tried again, and the repeat
/// takes effect once.
#[tokio::test]
async fn a_slow_server_is_a_timeout_and_comes_back() {
    let Some(server) = private(&Options::new()) else { return };
    let patient = store(&server).await;
    patient.create(&key(1), &record(), NOW).await.unwrap();
    let hasty = MongoOptions::new().operation_timeout(Duration::from_millis(1_000));
    let hasty = hasty.connect(server.url()).await.unwrap();
    loaded(&hasty, &key(1)).await;
    let block =
        doc! { "failCommands": ["findAndModify"], "blockConnection": true, "blockTimeMS": 3_000 };
    fail(&patient, 1, block).await;
    let once = patch().add("n", ONE);
    let error = hasty.apply(&key(1), &once, NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Timeout, "{error}");
    for _ in 0..2 {
        patient.apply(&key(1), &once, NOW).await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(loaded(&patient, &key(1)).await.data.get("n"), Some("1"));
}

/// TLS is verified: by the authority of the file, a server is heard; by no other.
#[tokio::test]
async fn a_certificate_of_another_authority_is_refused() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let ours = Certificates::generate(one.path()).unwrap();
    let others = Certificates::generate(two.path()).unwrap();
    let Some(server) = private(&Options::new().tls(&ours)) else { return };
    let url = server.url().split("&tls").next().unwrap();
    let options = || MongoOptions::new().operation_timeout(Duration::from_secs(5));
    let store = options().tls_ca_file(ours.ca_file()).connect(url).await.unwrap();
    store.migrate().await.unwrap();
    let refused = options().tls_ca_file(others.ca_file()).connect(url).await.unwrap_err();
    let unknown = options().connect(format!("{url}&tls=true")).await.unwrap_err();
    for error in [refused, unknown] {
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        let error = error.to_string();
        assert!(
            error.contains("invalid peer certificate") && error.contains("tls_ca_file"),
            "{error}"
        );
    }
}
