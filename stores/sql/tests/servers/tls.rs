use tenure_core::store::{Store, StoreErrorKind};
use tenure_test_servers::{Certificates, Options};

use crate::support::{Kind, NOW, Wish, key, loaded, on_each, private, record};

on_each! {
    a_certificate_is_verified
    without_tls_there_is_no_connection
}

/// By the right authority it is taken; by another one, or for another name, it is not.
async fn a_certificate_is_verified<K: Kind>() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let certificates = Certificates::generate(folder.path()).unwrap();
    let stranger = Certificates::generate(other.path()).unwrap();
    let Some(server) = private::<K>(&Options::new().volatile().tls(&certificates)) else { return };
    let wish = |file| Wish { ca_file: Some(file), ..Wish::new() };

    let url = server.url().replace("127.0.0.1", "localhost");
    let port = server.nodes()[0].port();
    // MariaDB knows its user by the address 127.0.0.1.
    let url = if K::QUOTE == '`' { server.url().to_owned() } else { url };
    let store = K::open(&wish(certificates.ca_file()), &url).await.unwrap();
    K::migrate(&store).await.unwrap();
    store.create(&key(1), &record(), NOW).await.unwrap();
    loaded(&store, &key(1)).await;

    let error = K::open(&wish(stranger.ca_file()), &url).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Other, "{error}");
    assert!(error.to_string().contains("check tls_ca_file"), "{error}");
    assert!(error.to_string().contains(&port.to_string()), "{error}");

    let misnamed = server.url().replace("127.0.0.1", "127.0.0.2");
    let listens = std::net::TcpStream::connect(("127.0.0.2", port)).is_ok();
    let error = K::open(&wish(certificates.ca_file()), &misnamed).await.unwrap_err();
    assert!(!listens || error.to_string().contains("check tls_ca_file"), "{error}");

    let missing = folder.path().join("missing.pem");
    let error = K::open(&wish(missing), &url).await.unwrap_err();
    assert!(error.to_string().contains("check tls_ca_file"), "{error}");
}

/// Nobody can talk it out of TLS.
async fn without_tls_there_is_no_connection<K: Kind>() {
    let folder = tempfile::tempdir().unwrap();
    let certificates = Certificates::generate(folder.path()).unwrap();
    let plain =
        if K::QUOTE == '`' { Options::new().argument("--skip-ssl") } else { Options::new() };
    let Some(server) = private::<K>(&plain.volatile()) else { return };
    let wish = Wish { ca_file: Some(certificates.ca_file()), ..Wish::new() };
    let error = K::open(&wish, server.url()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Other, "{error}");
    assert!(error.to_string().contains("offers no TLS"), "{error}");
}
