//! What a value is worth that a client sends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tenure_core::Sessions;
use tenure_core::store::ClientStore;
use tenure_core::transform::{Keyring, SecretKey};
use tenure_core::transport::Cookie;
use tenure_testkit::ManualClock;

use super::{kept_by, keyring};
use crate::visitor::Visitor;

/// K8: a signed value can be read, and not changed.
#[tokio::test]
async fn k8_a_signed_session_can_be_read_and_not_changed() {
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
    let clock = ManualClock::new();
    let sessions = kept_by(ClientStore::signed(keyring()), &clock).build().unwrap();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("role", "user")).await;
    let signed = ada.token.clone().unwrap();
    let octets = BASE64.decode(&signed).unwrap();
    let at = octets.windows(6).position(|window| window == br#""user""#).unwrap();
    let mut forged = octets.clone();
    forged[at..at + 6].copy_from_slice(br#""root""#);
    for (value, role) in [(octets, Some("user")), (forged, None)] {
        ada.token = Some(BASE64.encode(value));
        assert_eq!(ada.get(|session| session.get::<String>("role")).await.as_deref(), role);
    }
}

/// R15, T-COOK-8, T-ISO-1: whatever is wrong with a value there is no session, nobody is asked, and
/// what was sent stays as it is.
#[tokio::test]
async fn r15_a_value_that_is_not_in_order_is_no_session() {
    let keys = keyring();
    let clock = ManualClock::new();
    let build = |keys: Keyring, name: &str, namespace: &str| {
        kept_by(ClientStore::sealed(keys), &clock)
            .cookie(Cookie::named(name))
            .namespace(namespace)
            .build()
            .unwrap()
    };
    let sessions = build(keys.clone(), "__Host-id", "shop");
    let made = async |sessions: &Sessions| {
        let session = sessions.start().await.unwrap();
        session.set("n", 1).unwrap();
        session.commit().await.unwrap();
        session.danger_expose_token().unwrap()
    };
    let good = made(&sessions).await;
    let signed =
        kept_by(ClientStore::signed(keys.clone()), &clock).namespace("shop").build().unwrap();
    let mut bad = vec![
        made(&build(keys.clone(), "__Host-other", "shop")).await,
        made(&build(keys.clone(), "__Host-id", "blog")).await,
        made(&build(keyring(), "__Host-id", "shop")).await,
        made(&signed).await,
        format!("{good}A"),
        format!("{good}="),
        good.to_lowercase(),
        "A".repeat(good.len()),
        "A".repeat(4_000),
        "{}".to_owned(),
        "eyJ2IjoxfQ".to_owned(),
    ];
    bad.extend((0..good.len()).map(|end| good[..end].to_owned()));
    for at in 0..good.len() {
        for bit in 0..8 {
            let mut octets = good.clone().into_bytes();
            octets[at] ^= 1 << bit;
            bad.extend(String::from_utf8(octets).ok());
        }
    }
    for value in bad {
        assert!(sessions.open_token(&value).await.unwrap().is_none(), "{value}");
        let mut visitor = Visitor::new(&sessions);
        if http::HeaderValue::try_from(&value).is_ok() && !value.contains(';') {
            visitor.token = Some(value);
            let (n, answer) = visitor.visit(|session| session.get::<i64>("n")).await;
            assert!(n.unwrap().is_none() && !answer.sets_cookie());
        }
    }
    assert!(sessions.open_token(&good).await.unwrap().is_some());
    assert_eq!(sessions.counts().loads, 1, "the others were not looked up");
}

/// F1: the first key seals, all open; nobody notices a rotation, and only those who hold a value of
/// a retired key lose their session.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f1_keys_rotate_while_clients_keep_coming() {
    let old = SecretKey::generate().unwrap();
    let keys = Keyring::new([old.clone()]);
    let clock = ManualClock::new();
    let sessions = kept_by(ClientStore::sealed(keys.clone()), &clock).build().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..32)
        .map(|number| {
            let (mut client, stop) = (Visitor::new(&sessions), Arc::clone(&stop));
            tokio::spawn(async move {
                client.get(|session| session.login(number.to_string())).await;
                let first = client.clone();
                let mut n = 0;
                while !stop.load(Ordering::Relaxed) || n < 20 {
                    n += 1;
                    let seen = client
                        .get(|session| {
                            session.increment("n", 1)?;
                            session.get::<i64>("n")
                        })
                        .await;
                    assert_eq!(seen, Some(n), "nobody is logged out");
                    tokio::task::yield_now().await;
                }
                (first, client)
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    keys.add(SecretKey::generate().unwrap());
    tokio::time::sleep(Duration::from_millis(100)).await;
    stop.store(true, Ordering::Relaxed);
    let mut visitors = Vec::new();
    for client in clients {
        visitors.push(client.await.unwrap());
    }
    assert!(keys.retire(old.id()));
    for (number, (mut first, mut client)) in visitors.into_iter().enumerate() {
        assert_eq!(client.user().await, Some(number.to_string()), "sealed with the new key");
        assert_eq!(first.user().await, None, "sealed with the one that was retired");
    }
}
