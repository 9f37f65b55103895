use tenure_core::format::{KeyScheme, TokenContext, TokenScheme};
use tenure_core::id::{Namespace, Token};
use tenure_core::store::{MemoryStore, StoreKey};
use tenure_core::{Error, ErrorKind, Result, Sessions};
use tenure_testkit::{Fault, FaultStore, ManualClock, Operation};

use crate::visitor::{Visitor, configured, minutes};

/// Tokens as others make them: the whole text is the id, with a prefix, and there is no proof.
#[derive(Debug)]
struct WholeId;

impl TokenScheme for WholeId {
    fn mint(&self, cx: &TokenContext<'_>) -> Result<Token> {
        let mut id = [0_u8; 16];
        cx.random.fill(&mut id).map_err(|error| {
            Error::new(ErrorKind::Unavailable, "mint", "no id").with_source(error)
        })?;
        Ok(Token::opaque(id.iter().map(|octet| format!("{octet:02x}")).collect::<String>()))
    }

    fn renew(&self, _: &Token, cx: &TokenContext<'_>) -> Result<Token> {
        self.mint(cx)
    }

    fn write(&self, token: &Token, _: &TokenContext<'_>) -> String {
        format!("s.{}", token.danger_text().unwrap_or_default())
    }

    fn parse(&self, text: &str, _: &TokenContext<'_>) -> Option<Token> {
        let id = text.strip_prefix("s.")?;
        let hex = |octet: u8| matches!(octet, b'0'..=b'9' | b'a'..=b'f');
        (id.len() == 32 && id.bytes().all(hex)).then(|| Token::opaque(id))
    }
}

impl KeyScheme for WholeId {
    fn key(&self, namespace: &Namespace, token: &Token) -> StoreKey {
        StoreKey::foreign(namespace.clone(), format!("sess:{}", token.danger_text().unwrap_or("")))
    }
}

/// The seams: another system's tokens are configuration. A rotation there is a new record, then the
/// old one goes; if the first fails, the second never happens (T-FIX-4).
#[tokio::test]
async fn v15_tokens_and_keys_of_another_format() {
    let (clock, store) = (ManualClock::new(), FaultStore::new(MemoryStore::new()));
    let with_keys = configured(store.clone(), &clock).token_scheme(WholeId);
    assert_eq!(with_keys.build().unwrap_err().kind(), ErrorKind::Config, "it signs by itself");
    let sessions = Sessions::builder()
        .store(store.clone())
        .clock(clock.clone())
        .token_scheme(WholeId)
        .key_scheme(WholeId)
        .build()
        .unwrap();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("cart", 1)).await;
    assert!(ada.token.as_ref().unwrap().starts_with("s."));
    assert_eq!(ada.get(|session| Ok(session.handle())).await, None, "a foreign id is a secret");

    store.inject_times(Operation::Create, Fault::unavailable(), 2);
    let (_, answer) = ada.visit(|session| session.login("ada")).await;
    assert!(answer.closed.is_err() && !answer.sets_cookie());
    assert_eq!(ada.number("cart").await, Some(1));

    let mut planted = ada.clone();
    ada.get(|session| session.login("ada")).await;
    assert_ne!(ada.token, planted.token);
    assert_eq!(ada.user().await.as_deref(), Some("ada"));
    assert_eq!(ada.number("cart").await, Some(1));
    assert_eq!(planted.number("cart").await, None);
    ada.get(|session| session.logout()).await;
    assert_eq!(ada.token, None);
}

/// F11: there, too, an idle timeout of the session's own goes along, unless it changes hands.
#[tokio::test]
async fn f11_a_new_record_keeps_the_idle_timeout() {
    let clock = ManualClock::new();
    let sessions = Sessions::builder()
        .store(MemoryStore::new())
        .clock(clock.clone())
        .token_scheme(WholeId)
        .key_scheme(WholeId)
        .build()
        .unwrap();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| {
        session.set("n", 1)?;
        session.set_idle_timeout(minutes(60))
    })
    .await;
    ada.get(|session| session.login("ada")).await;
    assert_eq!(ada.get(|session| Ok(session.idle_timeout())).await, minutes(60));
    clock.advance(minutes(59));
    ada.get(|session| session.regenerate()).await;
    clock.advance(minutes(59));
    assert_eq!(ada.user().await.as_deref(), Some("ada"));
    ada.get(|session| session.login("bob")).await;
    assert_eq!(ada.get(|session| Ok(session.idle_timeout())).await, minutes(30));
    clock.advance(minutes(30));
    assert_eq!(ada.user().await, None);
}
