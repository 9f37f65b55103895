//! K5, A2: sessions that clients keep, by configuration.

use tenure::config::Sources;
use tenure::store::{AnyStore, MemoryStore, Schemes};
use tenure::{ErrorKind, Sessions};

use crate::{OTHER_SECRET, SECRET, json, refused};

fn settings(more: &str) -> Sources {
    json(&format!(r#"{{"store": "client:", "secret": "{SECRET}"{more}}}"#))
}

async fn build(sources: Sources) -> Sessions {
    sources.read().unwrap().build().await.unwrap()
}

/// What a client of `sessions` keeps.
async fn value(sessions: &Sessions) -> String {
    let session = sessions.start().await.unwrap();
    session.login("ada").unwrap();
    session.set("theme", "dark").unwrap();
    session.commit().await.unwrap();
    session.danger_expose_token().unwrap()
}

async fn opens(sessions: &Sessions, value: &str) -> bool {
    sessions.open_token(value).await.unwrap().is_some()
}

fn is_readable(value: &str) -> bool {
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
    String::from_utf8_lossy(&BASE64.decode(value).unwrap()).contains("dark")
}

/// A2, K13: sealed, with the keys of the settings; the first seals, all open.
#[tokio::test]
async fn a2_k13_sealed_sessions_by_configuration() {
    let old = build(settings("")).await;
    assert!(!old.merges());
    let kept = value(&old).await;
    assert!(!is_readable(&kept));
    let vars = [("TENURE_SECRET_ENV", "NEW, OLD"), ("NEW", OTHER_SECRET), ("OLD", SECRET)];
    let both = build(settings("").vars(vars)).await;
    let session = both.open_token(&kept).await.unwrap().unwrap();
    assert_eq!(session.get::<String>("theme").unwrap().as_deref(), Some("dark"));
    let new = build(settings("").vars([("TENURE_SECRET", OTHER_SECRET)])).await;
    assert!(!opens(&new, &kept).await);
    assert!(opens(&new, &value(&both).await).await);
    assert!(build(settings("").vars([("TENURE_STORE", "memory:")])).await.merges());
}

/// K8: readable, only where that is said.
#[tokio::test]
async fn k8_signed_sessions_by_configuration() {
    let signed = build(settings(r#", "client": {"protection": "signed"}"#)).await;
    let kept = value(&signed).await;
    assert!(is_readable(&kept) && opens(&signed, &kept).await);
    let sealed = build(settings("").vars([("TENURE_CLIENT_PROTECTION", "sealed")])).await;
    let other = value(&sealed).await;
    assert!(!is_readable(&other));
    assert!(!opens(&sealed, &kept).await && !opens(&signed, &other).await);
}

/// K5: what relies on a store is refused with the setting.
#[tokio::test]
async fn k5_merging_can_be_required_by_configuration() {
    let required = || settings(r#", "require_merging": true"#);
    let error = required().read().unwrap().build().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("require_merging: the clients keep"), "{error}");
    assert!(build(required().vars([("TENURE_STORE", "memory:")])).await.merges());
    assert!(!build(required().vars([("TENURE_REQUIRE_MERGING", "no")])).await.merges());
}

/// K5, A4: what has ended is remembered in a store, by its URL or by a connection's name.
#[tokio::test]
async fn k5_revocations_by_configuration() {
    let store = AnyStore::new(MemoryStore::new());
    let shared = store.clone();
    let open = move |url: String| {
        assert_eq!(url, "shared://host");
        std::future::ready(Ok(shared.clone()))
    };
    let schemes = Schemes::new().add("shared", open).unwrap();
    let connection = r#"{"main": {"driver": "shared", "host": "host"}}"#;
    for more in [
        format!(r#", "client": {{"revocations": "main"}}, "connections": {connection}"#),
        r#", "client": {"revocations": "shared://host"}"#.to_owned(),
    ] {
        let config = settings(&more).read().unwrap();
        assert!(config.to_string().contains("client.revocations = …"), "{config}");
        let sessions = config.schemes(schemes.clone()).build().await.unwrap();
        let kept = value(&sessions).await;
        assert!(opens(&sessions, &kept).await);
        sessions.revoke_everybody().await.unwrap();
        assert!(!opens(&sessions, &kept).await);
    }
    let forgetful = build(settings("")).await;
    assert_eq!(forgetful.revoke_everybody().await.unwrap_err().kind(), ErrorKind::Misuse);
}

/// K13: no keys, no such sessions; and what contradicts itself is told by its name.
#[tokio::test]
async fn k13_a2_what_is_wrong_is_refused() {
    let error = json(r#"{"store": "Client:"}"#).read().unwrap().build().await.unwrap_err();
    for word in ["secret: none", "sessions that clients keep", "secret_file", "TENURE_SECRET"] {
        assert!(error.to_string().contains(word), "{word:?} in {error}");
    }
    for (settings, words) in [
        (
            settings(r#", "client": {"protection": "none"}"#),
            ["client.protection = \"none\"", "\"sealed\""],
        ),
        (
            settings(r#", "client": {"revocations": "cache"}"#),
            ["client.revocations = …", "(there is none)"],
        ),
        (
            settings(r#", "client": {"revocations": "client:"}"#),
            ["client.revocations", "on the server"],
        ),
        (settings(r#", "client": {"sealed": true}"#), ["client.sealed", "no such setting"]),
        (json(r#"{"store": "client:sealed"}"#), ["store: nothing follows", "`client.protection`"]),
        (
            json(r#"{"store": "memory:", "client": {"protection": "sealed"}}"#),
            ["client.protection: ", "write `client:` for `store`"],
        ),
        (
            settings(r#", "near_cache": {"enabled": true}"#),
            ["near_cache: ", "`client.revocations`"],
        ),
        (
            json(r#"{"store": "client:", "insecure_unsigned_tokens": true}"#),
            ["insecure_unsigned_tokens: ", "set `secret_file`"],
        ),
    ] {
        let text = refused(settings);
        for word in words {
            assert!(text.contains(word), "{word:?} in {text}");
        }
    }
    for (more, name) in [
        (r#", "max_sessions_per_user": 5, "at_limit": "evict_all""#, "max_sessions_per_user: "),
        (r#", "seal_at_rest": true"#, "seal_at_rest: "),
    ] {
        let error = settings(more).read().unwrap().build().await.unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }

    let error = tenure::store::connect("client:").await.unwrap_err();
    assert!(error.to_string().contains("`SessionsBuilder::client_store`"), "{error}");
    let open = |_url: String| std::future::ready(Ok(MemoryStore::new()));
    assert!(Schemes::new().add("client", open).is_err());
}

/// K13: the example of the manual is one.
#[cfg(feature = "toml")]
#[test]
fn k13_the_example_of_the_manual_is_read() {
    let manual = include_str!("../../src/config/config.md");
    let example = manual.split("```toml\n").nth(2).unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let example = example.replace("secret_file = \"/run/secrets/session\"", "secret_env = \"KEY\"");
    let vars = [("KEY", SECRET)];
    assert!(tenure::config::SessionConfig::sources().toml(&example).vars(vars).read().is_ok());
}

/// K5: in another format, each of which is read whichever is set; the one by itself is the shortest.
#[tokio::test]
async fn k5_clients_keep_another_format() {
    let mut formats = vec!["", r#", "format": "json""#];
    if cfg!(feature = "messagepack") {
        formats.insert(1, r#", "format": "messagepack""#);
    }
    let mut kept = Vec::new();
    for format in formats {
        let sessions = build(settings(format)).await;
        kept.push((value(&sessions).await, sessions));
    }
    let lengths: Vec<_> = kept.iter().map(|(value, _)| value.len()).collect();
    assert!(lengths.is_sorted_by(|one, other| one < other), "{lengths:?}");
    for (value, _) in &kept {
        for (_, sessions) in &kept {
            assert!(opens(sessions, value).await);
        }
    }
}

/// K5: what clients can read stays text that they can read.
#[tokio::test]
async fn k5_signed_sessions_are_json() {
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
    let sessions = build(settings(r#", "client": {"protection": "signed"}"#)).await;
    let octets = BASE64.decode(&value(&sessions).await[48..]).unwrap();
    assert!(String::from_utf8_lossy(&octets).contains(r#""data":{"theme":"dark"}"#));
}
