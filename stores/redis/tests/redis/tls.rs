//! TLS: the right authority, and no other.

use tenure_core::store::Store;
use tenure_redis::RedisOptions;
use tenure_test_servers::{Certificates, Options, Server};

use crate::support::{begin, installed, load, refused};

#[tokio::test]
async fn a_wrong_authority_is_refused() {
    let (right, wrong) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let right = match Certificates::generate(right.path()) {
        Ok(right) => right,
        Err(error) if error.is_missing() => {
            return tenure_testkit::server::missing(&error.to_string());
        }
        Err(error) => panic!("{error}"),
    };
    let wrong = Certificates::generate(wrong.path()).unwrap();
    let options = Options::new().volatile().tls(&right);
    let Some(server) = installed(Server::redis(&options)) else { return };
    let url = server.tls_url().unwrap();

    let store = RedisOptions::new().ca_file(right.ca_file()).connect(url).await.unwrap();
    load(&store, &begin(&store, &[]).await).await;
    store.close().await;
    // The fields alone do as well.
    let port = url.rsplit_once(':').unwrap().1.parse().unwrap();
    RedisOptions::new().tls().ca_file(right.ca_file()).port(port).open().await.unwrap();

    let error = refused(RedisOptions::new().ca_file(wrong.ca_file()), url).await;
    assert!(error.contains("RedisOptions::ca_file"), "{error}");
    let error = refused(RedisOptions::new(), url).await;
    assert!(error.contains("RedisOptions::ca_file"), "the system's authorities: {error}");
    let missing = RedisOptions::new().ca_file("/nowhere/ca.pem");
    let error = refused(missing, url).await;
    assert!(error.contains("RedisOptions::ca_file: /nowhere/ca.pem"), "{error}");
    // Not its name.
    let other = url.replace("127.0.0.1", "127.0.0.2");
    let error = refused(RedisOptions::new().ca_file(right.ca_file()), &other).await;
    assert!(!error.is_empty());
    // TLS spoken to a port without it.
    let plain = server.url().replace("redis://", "rediss://");
    refused(RedisOptions::new().ca_file(right.ca_file()), &plain).await;
}
