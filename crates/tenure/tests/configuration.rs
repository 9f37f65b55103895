//! Bad configuration is refused at start, with the setting and the remedy in the message.

use std::time::Duration;

use tenure::store::{MemoryStore, connect};
use tenure::transform::{Keyring, SecretKey};
use tenure::transport::{Cookie, SameSite, Secure};
use tenure::{Error, ErrorKind, Sessions, SessionsBuilder};

fn refused(error: &Error, words: &[&str]) {
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    for word in words {
        assert!(error.to_string().contains(word), "{word:?} in {error}");
    }
}

fn build(configure: impl FnOnce(SessionsBuilder) -> SessionsBuilder) -> Error {
    configure(Sessions::builder().store(MemoryStore::new())).build().unwrap_err()
}

#[test]
fn t_cook_3_a_host_cookie_with_a_domain() {
    let cookie = Cookie::named("__Host-id").domain("example.com");
    refused(&build(|sessions| sessions.cookie(cookie)), &["__Host-", "domain"]);
}

#[test]
fn t_cook_3_same_site_none_without_secure() {
    let cookie = Cookie::named("id").secure(Secure::InsecureNever).same_site(SameSite::None);
    refused(&build(|sessions| sessions.cookie(cookie)), &["SameSite", "Secure"]);
}

#[test]
fn f1_a_secret_of_sixteen_characters() {
    let error = Keyring::from_secrets(["sixteen letters!"]).unwrap_err();
    refused(&error, &["secret key", "16", "32", "openssl rand"]);
}

#[test]
fn timeouts_that_contradict_each_other() {
    let idle = |seconds| move |s: SessionsBuilder| s.idle_timeout(Duration::from_secs(seconds));
    refused(&build(idle(24 * 60 * 60)), &["idle_timeout", "absolute timeout", "shorten"]);
    refused(&build(idle(0)), &["idle_timeout", "one second"]);
    let touch = Duration::from_secs(30 * 60);
    refused(&build(|sessions| sessions.touch_interval(touch)), &["touch_interval", "tenth"]);
    refused(
        &build(|sessions| sessions.renewal_interval(Duration::ZERO)),
        &["renewal_interval", "insecure_never_renew"],
    );
    refused(&build(|sessions| sessions.store_timeout(Duration::ZERO)), &["store_timeout"]);
    refused(
        &build(|sessions| sessions.max_session_bytes(2 << 20)),
        &["max_session_bytes", "1 MiB"],
    );
}

#[test]
fn keys_that_are_missing_or_contradict_each_other() {
    let keys = || Keyring::new([SecretKey::generate().unwrap()]);
    refused(&build(|sessions| sessions.signing_keys(Keyring::new([]))), &["signing_keys", "empty"]);
    refused(
        &build(|sessions| sessions.signing_keys(keys()).insecure_unsigned_tokens()),
        &["signing_keys", "insecure_unsigned_tokens"],
    );
    refused(&Sessions::builder().build().unwrap_err(), &["store", "MemoryStore"]);
}

/// V5: the memory store needs no configuration at all; every other store demands keys.
#[cfg(feature = "sqlite")]
#[tokio::test]
async fn v5_a_store_that_outlives_the_process_needs_keys() {
    assert!(Sessions::builder().store(MemoryStore::new()).build().is_ok());
    assert!(Sessions::builder().store(connect("memory:").await.unwrap()).build().is_ok());

    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("sessions.sqlite").display());
    let store = connect(&url).await.unwrap();
    let error = Sessions::builder().store(store.clone()).build().unwrap_err();
    refused(&error, &["signing_keys", "openssl rand", "insecure_unsigned_tokens"]);
    assert!(Sessions::builder().store(store).insecure_unsigned_tokens().build().is_ok());
}

#[tokio::test]
async fn a_store_url_that_is_not_known() {
    let error = connect("carrier-pigeon://coop:secret@home").await.unwrap_err();
    refused(&error, &["store URL", "carrier-pigeon", "memory:", "file:/path", "sqlite:path"]);
    assert!(!error.to_string().contains("secret"), "a URL may hold a password");
}

#[test]
fn namespaces_are_short_and_visible() {
    refused(&build(|sessions| sessions.namespace("")), &["namespace"]);
    refused(&build(|sessions| sessions.namespace("white space")), &["namespace"]);
}
