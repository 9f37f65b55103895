//! Sessions that one cookie cannot hold.

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, Request, StatusCode};
use tenure_core::engine::Connection;
use tenure_core::{ErrorKind, Sessions};

use super::sealed;

/// A browser with as many cookies as it takes.
#[derive(Clone)]
struct Browser {
    sessions: Sessions,
    jar: Vec<(String, String)>,
}

impl Browser {
    fn new(sessions: &Sessions) -> Self {
        Self { sessions: sessions.clone(), jar: Vec::new() }
    }

    async fn visit(
        &mut self,
        handler: impl FnOnce(&tenure_core::Session) -> tenure_core::Result<()>,
    ) -> tenure_core::Result<Vec<String>> {
        let pairs: Vec<_> =
            self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = Request::builder();
        if !pairs.is_empty() {
            request = request.header(COOKIE, pairs.join("; "));
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let exchange = self.sessions.open(&parts, Connection::new().secure(true));
        handler(&exchange.session().load().await?)?;
        let mut headers = HeaderMap::new();
        exchange.close(StatusCode::OK, &mut headers).await?;
        let lines: Vec<_> = headers
            .get_all(SET_COOKIE)
            .iter()
            .map(|line| line.to_str().unwrap().to_owned())
            .collect();
        for line in &lines {
            let (name, rest) = line.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            assert!(name.len() + value.len() <= 4096);
            self.jar.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.jar.push((name.to_owned(), value.to_owned()));
            }
        }
        Ok(lines)
    }

    fn names(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.jar.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names
    }
}

/// A2: over one cookie it takes two, then three; what is left over goes when it shrinks, and all of
/// it at the logout.
#[tokio::test]
async fn a2_large_sessions_take_several_cookies() {
    let (sessions, _) = sealed();
    let mut ada = Browser::new(&sessions);
    for (octets, names) in [
        (100, vec!["__Host-id"]),
        (4_000, vec!["__Host-id", "__Host-id.1"]),
        (8_000, vec!["__Host-id", "__Host-id.1", "__Host-id.2"]),
        (4_000, vec!["__Host-id", "__Host-id.1"]),
        (8_000, vec!["__Host-id", "__Host-id.1", "__Host-id.2"]),
        (10, vec!["__Host-id"]),
        (7_000, vec!["__Host-id", "__Host-id.1", "__Host-id.2"]),
    ] {
        let text = "x".repeat(octets);
        let lines = ada.visit(|session| session.set("text", &text)).await.unwrap();
        assert!(lines.iter().all(|line| line.contains("; Path=/; Secure; HttpOnly; SameSite=Lax")));
        assert_eq!(ada.names(), names, "{octets} octets");
        let read = ada
            .visit(|session| {
                assert_eq!(session.get::<String>("text")?.unwrap(), text);
                Ok(())
            })
            .await;
        assert!(read.unwrap().is_empty());
    }
    let lines = ada.visit(|session| session.logout()).await.unwrap();
    assert_eq!(lines.iter().filter(|line| line.contains("Max-Age=0")).count(), 3);
    assert!(ada.jar.is_empty());
}

/// What does not fit is an error that names the biggest keys; nothing is sent, and what the client
/// has stays good.
#[tokio::test]
async fn a2_what_does_not_fit_is_an_error_before_anything_is_sent() {
    let (sessions, _) = sealed();
    let mut ada = Browser::new(&sessions);
    ada.visit(|session| session.set("theme", "dark")).await.unwrap();
    let before = ada.jar.clone();
    let error = ada
        .visit(|session| {
            session.set("cart", "x".repeat(9_000))?;
            session.set("draft", "x".repeat(2_000))
        })
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    let text = error.to_string();
    let (cart, draft) =
        (text.find(r#""cart" (9002 octets)"#), text.find(r#""draft" (2002 octets)"#));
    assert!(cart.is_some() && cart < draft, "{text}");
    assert_eq!(ada.jar, before);
    ada.visit(|session| {
        assert_eq!(session.get::<String>("theme")?.as_deref(), Some("dark"));
        assert_eq!(session.get::<String>("cart")?, None);
        Ok(())
    })
    .await
    .unwrap();
    // A handler may find out by saving, and mend it.
    let (parts, ()) = Request::new(()).into_parts();
    let exchange = sessions.open(&parts, Connection::new().secure(true));
    let session = exchange.session().load().await.unwrap();
    session.set("cart", "x".repeat(20_000)).unwrap();
    assert_eq!(session.save().await.unwrap_err().kind(), ErrorKind::TooLarge);
    session.set("cart", "x").unwrap();
    session.save().await.unwrap();
    exchange.close(StatusCode::OK, &mut HeaderMap::new()).await.unwrap();
}

/// R15, R23, T-COOK-8: parts that are missing, doubled, numbered wrongly or of another session.
#[tokio::test]
async fn r23_parts_that_do_not_belong_together_are_no_session() {
    let (sessions, _) = sealed();
    let (mut ada, mut bob) = (Browser::new(&sessions), Browser::new(&sessions));
    let text = "x".repeat(7_000);
    ada.visit(|session| session.set("text", &text)).await.unwrap();
    bob.visit(|session| session.set("text", &text)).await.unwrap();
    let value = |browser: &Browser, name: &str| {
        browser.jar.iter().find(|(known, _)| known == name).unwrap().1.clone()
    };
    let [first, second, third] =
        ["__Host-id", "__Host-id.1", "__Host-id.2"].map(|name| value(&ada, name));
    let theirs = value(&bob, "__Host-id.1");
    let good =
        [("__Host-id", first.clone()), ("__Host-id.1", second.clone()), ("__Host-id.2", third)];
    let whole = |pairs: &[(&str, String)]| {
        let jar = pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Browser { sessions: sessions.clone(), jar }
    };
    let rest = &first[3..];
    let mut bad: Vec<Vec<(&str, String)>> = vec![
        good[..1].to_vec(),
        good[..2].to_vec(),
        vec![good[0].clone(), good[2].clone()],
        good[1..].to_vec(),
        vec![good[0].clone(), good[2].clone(), ("__Host-id.1", good[2].1.clone())],
        vec![good[0].clone(), ("__Host-id.1", theirs.clone()), good[2].clone()],
        [&good[..], &[("__Host-id.1", theirs)]].concat(),
        vec![("__Host-id", good[0].1.clone()), ("__Host-id.1", String::new()), good[2].clone()],
        vec![("__Host-id", good[0].1.clone()), ("__host-id.1", second), good[2].clone()],
    ];
    for mark in
        ["~2~", "~1~", "~0~", "~4~", "~9~", "~2147483648~", "~-1~", "~~", "~", "~a~", "~3", ""]
    {
        let mut changed = good.to_vec();
        changed[0].1 = format!("{mark}{rest}");
        bad.push(changed);
    }
    for pairs in bad {
        let mut visitor = whole(&pairs);
        let lines = visitor
            .visit(|session| {
                assert_eq!(session.get::<String>("text")?, None, "{:?}", pairs.len());
                Ok(())
            })
            .await
            .unwrap();
        assert!(lines.is_empty());
    }
    let mut good = whole(&good);
    good.visit(|session| {
        assert_eq!(session.get::<String>("text")?.unwrap(), text);
        Ok(())
    })
    .await
    .unwrap();
}
