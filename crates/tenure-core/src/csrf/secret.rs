use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::clock::Random;
use crate::error::{Error, ErrorKind, Result};
use crate::id::Token;
use crate::value::Json;

type HmacSha256 = Hmac<Sha256>;

/// What the request forgery tokens of a session are made from.
///
/// By default it is a sub-key of the session's own secret (HKDF-SHA256, RFC 5869), so that it needs
/// no storage, parallel requests agree on it, and it dies with the secret. No key of the server is
/// needed beside it: whoever knows the secret has the session anyway.
pub(crate) struct Secret(Zeroizing<[u8; Self::LEN]>);

impl Secret {
    const LEN: usize = 32;
    /// Octets of the part of a token that is random.
    const NONCE_LEN: usize = 24;
    /// Octets of the part that proves it: HMAC-SHA256 cut to 192 bits.
    const MAC_LEN: usize = 24;
    const TEXT_LEN: usize = (Self::NONCE_LEN + Self::MAC_LEN) / 3 * 4;
    /// The info of HKDF.
    const PURPOSE: &[u8] = b"tenure v1 request forgery";

    /// The one that belongs to a session's secret.
    pub(crate) fn of(token: &Token) -> Self {
        let foreign = || token.danger_text().unwrap_or_default().as_bytes();
        let secret = token.danger_secret().map_or_else(foreign, |secret| &secret[..]);
        let mut sub_key = Zeroizing::new([0; Self::LEN]);
        Hkdf::<Sha256>::new(None, secret)
            .expand(Self::PURPOSE, &mut sub_key[..])
            .expect("32 octets are within HKDF's limit of 255 blocks");
        Self(sub_key)
    }

    /// A fresh one, where the session's secret is not known yet.
    pub(crate) fn random(random: &dyn Random) -> Result<Self> {
        let mut secret = Zeroizing::new([0; Self::LEN]);
        fill(random, &mut secret[..])?;
        Ok(Self(secret))
    }

    /// As a session keeps it.
    pub(crate) fn to_json(&self) -> Json {
        Json::trusted(&format!("\"{}\"", BASE64.encode(&self.0[..])))
    }

    pub(crate) fn from_json(json: &Json) -> Result<Self> {
        let mut secret = Zeroizing::new([0; Self::LEN]);
        let text = json.as_str().strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        match text.map(|text| BASE64.decode_slice(text, &mut secret[..])) {
            Some(Ok(Self::LEN)) => Ok(Self(secret)),
            _ => Err(Error::new(
                ErrorKind::Corrupt,
                "csrf_token",
                "what the session keeps under the library's own key is no secret; another program \
                 has written it",
            )),
        }
    }

    /// A token: random octets and their HMAC, so that no two are alike, and a page that is
    /// compressed with what an attacker chose gives none away (BREACH).
    pub(crate) fn token(&self, random: &dyn Random) -> Result<String> {
        let mut token = [0; Self::NONCE_LEN + Self::MAC_LEN];
        let (nonce, mac) = token.split_at_mut(Self::NONCE_LEN);
        fill(random, nonce)?;
        mac.copy_from_slice(&self.mac(nonce).finalize().into_bytes()[..Self::MAC_LEN]);
        Ok(BASE64.encode(token))
    }

    /// Whether the token is one of this secret; it takes the same time wherever it is wrong.
    pub(crate) fn verifies(&self, token: &str) -> bool {
        let mut octets = [0; Self::NONCE_LEN + Self::MAC_LEN];
        if token.len() != Self::TEXT_LEN || BASE64.decode_slice(token, &mut octets).is_err() {
            return false;
        }
        let (nonce, mac) = octets.split_at(Self::NONCE_LEN);
        self.mac(nonce).verify_truncated_left(mac).is_ok()
    }

    fn mac(&self, nonce: &[u8]) -> HmacSha256 {
        let mut mac =
            HmacSha256::new_from_slice(&self.0[..]).expect("HMAC takes keys of any length");
        mac.update(&[nonce.len() as u8]);
        mac.update(nonce);
        mac
    }
}

fn fill(random: &dyn Random, octets: &mut [u8]) -> Result<()> {
    random.fill(octets).map_err(|error| {
        Error::new(ErrorKind::Unavailable, "csrf_token", "no random numbers").with_source(error)
    })
}
