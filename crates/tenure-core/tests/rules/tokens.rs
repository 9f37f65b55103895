use tenure_core::ErrorKind;
use tenure_core::store::MemoryStore;
use tenure_core::transform::{Keyring, SecretKey};
use tenure_testkit::{ManualClock, Operation, Recorder, ScriptedRandom};

use crate::visitor::{Visitor, configured, shop};

/// T-TOK-5, X3: forged and malformed tokens cost no store call at all.
#[tokio::test]
async fn t_tok_5_forged_tokens_cost_no_store_call() {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let clock = ManualClock::new();
    let store = Recorder::new(MemoryStore::new());
    let sessions = configured(store.clone(), &clock).build().unwrap();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("n", 1)).await;
    let good = ada.token.clone().unwrap();
    store.clear();
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let mut tried = 0;
    while tried < 1_000_000 {
        let mut forged: Vec<u8> = if tried % 2 == 0 {
            (0..80).map(|_| ALPHABET[next() as usize % 64]).collect()
        } else {
            good.clone().into_bytes()
        };
        let place = next() as usize % forged.len();
        forged[place] = ALPHABET[(forged[place] as usize + 1 + next() as usize % 62) % 64];
        if forged == good.as_bytes() {
            continue;
        }
        tried += 1;
        ada.token = String::from_utf8(forged).ok();
        let exchange = ada.open();
        assert!(!exchange.session().load().await.unwrap().exists());
    }
    assert!(store.calls().is_empty());
    assert_eq!(sessions.counts().rejected, tried);
}

/// The price of unsigned tokens: one look-up each, and never a session.
#[tokio::test]
async fn unsigned_tokens_cost_one_look_up_each() {
    let store = Recorder::new(MemoryStore::new());
    let sessions = tenure_core::Sessions::builder()
        .store(store.clone())
        .insecure_unsigned_tokens()
        .build()
        .unwrap();
    let mut visitor = Visitor::new(&sessions);
    for i in 0..100 {
        visitor.token = Some(format!("{i:A>48}"));
        assert_eq!(visitor.number("n").await, None);
    }
    assert_eq!(store.operations(), [Operation::Load; 100]);
}

/// T-TOK-3, R12, X4: nothing that a store gets, and nothing that is printed, holds a token.
#[tokio::test]
async fn t_tok_3_no_token_reaches_the_store_or_a_log() {
    use tenure_core::format::{Envelope, RecordFormat};
    use tenure_core::store::{Store, UserIndex};
    let (sessions, clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| {
        session.set("n", 1)?;
        session.login("ada")
    })
    .await;
    let token = ada.token.clone().unwrap();
    let now = tenure_core::Clock::now(&clock);
    let user = tenure_core::UserId::new("ada").unwrap();
    let namespace = sessions.namespace().clone();
    let listed = sessions.store().users().unwrap().list(&namespace, &user, now).await.unwrap();
    let bytes = Envelope.encode(&listed[0].record).unwrap().bytes;
    let stored = String::from_utf8(bytes).unwrap();
    let exchange = ada.open();
    let session = exchange.session().load().await.unwrap();
    let printed = format!(
        "{:?} {:?} {session:?} {exchange:?} {sessions:?} {:?}",
        listed[0].key,
        listed[0].record,
        session.lazy(),
    );
    let handle = session.handle().unwrap().to_string();
    assert!(token.starts_with(&handle) && printed.contains(&handle), "the handle is no secret");
    for piece in [&token[..], &token[16..48], &token[16..30], &token[48..]] {
        assert!(!stored.contains(piece) && !printed.contains(piece));
    }
}

/// T-TOK-1: there is no way to give two sessions one token. A generator that repeats itself makes
/// the second creation fail, and the first session is as it was.
#[tokio::test]
async fn t_tok_1_a_fixed_token_never_becomes_a_second_session() {
    let (clock, store) = (ManualClock::new(), MemoryStore::new());
    let sessions = configured(store, &clock).id_generator(|_| vec![7; 16]).build().unwrap();
    let (mut ada, mut eve) = (Visitor::new(&sessions), Visitor::new(&sessions));
    ada.get(|session| session.set("n", 1)).await;
    let (_, answer) = eve.visit(|session| session.set("n", 666)).await;
    let error = answer.closed.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(!answer.headers.contains_key("set-cookie"));
    assert_eq!(ada.number("n").await, Some(1));
}

/// R14: a handle that exists already is never taken over; another one is drawn.
#[tokio::test]
async fn r14_a_collision_draws_another_token() {
    // The first line is for the commit ids of the process, the others for tokens.
    let random = ScriptedRandom::new().then([9; 16]).then([7; 36]).then([7; 36]);
    let clock = ManualClock::new();
    let sessions = configured(MemoryStore::new(), &clock).random(random.clone()).build().unwrap();
    let (mut ada, mut bob) = (Visitor::new(&sessions), Visitor::new(&sessions));
    ada.get(|session| session.set("n", 1)).await;
    bob.get(|session| session.set("n", 2)).await;
    assert_eq!(random.left(), 0, "the collision took place");
    assert_ne!(ada.token, bob.token);
    assert_eq!((ada.number("n").await, bob.number("n").await), (Some(1), Some(2)));
}

/// R13: without randomness there is an error and no session.
#[tokio::test]
async fn r13_no_randomness_no_session() {
    let random = ScriptedRandom::new().then([9; 16]).then_unavailable();
    let clock = ManualClock::new();
    let sessions = configured(MemoryStore::new(), &clock).random(random).build().unwrap();
    let (_, answer) = Visitor::new(&sessions).visit(|session| session.set("n", 1)).await;
    assert_eq!(answer.closed.as_ref().unwrap_err().kind(), ErrorKind::Unavailable);
    assert!(!answer.headers.contains_key("set-cookie"));
}

/// R11: what leaks from a store is worth nothing as a token, signed or not.
#[tokio::test]
async fn r11_the_stored_proof_opens_nothing() {
    use tenure_core::store::{Store, UserIndex};
    let (sessions, clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.login("ada")).await;
    let namespace = sessions.namespace().clone();
    let user = tenure_core::UserId::new("ada").unwrap();
    let now = tenure_core::Clock::now(&clock);
    let listed = sessions.store().users().unwrap().list(&namespace, &user, now).await.unwrap();
    let proof = *listed[0].record.proofs.present.unwrap().as_bytes();
    let handle = listed[0].key.handle().unwrap();
    let mut secret = [0; 24];
    secret.copy_from_slice(&proof[..24]);
    let forged = tenure_core::id::Token::split(handle, secret);
    let unsigned = tenure_core::format::SplitTokens::insecure_unsigned();
    let cx = tenure_core::format::TokenContext::new("__Host-id", &tenure_core::SystemRandom);
    let text = tenure_core::format::TokenScheme::write(&unsigned, &forged, &cx);
    assert!(sessions.open_token(&text).await.unwrap().is_none());
}

/// F1: a key that is added while running signs from then on, and nobody is logged out.
#[tokio::test]
async fn f1_keys_are_added_while_running() {
    let clock = ManualClock::new();
    let keys = Keyring::new([SecretKey::generate().unwrap()]);
    let sessions =
        configured(MemoryStore::new(), &clock).signing_keys(keys.clone()).build().unwrap();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.login("ada")).await;
    keys.add(SecretKey::generate().unwrap());
    assert_eq!(ada.user().await.as_deref(), Some("ada"));
    ada.get(|session| session.regenerate()).await;
    assert_eq!(ada.user().await.as_deref(), Some("ada"));
}
