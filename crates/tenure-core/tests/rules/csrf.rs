use tenure_core::csrf::FIELD;
use tenure_core::engine::WhenUnavailable;
use tenure_core::id::{Proof, Token};
use tenure_core::session::AuthLevel;
use tenure_core::store::{MemoryStore, Record, Store, StoreKey};
use tenure_core::{Clock, ErrorKind, Handle, Result, Session, Sessions, SystemClock};
use tenure_testkit::{Fault, FaultStore, ManualClock, Operation, ScriptedRandom};

use crate::visitor::{Visitor, configured, minutes, shop};

async fn token(visitor: &mut Visitor) -> String {
    visitor.get(Session::csrf_token).await
}

async fn is_good(visitor: &Visitor, token: &str) -> bool {
    visitor.clone().get(|session| session.verify_csrf(token)).await
}

/// One who has a session, so that tokens come from its secret.
async fn known(sessions: &Sessions) -> Visitor {
    let mut visitor = Visitor::new(sessions);
    visitor.get(|session| session.set("n", 1)).await;
    visitor
}

/// P14, X9: a token of a session is good for it, request after request, and for no other.
#[tokio::test]
async fn t_csrf_3_a_token_is_bound_to_its_session() {
    let (sessions, _clock) = shop();
    let (mut ada, mut eve) = (known(&sessions).await, known(&sessions).await);
    let (hers, others) = (token(&mut ada).await, token(&mut eve).await);
    assert!(is_good(&ada, &hers).await && is_good(&ada, &hers).await);
    assert!(is_good(&eve, &others).await);
    assert!(!is_good(&ada, &others).await && !is_good(&eve, &hers).await);
    assert!(!is_good(&Visitor::new(&sessions), &hers).await, "without a session none is");
    let other_shop = shop().0;
    assert!(!is_good(&known(&other_shop).await, &hers).await);
}

/// BREACH: no two outputs are alike, and neither half of one comes back.
#[tokio::test]
async fn t_csrf_3_every_output_is_masked_anew() {
    let (sessions, _clock) = shop();
    let mut ada = known(&sessions).await;
    let mut seen = std::collections::HashSet::new();
    for _ in 0..50 {
        for token in ada.get(|session| Ok([session.csrf_token()?, session.csrf_token()?])).await {
            assert_eq!(token.len(), 64);
            assert!(seen.insert(token[..32].to_owned()) && seen.insert(token[32..].to_owned()));
            assert!(is_good(&ada, &token).await);
        }
    }
}

/// R20: nothing in a token separates fields, cookies or attributes; and no token with anything else
/// in it, or with one character changed, is good.
#[tokio::test]
async fn r20_tokens_have_no_separators_and_one_spelling() {
    let (sessions, _clock) = shop();
    let mut ada = known(&sessions).await;
    let good = token(&mut ada).await;
    assert!(good.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_".contains(&octet)));
    for separator in ["\"", ",", "]", "[", ";", "=", "&", " ", "\0", "\r\n", "%", "é"] {
        for wrong in [
            format!("{separator}{good}"),
            format!("{good}{separator}"),
            format!("{good}{separator}{good}"),
            format!("{}{separator}{}", &good[..32], &good[32..]),
            format!("{}{separator}", &good[..64 - separator.len()]),
        ] {
            assert!(!is_good(&ada, &wrong).await, "{wrong:?}");
        }
    }
    for at in 0..good.len() {
        let other = if good.as_bytes()[at] == b'A' { "B" } else { "A" };
        let wrong = format!("{}{other}{}", &good[..at], &good[at + 1..]);
        assert!(!is_good(&ada, &wrong).await, "{at}");
    }
    for wrong in ["", "null", "A", &good[..63], &"A".repeat(64), &good.to_lowercase()] {
        assert!(!is_good(&ada, wrong).await, "{wrong:?}");
    }
}

/// Neither the cookie nor anything in it is a token: nothing is compared with what the client sent.
#[tokio::test]
async fn t_csrf_3_a_cookie_is_no_token() {
    let (sessions, _clock) = shop();
    let ada = known(&sessions).await;
    let cookie = ada.token.clone().unwrap();
    assert!(!is_good(&ada, &cookie).await);
    assert!(!is_good(&ada, &cookie[cookie.len() - 64..]).await);
    assert!(!is_good(&ada, &cookie[..64]).await);
}

type Change = fn(&Session) -> Result<()>;
const CHANGES: [(&str, Change); 9] = [
    ("login", |session| session.login("ada")),
    ("login again", |session| session.login("bob")),
    ("login_keeping", |session| session.login_keeping("ada", &["n"])),
    ("step_up", |session| {
        session.login("bob")?;
        session.step_up(AuthLevel::TWO_FACTORS, minutes(5))
    }),
    ("begin_login", |session| session.begin_login("ada", minutes(5))),
    ("regenerate", Session::regenerate),
    ("regenerate_keeping", |session| session.regenerate_keeping(&["n"])),
    ("logout", Session::logout),
    ("destroy", Session::destroy),
];

/// T-FIX-3: whatever replaces the secret ends the tokens made before, those of this request
/// included, wherever they came from.
#[tokio::test]
async fn t_fix_3_every_rotation_ends_the_tokens_made_before() {
    for (name, change) in CHANGES {
        let (sessions, _clock) = shop();
        let mut ada = Visitor::new(&sessions);
        let kept = token(&mut ada).await;
        assert!(is_good(&ada, &kept).await, "of a session that it began");
        ada.get(|session| session.login("bob")).await;
        assert!(!is_good(&ada, &kept).await);
        let derived = token(&mut ada).await;
        let early = ada
            .get(|session| {
                let early = session.csrf_token()?;
                assert!(session.verify_csrf(&derived)?);
                change(session)?;
                assert!(!session.verify_csrf(&derived)?, "{name}: in the same request");
                assert!(!session.verify_csrf(&early)?, "{name}: in the same request");
                Ok(early)
            })
            .await;
        for (dead, of) in [(&kept, "kept"), (&derived, "derived"), (&early, "early")] {
            assert!(!is_good(&ada, dead).await, "{name}: {of}");
        }
    }
}

/// The page that answers a login gets a token of the session as it will be.
#[tokio::test]
async fn t_fix_3_a_token_after_a_rotation_is_one_of_the_new_secret() {
    for (name, change) in CHANGES {
        for saves in [false, true] {
            let (sessions, _clock) = shop();
            let mut ada = known(&sessions).await;
            let before = ada.clone();
            let exchange = ada.open();
            let session = exchange.session().load().await.unwrap();
            change(&session).unwrap();
            if saves && name != "destroy" {
                session.save().await.unwrap();
            }
            let made = [session.csrf_token(), session.csrf_token()];
            if name == "destroy" {
                assert_eq!(made[0].as_ref().unwrap_err().kind(), ErrorKind::Destroyed);
                continue;
            }
            let made = made.map(Result::unwrap);
            ada.close(exchange).await.closed.unwrap();
            for token in &made {
                assert!(is_good(&ada, token).await, "{name}, {saves}");
                assert!(!is_good(&before, token).await, "{name}, {saves}");
            }
            let next = token(&mut ada).await;
            assert!(is_good(&ada, &next).await && is_good(&ada, &made[0]).await, "{name}");
        }
    }
}

/// A login whose session is ended meanwhile goes on in a fresh one, and so does the page's form.
#[tokio::test]
async fn t_fix_3_two_logins_at_once_both_answer_with_a_form_that_works() {
    let (sessions, _clock) = shop();
    let ada = known(&sessions).await;
    let mut pages = Vec::new();
    for exchange in [ada.open(), ada.open()] {
        let session = exchange.session().load().await.unwrap();
        session.login("ada").unwrap();
        pages.push((session.csrf_token().unwrap(), exchange));
    }
    for (token, exchange) in pages {
        let mut browser = ada.clone();
        browser.close(exchange).await.closed.unwrap();
        assert!(is_good(&browser, &token).await);
    }
}

/// An unacknowledged rotation is on its way: what the token is made from goes along.
#[tokio::test]
async fn t_fix_3_a_rotation_that_is_sent_again_keeps_its_token() {
    let (clock, store) = (ManualClock::new(), FaultStore::new(MemoryStore::new()));
    let sessions = configured(store.clone(), &clock).build().unwrap();
    let mut ada = known(&sessions).await;
    let exchange = ada.open();
    let session = exchange.session().load().await.unwrap();
    session.login("ada").unwrap();
    store.inject_times(Operation::Apply, Fault::unavailable(), 2);
    assert_eq!(session.save().await.unwrap_err().kind(), ErrorKind::Unavailable);
    let token = session.csrf_token().unwrap();
    ada.close(exchange).await.closed.unwrap();
    assert!(is_good(&ada, &token).await);
    assert_eq!(ada.user().await.as_deref(), Some("ada"));
}

/// Tokens of an existing session cost no store call, and of parallel requests all are good.
#[tokio::test]
async fn t_csrf_3_parallel_requests_agree_and_nothing_is_written() {
    let (sessions, _clock) = shop();
    let ada = known(&sessions).await;
    let before = sessions.counts();
    let mut tokens = Vec::new();
    for exchange in [ada.open(), ada.open(), ada.open()] {
        let session = exchange.session().load().await.unwrap();
        tokens.push(session.read_only().csrf_token().unwrap());
        assert!(!session.is_modified());
        assert!(!ada.clone().close(exchange).await.sets_cookie());
    }
    let after = sessions.counts();
    assert_eq!((after.commits, after.touches), (before.commits, before.touches));
    for token in tokens {
        assert!(is_good(&ada, &token).await);
    }
}

/// Forms that were open before a periodic renewal are good after it: under the pending secret, the
/// old one, and after the next renewals.
#[tokio::test]
async fn t_csrf_3_periodic_renewal_keeps_open_forms() {
    let (sessions, clock) = shop();
    let mut ada = known(&sessions).await;
    let open = token(&mut ada).await;
    for _ in 0..2 {
        clock.advance(minutes(29));
        ada.number("n").await;
    }
    clock.advance(minutes(5));
    let old = ada.clone();
    let during = token(&mut ada).await; // this answer brings the pending secret
    assert_ne!(old.token, ada.token);
    for form in [&open, &during] {
        assert!(is_good(&old, form).await, "until the new secret is used");
    }
    for form in [&open, &during] {
        assert!(is_good(&ada, form).await, "after it was confirmed");
    }
    let confirmed = token(&mut ada).await;
    ada.get(Session::regenerate).await;
    for form in [&open, &during, &confirmed] {
        assert!(!is_good(&ada, form).await, "a rotation ends them all");
    }
}

/// A visitor without a session gets one by asking for a token, and by nothing less.
#[tokio::test]
async fn t_csrf_3_a_token_begins_a_session() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    assert!(!ada.get(|session| session.verify_csrf(&"A".repeat(64))).await);
    assert_eq!((ada.token.clone(), sessions.counts().created), (None, 0));
    let (tokens, answer) = ada
        .visit(|session| {
            let copy = session.clone();
            [session.csrf_token().unwrap(), copy.csrf_token().unwrap()]
        })
        .await;
    answer.closed.as_ref().unwrap();
    assert!(answer.sets_cookie());
    for token in tokens {
        assert!(is_good(&ada, &token).await);
    }
    assert!(ada.get(|session| Ok(session.is_empty())).await, "it is no key of the application");
    let none = sessions.start().await.unwrap().read_only();
    assert_eq!(none.csrf_token().unwrap_err().kind(), ErrorKind::ReadOnly);
}

/// What tokens are made from is out of reach: no key of an application names it, and `clear` leaves
/// it alone.
#[tokio::test]
async fn t_csrf_3_applications_cannot_reach_the_secret() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    let open = token(&mut ada).await;
    ada.get(|session| {
        assert_eq!(session.get::<String>("\0csrf")?, None);
        assert_eq!(session.set("\0csrf", "x").unwrap_err().kind(), ErrorKind::Misuse);
        session.set(FIELD, "x")?;
        session.clear()
    })
    .await;
    assert!(is_good(&ada, &open).await);
}

/// What another program wrote under the library's key is an error, not a secret that it knows.
#[tokio::test]
async fn t_csrf_3_a_secret_that_is_none_is_an_error() {
    for wrong in ["\"\"", "1", "null", "\"AAAA\"", "\"", "[]"] {
        let sessions = Sessions::builder().store(MemoryStore::new()).insecure_unsigned_tokens();
        let sessions = sessions.build().unwrap();
        let now = SystemClock.now();
        let mut record = Record::new(now, minutes(30), minutes(120));
        let (handle, secret) = (Handle::from_bytes([0; 12]), [0; Token::SECRET_LEN]);
        let proof = Proof::of(sessions.namespace(), &handle, &secret);
        record.proofs.present = Some(proof);
        record.data = [("\0csrf", wrong)].into_iter().collect();
        let key = StoreKey::new(sessions.namespace().clone(), handle).with_proof(proof);
        sessions.store().create(&key, &record, now).await.unwrap();
        let session = sessions.open_token(&"A".repeat(48)).await.unwrap().unwrap();
        assert_eq!(session.csrf_token().unwrap_err().kind(), ErrorKind::Corrupt, "{wrong}");
        assert_eq!(session.verify_csrf("x").unwrap_err().kind(), ErrorKind::Corrupt, "{wrong}");
    }
}

/// While the store is down nobody's form is called forged, and none passes.
#[tokio::test]
async fn t_csrf_3_a_store_that_is_down_tells_nothing_of_a_token() {
    let (clock, store) = (ManualClock::new(), FaultStore::new(MemoryStore::new()));
    let builder = configured(store.clone(), &clock).when_unavailable(WhenUnavailable::Degrade);
    let sessions = builder.build().unwrap();
    let mut ada = known(&sessions).await;
    let hers = token(&mut ada).await;
    store.inject_times(Operation::Load, Fault::unavailable(), 2);
    let (outcomes, _) =
        ada.visit(|session| (session.verify_csrf(&hers), session.csrf_token())).await;
    assert_eq!(outcomes.0.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(outcomes.1.unwrap_err().kind(), ErrorKind::ReadOnly);
    assert!(is_good(&ada, &hers).await);
}

#[tokio::test]
async fn t_csrf_3_without_random_numbers_there_is_no_token() {
    let random = ScriptedRandom::new().then([7; 16]).then_unavailable();
    let sessions = Sessions::builder().store(MemoryStore::new()).random(random).build().unwrap();
    let session = sessions.start().await.unwrap();
    assert_eq!(session.csrf_token().unwrap_err().kind(), ErrorKind::Unavailable);
    assert!(!session.is_modified(), "and no session");
}

/// T-NIST-3: what the client can read of a token says nothing of the session or its user.
#[tokio::test]
async fn t_nist_3_a_token_says_nothing_of_the_session() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.login("ada")).await;
    let handle = ada.get(|session| Ok(session.handle().unwrap().to_string())).await;
    let cookie = ada.token.clone().unwrap();
    for _ in 0..20 {
        let token = token(&mut ada).await;
        assert!(!token.contains(&handle));
        assert!((0..token.len() - 8).all(|at| !cookie.contains(&token[at..at + 8])));
    }
}

/// P14: the field of forms has one name, which pages and checks ask the sessions for.
#[tokio::test]
async fn p14_the_name_of_the_field() {
    let builder = || configured(MemoryStore::new(), &ManualClock::new());
    for name in ["authenticity_token", "auth[token]", "jeton \"é\""] {
        let sessions = builder().csrf_field(name).build().unwrap();
        let session = sessions.start().await.unwrap();
        assert_eq!((sessions.csrf_field(), session.csrf_field()), (name, name));
        assert!(sessions.describe().to_string().contains(&format!("csrf_field: {name}\n")));
    }
    for name in ["", "_charset_", "_Charset_", "a\nb", "\0csrf"] {
        let error = builder().csrf_field(name).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("csrf_field: "), "{error}");
    }
    assert_eq!(builder().build().unwrap().csrf_field(), FIELD);
}
