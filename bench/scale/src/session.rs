//! The sessions that fill a store.

use std::time::Duration;

use tenure_core::id::{CommitId, Proof};
use tenure_core::store::{Record, StoreKey};
use tenure_core::{Handle, Namespace, Timestamp, UserId};

use crate::Result;

/// Longer than any filling takes: a server that deletes by its own clock deletes none.
pub(crate) const LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);

/// The key of the session of this number. As those of an engine, it is random.
pub(crate) fn key(number: u64) -> Result<StoreKey> {
    let mut random = Random(number);
    let key = StoreKey::new(Namespace::new("__Host-id")?, Handle::from_bytes(random.octets()));
    Ok(key.with_proof(Proof::from_bytes(random.octets())))
}

/// What a shop keeps of a visitor who is logged in. Every user has two sessions.
pub(crate) fn record(key: &StoreKey, number: u64, now: Timestamp) -> Result<Record> {
    let mut random = Random(!number);
    let mut record = Record::new(now, LIFETIME, LIFETIME);
    record.proofs.present = key.proof().copied();
    record.user = Some(UserId::new(format!("user-{:07}", number / 2))?);
    record.authenticated = Some(now);
    record.commits = vec![(CommitId::from_bytes(random.octets()), now)];
    record.data = data(&mut random).into_iter().collect();
    Ok(record)
}

fn data(random: &mut Random) -> [(&'static str, String); 6] {
    let mut below = |limit: u64| random.next() % limit;
    let (tea, cups, page, visits) = (below(100), below(9) + 1, below(20), below(90) + 10);
    let (left, right) = (random.next(), random.next());
    [
        ("cart", format!(r#"[{{"sku":"tea-{tea:02}","count":{cups}}},{{"sku":"cup","count":2}}]"#)),
        ("csrf", format!("\"{left:016x}{right:016x}\"")),
        ("locale", "\"en-GB\"".to_owned()),
        ("return_to", format!("\"/shop/tea/green?page={page}&sort=price\"")),
        ("theme", "\"dark\"".to_owned()),
        ("visits", visits.to_string()),
    ]
}

/// SplitMix64: the same for the same number, and nothing that a database could compress.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn octets<const LEN: usize>(&mut self) -> [u8; LEN] {
        let mut octets = [0; LEN];
        for chunk in octets.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_be_bytes()[..chunk.len()]);
        }
        octets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_have_some_170_octets_and_a_user() {
        for number in [0, 1, 999_999] {
            let key = key(number).unwrap();
            let now = Timestamp::from_millis(1_000);
            let record = record(&key, number, now).unwrap();
            let octets: usize =
                record.data.iter().map(|(key, value)| key.len() + value.len()).sum();
            assert!((165..=180).contains(&octets), "{octets}");
            assert!(record.user.is_some() && record.admits(&key, now));
            assert!(!record.is_alive(now + LIFETIME));
        }
        assert!(!key(0).unwrap().same_session(&key(1).unwrap()));
    }
}
