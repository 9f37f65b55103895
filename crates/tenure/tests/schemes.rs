//! A store is chosen by its URL: the stores that tenure brings, and the application's own (A18).

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tenure::engine::Connection;
use tenure::store::simple::{SimpleDriver, SimpleStore};
use tenure::store::{AnyStore, MemoryStore, Schemes, StoreError, StoreErrorKind, StoreResult};
use tenure::transform::{Keyring, SecretKey};
use tenure::{ErrorKind, Sessions, Timestamp};

#[tokio::test]
async fn a_scheme_of_ones_own_is_opened_with_the_whole_url() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let urls = Arc::clone(&seen);
    let schemes = Schemes::new()
        .add("Carrier+pigeon", move |url: String| {
            urls.lock().unwrap().push(url);
            async { Ok(MemoryStore::new()) }
        })
        .unwrap();
    schemes.connect("carrier+pigeon:home").await.unwrap();
    schemes.clone().connect("CARRIER+PIGEON://Ada:P@Home?Seed=1").await.unwrap();
    assert_eq!(
        *seen.lock().unwrap(),
        ["carrier+pigeon:home", "carrier+pigeon://Ada:P@Home?Seed=1"]
    );
    schemes.connect("Memory:").await.unwrap();
    assert!(format!("{schemes:?}").contains("carrier+pigeon"));

    let error = schemes.connect("owl:home").await.unwrap_err().to_string();
    assert!(error.contains("carrier+pigeon:") && error.contains("memory:"), "{error}");
    for no_scheme in ["", ":secret", "./secret", "//host", "1a:secret"] {
        let error = schemes.connect(no_scheme).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        let text = error.to_string();
        assert!(text.contains("no scheme") && !text.contains("secret"), "{text}");
    }
}

#[test]
fn a_scheme_that_is_taken_or_none_is_refused() {
    let add = |scheme: &str| {
        Schemes::new().add(scheme, |_| async { Ok(MemoryStore::new()) }).unwrap_err()
    };
    for (scheme, words) in [
        ("memory", "already"),
        ("MEMORY", "already"),
        ("", "a letter"),
        ("a:b", "a letter"),
        ("1a", "a letter"),
        ("ä", "a letter"),
    ] {
        let error = add(scheme);
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(words), "{scheme:?}: {error}");
    }
}

#[tokio::test]
async fn what_the_store_says_comes_through() {
    let schemes = Schemes::new().add("down", |_| async {
        Err::<AnyStore, _>(StoreError::new(StoreErrorKind::Unavailable, "nobody is at home"))
    });
    let error = schemes.unwrap().connect("down:").await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Unavailable, "connect"));
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "nobody is at home");
}

/// K6, A3: the file store by its URL, which makes its folder.
#[cfg(all(feature = "file", unix))]
#[tokio::test]
async fn k6_a_folder_by_its_url() {
    let parent = tempfile::tempdir().unwrap();
    let url = format!("file:{}", parent.path().join("sessions").display());
    let sessions = |store| {
        let keys = Keyring::from_secrets(["a secret of 32 characters at least"]).unwrap();
        Sessions::builder().store(store).signing_keys(keys).build().unwrap()
    };
    let first = sessions(tenure::store::connect(&url).await.unwrap());
    let session = first.start().await.unwrap();
    session.set("n", 1).unwrap();
    session.commit().await.unwrap();
    let token = session.danger_expose_token().unwrap();
    let second = sessions(tenure::store::connect(&url).await.unwrap());
    let again = second.open_token(&token).await.unwrap().unwrap();
    assert_eq!(again.get::<u32>("n").unwrap(), Some(1));
    let error = tenure::store::connect(&format!("{url}?mode=rw")).await.unwrap_err();
    assert!(format!("{error:?}").contains("FileOptions"), "{error:?}");
}

type Texts = Arc<Mutex<HashMap<String, String>>>;

/// Keeps texts under a name that the request's tenant has.
struct OfTenant {
    texts: Texts,
    tenant: String,
}

impl SimpleDriver for OfTenant {
    async fn read(&self, id: &str) -> StoreResult<Option<String>> {
        Ok(self.texts.lock().unwrap().get(&format!("{}/{id}", self.tenant)).cloned())
    }

    async fn write(&self, id: &str, value: &str, _until: Timestamp) -> StoreResult<()> {
        self.texts.lock().unwrap().insert(format!("{}/{id}", self.tenant), value.to_owned());
        Ok(())
    }

    async fn destroy(&self, id: &str) -> StoreResult<()> {
        self.texts.lock().unwrap().remove(&format!("{}/{id}", self.tenant));
        Ok(())
    }
}

/// A18: a driver by the name of a scheme, made of the request, a configuration and what it depends
/// on.
#[tokio::test]
async fn a18_a_driver_factory_by_its_scheme() {
    let texts = Texts::default();
    let depends_on = Arc::clone(&texts);
    let schemes = Schemes::new()
        .add("tenants", move |url: String| {
            let texts = Arc::clone(&depends_on);
            async move {
                let header = url.trim_start_matches("tenants:").to_owned();
                Ok(SimpleStore::per_request((header, texts), |request, (header, texts)| {
                    let tenant = request
                        .and_then(|request| request.headers.get(header))
                        .and_then(|tenant| tenant.to_str().ok());
                    let tenant = tenant.unwrap_or("nobody").to_owned();
                    OfTenant { texts: Arc::clone(texts), tenant }
                }))
            }
        })
        .unwrap();
    let sessions = Sessions::builder()
        .store(schemes.connect("tenants:x-tenant").await.unwrap())
        .signing_keys(Keyring::new([SecretKey::generate().unwrap()]))
        .build()
        .unwrap();
    for tenant in ["ada", "eve"] {
        let request = http::Request::builder().header("x-tenant", tenant).body(()).unwrap();
        let exchange = sessions.open(&request.into_parts().0, Connection::new().secure(true));
        exchange.session().load().await.unwrap().set("n", 1).unwrap();
        let mut response = http::Response::new(());
        exchange.close(response.status(), response.headers_mut()).await.unwrap();
    }
    let mut tenants: Vec<_> = texts.lock().unwrap().keys().map(|id| id[..4].to_owned()).collect();
    tenants.sort_unstable();
    assert_eq!(tenants, ["ada/", "eve/"]);
}
