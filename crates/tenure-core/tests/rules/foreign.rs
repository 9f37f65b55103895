use std::collections::BTreeMap;
use std::future::ready;
use std::sync::{Arc, Mutex};

use http::header::{COOKIE, HeaderName, SET_COOKIE};
use http::{HeaderMap, Request, StatusCode};
use tenure_core::engine::Connection;
use tenure_core::format::{
    DecodeError, Encoded, Envelope, KeyScheme, RecordFormat, TokenContext, TokenScheme, TouchMode,
};
use tenure_core::guard::IpLock;
use tenure_core::id::{Namespace, Token};
use tenure_core::store::simple::{SimpleStore, driver_fn};
use tenure_core::store::{MemoryStore, Record, StoreKey, StoreResult};
use tenure_core::transport::{Candidates, Presented, Refusal, ResponseContext, Transport};
use tenure_core::{Error, ErrorKind, Result, Session, Sessions};
use tenure_testkit::{Fault, FaultStore, ManualClock, Operation};

use crate::visitor::{NAME, Visitor, configured, minutes};

/// Tokens as others make them: the whole text is the id, with a prefix, and there is no proof.
#[derive(Debug)]
pub(crate) struct WholeId;

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

/// P7: and so does the place where the session began, to which it is tied.
#[tokio::test]
async fn p7_a_new_record_began_where_the_old_one_did() {
    let sessions = Sessions::builder()
        .store(MemoryStore::new())
        .token_scheme(WholeId)
        .key_scheme(WholeId)
        .lock_ip(IpLock::Prefix { v4: 24, v6: 64 })
        .build()
        .unwrap();
    let mut ada = Visitor::new(&sessions);
    for (ip, handler) in [
        ("192.0.2.7", (|session| session.set("n", 1)) as fn(&Session) -> Result<()>),
        ("192.0.2.99", |session| session.login("ada")),
        ("192.0.2.98", Session::regenerate),
    ] {
        let request = ada.token.iter().fold(Request::builder(), |request, token| {
            request.header(COOKIE, format!("{NAME}={token}"))
        });
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let peer = Connection::new().secure(true).peer(ip.parse().unwrap());
        let exchange = sessions.open(&parts, peer);
        let session = exchange.session().load().await.unwrap();
        handler(&session).unwrap();
        ada.close(exchange).await.closed.unwrap();
        assert_eq!(session.ip(), Some("192.0.2.7".parse().unwrap()), "{ip}");
    }
}

/// A ticket in a header of requests, and in another form in one of responses.
#[derive(Debug)]
struct Ticket;

const TICKET: HeaderName = HeaderName::from_static("x-ticket");

impl Transport for Ticket {
    fn name(&self, _secure: bool) -> &str {
        "ticket"
    }

    fn request_header(&self) -> &HeaderName {
        static NAME: HeaderName = TICKET;
        &NAME
    }

    fn response_header(&self) -> Option<&HeaderName> {
        Some(self.request_header())
    }

    fn find<'p>(&self, presented: &'p Presented, _secure: bool) -> Candidates<'p> {
        let mut found = Candidates::default();
        for line in presented.lines().filter_map(|line| std::str::from_utf8(line).ok()) {
            if !line.strip_prefix("ticket ").is_none_or(|ticket| found.add(ticket)) {
                return Candidates::refused(Refusal::TooManyCandidates);
            }
        }
        found
    }

    fn issue(&self, value: &str, _: &ResponseContext<'_>, headers: &mut HeaderMap) -> Result<()> {
        headers.insert(TICKET, format!("keep {value}").parse().unwrap());
        Ok(())
    }

    fn remove(&self, _: &ResponseContext<'_>, headers: &mut HeaderMap) -> Result<()> {
        headers.insert(TICKET, "tear".parse().unwrap());
        Ok(())
    }

    fn capacity(&self, _secure: bool) -> usize {
        100
    }

    fn is_ambient(&self) -> bool {
        false
    }
}

/// Our record, with a word before it.
#[derive(Debug)]
struct Labelled;

impl RecordFormat for Labelled {
    fn encode(&self, record: &Record) -> StoreResult<Encoded> {
        let encoded = Envelope.encode(record)?;
        Ok(Encoded::new([b"session:", &encoded.bytes[..]].concat(), encoded.expiry))
    }

    fn decode(&self, bytes: &[u8]) -> std::result::Result<Record, DecodeError> {
        Envelope.decode(bytes.strip_prefix(b"session:").ok_or(DecodeError::Malformed)?)
    }

    fn touch_mode(&self) -> TouchMode {
        TouchMode::Rewrite
    }
}

/// K21: a tracker of the application's own: how the credential travels, what it looks like, where the
/// session is kept and in which form, all replaced together, under the same handlers.
#[tokio::test]
async fn k21_transport_ids_store_and_format_are_replaced_together() {
    let texts = Arc::new(Mutex::new(BTreeMap::<String, String>::new()));
    let (read, write, destroy) = (texts.clone(), texts.clone(), texts.clone());
    let driver = driver_fn(
        move |id| ready(Ok(read.lock().unwrap().get(&id).cloned())),
        move |id, value, _| {
            write.lock().unwrap().insert(id, value);
            ready(Ok(()))
        },
        move |id| {
            destroy.lock().unwrap().remove(&id);
            ready(Ok(()))
        },
    );
    let sessions = Sessions::builder()
        .transport(Ticket)
        .token_scheme(WholeId)
        .key_scheme(WholeId)
        .store(SimpleStore::new(driver).format(Labelled))
        .build()
        .unwrap();
    let visit = async |ticket: &str, handler: fn(&Session) -> Result<()>| {
        let request =
            Request::builder().header(TICKET, format!("ticket {ticket}")).body(()).unwrap();
        let exchange = sessions.open(&request.into_parts().0, Connection::new());
        let session = exchange.session().load().await.unwrap();
        handler(&session).unwrap();
        let (n, mut headers) = (session.get::<i64>("n").unwrap(), HeaderMap::new());
        exchange.close(StatusCode::OK, &mut headers).await.unwrap();
        assert!(!headers.contains_key(SET_COOKIE));
        (n, headers.get(TICKET).map(|line| line.to_str().unwrap().to_owned()))
    };
    let count: fn(&Session) -> Result<()> = |session| session.increment("n", 1);
    let (n, answer) = visit("none", count).await;
    let answer = answer.unwrap();
    let ticket = answer.strip_prefix("keep s.").unwrap();
    assert_eq!(n, Some(1));
    let (id, text) =
        texts.lock().unwrap().first_key_value().map(|(a, b)| (a.clone(), b.clone())).unwrap();
    assert!(id.contains(ticket) && text.starts_with("session:{"), "{id}: {text}");
    assert_eq!(visit(&format!("s.{ticket}"), count).await, (Some(2), None));
    assert_eq!(visit(ticket, |_| Ok(())).await, (None, None), "not in the form of its scheme");
    let (_, answer) = visit(&format!("s.{ticket}"), |session| session.logout()).await;
    assert_eq!((answer.as_deref(), texts.lock().unwrap().len()), (Some("tear"), 0));
}
