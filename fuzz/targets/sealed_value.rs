//! Values that pass through the client's hands: what was protected comes back as it was, and nothing
//! else does, whatever a client does to it.

#![no_main]

use std::sync::LazyLock;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use tenure_core::Sessions;
use tenure_core::store::ClientStore;
use tenure_core::transform::{Seal, Sign, SignAlgorithm, TransformContext, Transforms};
use tenure_fuzz::{Dice, begun, calm, keys, now};

#[derive(Arbitrary, Debug)]
struct Input {
    which: u8,
    value: Vec<u8>,
    /// Another name and purpose.
    name: String,
    purpose: String,
    edits: Vec<Edit>,
    /// A text that nobody has written.
    text: String,
    octets: Vec<u8>,
}

#[derive(Arbitrary, Debug)]
enum Edit {
    Put(u16, u8),
    Flip(u16, u8),
    Insert(u16, u8),
    Drop(u16),
    Cut(u16),
    Twice,
}

const NAME: &str = "__Host-cart";
const PURPOSE: &str = "cart";

struct Scene {
    chains: Vec<Transforms>,
    sessions: Sessions,
    token: String,
}

static SCENE: LazyLock<Scene> = LazyLock::new(|| {
    let sign = |algorithm| Sign::new(keys()).algorithm(algorithm);
    let algorithms =
        [SignAlgorithm::HmacSha256, SignAlgorithm::HmacSha384, SignAlgorithm::HmacSha512];
    let mut chains: Vec<Transforms> =
        algorithms.into_iter().map(|algorithm| Transforms::new().then(sign(algorithm))).collect();
    chains.push(Transforms::new().then(Seal::new(keys())));
    chains.push(Transforms::new().then(sign(SignAlgorithm::HmacSha512)).then(Seal::new(keys())));
    let sessions = calm().client_store(ClientStore::sealed(keys())).build().expect("keys");
    let token = begun(&sessions, "ada");
    Scene { chains, sessions, token }
});

fuzz_target!(|input: Input| {
    let scene = &*SCENE;
    let dice = Dice::default();
    let cx = TransformContext::new(NAME, PURPOSE, &dice);
    let which = usize::from(input.which) % scene.chains.len();
    let chain = &scene.chains[which];
    let text = chain.write(input.value.clone(), &cx).expect("written");
    assert!(text.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_".contains(&octet)));
    assert_eq!(chain.read(&text, &cx), Some(input.value), "as it was");

    // Taken from elsewhere.
    let other = TransformContext::new(&input.name, &input.purpose, &dice);
    let same = (other.name, other.purpose) == (cx.name, cx.purpose);
    assert_eq!(chain.read(&text, &other).is_some(), same, "{other:?}");
    for (nth, chain) in scene.chains.iter().enumerate() {
        // The last chain ends with the step that is all of the one before it.
        let reads = nth == which || (which, nth) == (4, 3);
        assert_eq!(chain.read(&text, &cx).is_some(), reads, "{nth} reads what {which} wrote");
        // Made up, unless it is to the letter what is written: a fuzzer learns what was compared.
        let octets = Transforms::new().write(input.octets.clone(), &cx).expect("base64");
        for made in [&input.text, &octets] {
            if let Some(value) = chain.read(made, &cx) {
                assert_eq!(*made, written(chain, value), "{nth} reads what nobody wrote");
            }
        }
    }

    let edited = edited(&text, &input.edits);
    assert_eq!(chain.read(&edited, &cx).is_some(), edited == text, "{text} was {edited}");

    for made in [&input.text, &edited, &self::edited(&scene.token, &input.edits)] {
        let session = now(scene.sessions.open_token(made)).expect("a bad value is no error");
        assert_eq!(session.is_some(), *made == scene.token);
    }
});

/// The text of a value, which without chance is always the same.
fn written(chain: &Transforms, value: Vec<u8>) -> String {
    let dice = Dice::default();
    chain.write(value, &TransformContext::new(NAME, PURPOSE, &dice)).expect("written")
}

/// The text after what a client may have done to it.
fn edited(text: &str, edits: &[Edit]) -> String {
    let mut text = text.as_bytes().to_vec();
    for edit in edits.iter().take(16) {
        let place = |at: &u16| usize::from(*at) % text.len().max(1);
        match edit {
            Edit::Insert(at, octet) => text.insert(place(at), octet & 0x7f),
            Edit::Twice => text.extend_from_within(..),
            Edit::Cut(at) => text.truncate(place(at)),
            _ if text.is_empty() => {}
            Edit::Put(at, octet) => {
                let at = place(at);
                text[at] = octet & 0x7f;
            }
            Edit::Flip(at, octet) => {
                let at = place(at);
                text[at] = (text[at] ^ octet) & 0x7f;
            }
            Edit::Drop(at) => {
                let at = place(at);
                text.remove(at);
            }
        }
        text.truncate(4096);
    }
    String::from_utf8(text).expect("ASCII")
}
