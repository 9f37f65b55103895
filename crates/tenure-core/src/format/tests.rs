use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::clock::{SystemRandom, Timestamp};
use crate::error::ErrorKind;
use crate::id::{CommitId, Handle, Namespace, Proof, Token, UserId};
use crate::store::{Client, Former, Pending, Record, StoreErrorKind};
use crate::transform::{Keyring, SecretKey};

fn signed() -> SplitTokens {
    SplitTokens::signed(Keyring::new([SecretKey::generate().unwrap()]))
}

fn context(name: &str) -> TokenContext<'_> {
    TokenContext::new(name, &SystemRandom)
}

fn text(scheme: &SplitTokens, name: &str) -> String {
    let cx = context(name);
    scheme.write(&scheme.mint(&cx).unwrap(), &cx)
}

/// T-TOK-2, R13: 288 bits from the operating system, every symbol in every place, none twice.
#[test]
fn t_tok_2_tokens_use_their_whole_alphabet() {
    let scheme = SplitTokens::insecure_unsigned();
    let mut seen = std::collections::HashSet::new();
    let mut symbols = vec![[0_u32; 128]; 48];
    for _ in 0..100_000 {
        let text = text(&scheme, "id");
        assert_eq!(text.len(), 48);
        for (place, symbol) in text.bytes().enumerate() {
            symbols[place][usize::from(symbol)] += 1;
        }
        assert!(seen.insert(text));
    }
    for counts in symbols {
        let used: Vec<_> = counts.into_iter().filter(|&count| count > 0).collect();
        assert_eq!(used.len(), 64);
        // Chi squared with 63 degrees of freedom: over 150 happens once in 10^8 draws.
        let expected = 100_000.0 / 64.0;
        let chi: f64 = used.iter().map(|&c| (f64::from(c) - expected).powi(2) / expected).sum();
        assert!(chi < 150.0, "{chi}");
    }
}

/// T-TOK-5, R15, T-AUTH-1: a token with any symbol changed, cut, extended or moved is none.
#[test]
fn t_auth_1_a_tampered_token_is_none() {
    let scheme = signed();
    let cx = context("__Host-id");
    let good = text(&scheme, "__Host-id");
    assert!(scheme.parse(&good, &cx).is_some());
    for place in 0..good.len() {
        for symbol in ["A", "b", "_", "-", "0", "=", "+", " ", "\0"] {
            let mut tampered = good.clone();
            tampered.replace_range(place..=place, symbol);
            assert!(
                tampered == good || scheme.parse(&tampered, &cx).is_none(),
                "{place} {symbol:?}"
            );
        }
        assert!(scheme.parse(&good[place + 1..], &cx).is_none());
        assert!(scheme.parse(&good[..place], &cx).is_none());
    }
    for wrong in [format!("{good}A"), format!(" {good}"), format!("{good}="), good.repeat(2)] {
        assert!(scheme.parse(&wrong, &cx).is_none());
    }
    assert!(scheme.parse(&good, &context("__Host-other")).is_none(), "bound to the name");
    assert!(signed().parse(&good, &cx).is_none(), "another key");
    assert!(SplitTokens::insecure_unsigned().parse(&good, &cx).is_none());
    assert!(scheme.parse(&text(&SplitTokens::insecure_unsigned(), "__Host-id"), &cx).is_none());
}

/// F1: the first key signs, all verify, and a key that is added while running signs from then on.
#[test]
fn f1_keys_rotate() {
    let keys = [(); 2].map(|()| SecretKey::generate().unwrap());
    let [old, new] = &keys;
    let ring = Keyring::new([old.clone()]);
    let scheme = SplitTokens::signed(ring.clone());
    let before = text(&scheme, "id");
    ring.add(new.clone());
    let after = text(&scheme, "id");
    let only = |key: &SecretKey| SplitTokens::signed(Keyring::new([key.clone()]));
    for token in [&before, &after] {
        assert!(scheme.parse(token, &context("id")).is_some());
    }
    assert!(only(old).parse(&before, &context("id")).is_some());
    assert!(only(old).parse(&after, &context("id")).is_none());
    assert!(only(new).parse(&after, &context("id")).is_some());
    assert!(only(new).parse(&before, &context("id")).is_none());
}

/// F1: a secret that can be guessed is refused, with a command that makes a good one.
#[test]
fn f1_weak_secrets_are_refused() {
    for weak in ["", "sixteen letters!", &"a".repeat(64), &"abcdefg".repeat(10)] {
        let error = SecretKey::new(weak).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("openssl rand -base64 33"));
        assert!(weak.is_empty() || !error.to_string().contains(weak), "the secret is not shown");
    }
    assert!(SecretKey::new(SecretKey::generate_secret().unwrap()).is_ok());
}

/// F7: a generator sees the request; under 128 bits are refused; the handle tells nothing of them.
#[test]
fn f7_id_generators_need_128_bits() {
    let len = Arc::new(AtomicUsize::new(15));
    let scheme = signed().generator(Arc::new({
        let len = Arc::clone(&len);
        move |request| {
            let mut octets = vec![7; len.load(Ordering::Relaxed)];
            octets.iter_mut().zip(request.uri.path().bytes()).for_each(|(o, p)| *o = p);
            octets
        }
    }));
    let (request, ()) = http::Request::get("/here").body(()).unwrap().into_parts();
    let mut cx = context("id");
    cx.request = Some(&request);
    let error = scheme.mint(&cx).err().unwrap();
    assert!(error.to_string().contains("128 bits"), "{error}");
    len.store(16, Ordering::Relaxed);
    let token = scheme.mint(&cx).unwrap();
    assert_eq!(scheme.mint(&cx).unwrap().handle(), token.handle(), "it is the only source");
    let secret = *token.danger_secret().unwrap();
    assert_ne!(secret[..12], *token.handle().unwrap().as_bytes());
}

/// T-TOK-4, R11: what the store keeps is worth nothing as a token.
#[test]
fn t_tok_4_a_stored_proof_is_no_token() {
    let scheme = SplitTokens::insecure_unsigned();
    let cx = context("id");
    let token = scheme.mint(&cx).unwrap();
    let namespace = Namespace::new("shop").unwrap();
    let key = SplitKeys.key(&namespace, &token);
    let proof = *key.proof().unwrap();
    let mut secret = [0; Token::SECRET_LEN];
    secret.copy_from_slice(&proof.as_bytes()[..Token::SECRET_LEN]);
    let forged = SplitKeys.key(&namespace, &Token::split(token.handle().unwrap(), secret));
    assert_ne!(forged.proof(), Some(&proof));
}

#[test]
fn renewal_keeps_the_handle_and_changes_the_secret() {
    let (scheme, cx) = (signed(), context("id"));
    let token = scheme.mint(&cx).unwrap();
    let next = scheme.renew(&token, &cx).unwrap();
    assert_eq!(next.handle(), token.handle());
    assert_ne!(next.danger_secret(), token.danger_secret());
}

pub(super) fn record() -> Record {
    let now = Timestamp::from_millis(1_700_000_000_123);
    let mut record = Record::new(now, Duration::from_millis(1_801), Duration::from_secs(9_000));
    record.proofs.present = Some(Proof::from_bytes([1; 32]));
    record.proofs.pending = Some(Pending { proof: Proof::from_bytes([2; 32]), since: now });
    record.proofs.former = Some(Former { proof: Proof::from_bytes([3; 32]), until: now });
    record.user = Some(UserId::new("ada \"\\\0").unwrap());
    record.authenticated = Some(now);
    record.client = Client::new("::ffff:192.0.2.1".parse().ok(), Some("agent"));
    record.commits = vec![(CommitId::from_bytes([4; 16]), now)];
    record.data = [("", "null"), ("a.b$\0\"", "[1,  2]"), ("é", "1e999")].into_iter().collect();
    record
}

#[test]
fn the_envelope_holds_everything() {
    let encoded = Envelope.encode(&record()).unwrap();
    assert_eq!(encoded.expiry, record().deadline());
    assert_eq!(Envelope.decode(&encoded.bytes).unwrap(), record());
    let text = String::from_utf8(encoded.bytes).unwrap();
    assert!(text.contains("[1,  2]") && text.contains("1e999"), "values byte for byte: {text}");
    assert!(text.contains("\"ip\":\"192.0.2.1\""), "an IPv4 address, however it came");
}

/// T-DESER-1: an unknown version is no session; anything else that is no record is damage.
#[test]
fn t_deser_1_versions_and_damage_are_told_apart() {
    let good = String::from_utf8(Envelope.encode(&record()).unwrap().bytes).unwrap();
    let decode = |text: &str| Envelope.decode(text.as_bytes()).unwrap_err();
    assert_eq!(decode(&good.replace("\"v\":1", "\"v\":2")), DecodeError::UnknownVersion);
    assert_eq!(decode("{\"v\":9,\"else\":1}"), DecodeError::UnknownVersion);
    assert_eq!(decode("{}"), DecodeError::Malformed);
    assert_eq!(decode(&good.replace("\"v\":1", "\"v\":1,\"more\":2")), DecodeError::Malformed);
    assert_eq!(decode(&" ".repeat((4 << 20) + 1)), DecodeError::TooLarge);
    for cut in 0..good.len() {
        assert!(Envelope.decode(&good.as_bytes()[..cut]).is_err());
    }
    let deep = good.replace("[1,  2]", &format!("{}{}", "[".repeat(60), "]".repeat(60)));
    assert_eq!(decode(&deep), DecodeError::Malformed, "deeper than any value of ours");
}

/// The record of the files in `frozen`.
pub(super) fn frozen() -> Record {
    let mut record = record();
    record.data = [
        ("cart", r#"[{"sku":"tea","n":2,"price":3.5},{"sku":"milk","n":1,"price":0.90}]"#),
        ("login at", "1700000000123"),
        ("note", r#""Gr\u00fc\u00dfe, \"Ada\"\n""#),
        ("seen", r#"["/", "/tea"]"#),
        ("temperature", "-7"),
        ("theme", r#""dark""#),
        ("voucher", "null"),
        ("wide", "true"),
    ]
    .into_iter()
    .collect();
    record
}

/// The formats stay what they are: whoever changes these octets changes sessions that are in use.
#[test]
fn frozen_envelopes_are_written_and_read() {
    let text = include_str!("frozen/envelope.v1.json").trim_end();
    assert_eq!(Envelope.decode(text.as_bytes()).unwrap(), frozen());
    assert_eq!(String::from_utf8(Envelope.encode(&frozen()).unwrap().bytes).unwrap(), text);
}

/// K18: what is only missing is a feature, so nobody is taken for a stranger.
#[cfg(not(feature = "messagepack"))]
#[test]
fn k18_messagepack_without_its_feature_is_an_error_that_names_it() {
    use crate::store::{StoreError, StoreErrorKind};

    let hex = include_str!("frozen/messagepack.v1.hex").split_whitespace().collect::<String>();
    let octet = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    let bytes: Vec<_> = (0..hex.len()).step_by(2).map(octet).collect();
    let error = Envelope.decode(&bytes).unwrap_err();
    assert_eq!(error, DecodeError::NeedsMessagePack);
    let error = StoreError::from(error);
    assert_eq!(error.kind(), StoreErrorKind::Corrupt, "an unknown version would log out");
    assert!(error.to_string().contains("feature `messagepack`"), "{error}");
}

/// K18: each format reads what the other wrote; a packed record holds everything.
#[test]
fn k18_packed_records_hold_everything() {
    let formats: [&dyn RecordFormat; 2] = [&Envelope, &Packed];
    for record in [record(), frozen()] {
        for writes in formats {
            let encoded = writes.encode(&record).unwrap();
            assert_eq!(encoded.expiry, record.deadline());
            for reads in formats {
                assert_eq!(reads.decode(&encoded.bytes).unwrap(), record);
            }
        }
    }
}

/// The format stays what it is: whoever changes these octets changes sessions that are in use.
#[test]
fn frozen_packed_records_are_written_and_read() {
    let text = include_str!("frozen/packed.v1.hex").split_whitespace().collect::<String>();
    let encoded = Packed.encode(&frozen()).unwrap().bytes;
    let hex = encoded.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
    assert_eq!(hex, text);
    assert_eq!(Packed.decode(&encoded).unwrap(), frozen());
}

/// T-DESER-1, for packed records: whatever is cut off, added or unknown, it is no record.
#[test]
fn t_deser_1_damaged_packed_records_are_none() {
    let good = Packed.encode(&record()).unwrap().bytes;
    for end in 1..good.len() {
        assert_eq!(Packed.decode(&good[..end]).unwrap_err(), DecodeError::Malformed, "{end}");
    }
    assert_eq!(Packed.decode(&[&good[..], b"x"].concat()).unwrap_err(), DecodeError::Malformed);
    let mut unknown = good.clone();
    unknown[5] |= 0x80;
    unknown[6] |= 0x7f;
    assert_eq!(Packed.decode(&unknown).unwrap_err(), DecodeError::Malformed);
    let at = good.windows(5).position(|octets| octets == b"agent").unwrap();
    let mut no_text = good.clone();
    no_text[at] = 0xff;
    assert_eq!(Packed.decode(&no_text).unwrap_err(), DecodeError::Malformed);
    for next in 2..=8 {
        let mut later = good.clone();
        later[0] = next;
        assert_eq!(Packed.decode(&later).unwrap_err(), DecodeError::UnknownVersion, "{next}");
    }
    let mut large = record();
    large.data = [("k", format!("\"{}\"", "x".repeat(4 << 20)))]
        .iter()
        .map(|(k, v)| (*k, v.as_str()))
        .collect();
    assert_eq!(Packed.encode(&large).unwrap_err().kind(), StoreErrorKind::TooLarge);
}

/// T-DESER-1: what is packed is bounded by its length, whatever its numbers say.
#[test]
fn t_deser_1_packed_numbers_promise_nothing() {
    let mut plain = Record::new(Timestamp::from_millis(0), Duration::ZERO, Duration::ZERO);
    plain.user = Some(UserId::new("u").unwrap());
    let good = Packed.encode(&plain).unwrap().bytes;
    // The mark, the length, then flags, created, four times, the idle timeout, an epoch, each an
    // octet; the user's length, the user, the number of commits.
    let start = 5;
    assert_eq!(good[start..], [8, 0, 0, 0, 0, 0, 0, 0, 1, b'u', 0]);
    let huge = [&[0xff; 9][..], &[1]].concat();
    let too_long = [&[0xff; 10][..], &[1]].concat();
    for at in start..good.len() {
        for number in [&huge, &too_long] {
            let rest = [&good[start..at], number, &good[at + 1..]].concat();
            let bytes = [&[1], &(rest.len() as u32).to_be_bytes()[..], &rest].concat();
            // A time may be any number; nothing else in here can be as large.
            let is_time = (start + 1..start + 8).contains(&at) && number == &huge;
            match Packed.decode(&bytes) {
                Ok(record) => assert!(is_time && Packed.encode(&record).is_ok(), "{at}"),
                Err(error) => assert!(!is_time && error == DecodeError::Malformed, "{at}"),
            }
        }
    }
}

/// T-DESER-1: whoever does not say that nobody else writes there gets values that are looked at.
#[test]
fn t_deser_1_other_formats_look_at_packed_values() {
    let deep = "[".repeat(33) + &"]".repeat(33);
    for (value, is_value) in
        [("[1,  2]", true), ("", false), ("[1,", false), (" 1", false), (&deep, false)]
    {
        let mut record = record();
        record.data = [("k", value)].into_iter().collect();
        let bytes = Packed.encode(&record).unwrap().bytes;
        assert_eq!(Packed.decode(&bytes).unwrap(), record, "{value}");
        let expected = if is_value { Ok(record) } else { Err(DecodeError::Malformed) };
        assert_eq!(Envelope.decode(&bytes), expected, "{value}");
    }
}

/// Records are equal by whichever format they came.
#[test]
fn packed_addresses_are_those_of_other_formats() {
    let mut record = record();
    for user_agent in [Some("agent"), None] {
        record.client = Client::new(None, user_agent);
        record.client.ip = "::ffff:192.0.2.1".parse().ok();
        let read = Packed.decode(&Packed.encode(&record).unwrap().bytes).unwrap();
        assert_eq!(read.client.ip, "192.0.2.1".parse().ok());
        assert_eq!(read, Envelope.decode(&Envelope.encode(&record).unwrap().bytes).unwrap());
    }
}

proptest! {
    /// R16: no octets make the decoders panic.
    #[test]
    fn r16_decoders_survive_anything(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Envelope.decode(&octets);
        // A mark and a length that is right, lest nothing behind them be read.
        let length = (octets.len() as u32).to_be_bytes();
        let _ = Packed.decode(&[&[1], &length[..], &octets].concat());
        if let Ok(text) = std::str::from_utf8(&octets) {
            prop_assert!(signed().parse(text, &context("id")).is_none());
        }
    }

    #[test]
    fn r16_damaged_packed_records_never_panic(at in 0usize..600, octet: u8) {
        let mut bytes = Packed.encode(&record()).unwrap().bytes;
        let at = at % bytes.len();
        bytes[at] = octet;
        if let Ok(read) = Packed.decode(&bytes) {
            let _ = Packed.encode(&read);
        }
    }

    #[test]
    fn r16_damaged_envelopes_never_panic(at in 0usize..600, octet: u8) {
        let mut bytes = Envelope.encode(&record()).unwrap().bytes;
        let at = at % bytes.len();
        bytes[at] = octet;
        let _ = Envelope.decode(&bytes);
    }

    #[test]
    fn every_token_of_ours_is_read_back(handle: [u8; 12], secret: [u8; 24]) {
        let (scheme, cx) = (signed(), context("id"));
        let token = Token::split(Handle::from_bytes(handle), secret);
        let read = scheme.parse(&scheme.write(&token, &cx), &cx).unwrap();
        prop_assert_eq!(read.handle(), token.handle());
        prop_assert_eq!(read.danger_secret(), token.danger_secret());
    }
}
