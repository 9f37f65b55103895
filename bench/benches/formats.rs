//! Record formats: the octets and the time that one session takes.

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use tenure_core::format::{Envelope, MessagePack, Packed, RecordFormat};
use tenure_core::id::{CommitId, Proof, UserId};
use tenure_core::store::{Client, Record};
use tenure_core::{SystemClock, clock::Clock};

/// A customer of a shop with some articles in the cart: about a KiB in JSON.
fn session() -> Record {
    let now = SystemClock.now();
    let mut record = Record::new(now, Duration::from_secs(1_800), Duration::from_secs(43_200));
    record.proofs.present = Some(Proof::from_bytes([0xa5; 32]));
    record.user = Some(UserId::new("b3c9f0c2-7d54-4b0e-9a53-8f1f6d1c2e77").expect("an id"));
    record.authenticated = Some(now);
    let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    record.client = Client::new("203.0.113.7".parse().ok(), Some(agent));
    record.commits = vec![(CommitId::from_bytes([0x5a; 16]), now)];
    record.data = [
        (
            "cart",
            r#"[{"sku":"tea-oolong-100","n":2,"price":"8.90"},{"sku":"cup-white","n":4,"price":"3.50"},{"sku":"kettle","n":1,"price":"49.00"}]"#,
        ),
        (
            "address",
            r#"{"name":"Grace Example","street":"Lange Straße 17","zip":"04103","city":"Leipzig","country":"DE","phone":"+49 341 555 0142","company":null,"isDefault":true}"#,
        ),
        ("currency", r#""EUR""#),
        ("language", r#""de""#),
        ("lastOrder", r#"{"id":1048577,"at":1763771000123,"paid":true}"#),
        ("seen", "[10211,10377,88120,4471,90215,11873,66210,5]"),
        ("settings", r#"{"theme":"dark","perPage":48,"newsletter":false,"scale":1.25}"#),
        ("visits", "137"),
    ]
    .into_iter()
    .collect();
    record
}

fn formats(criterion: &mut Criterion) {
    let record = session();
    for (name, format) in [
        ("JSON", &Envelope as &dyn RecordFormat),
        ("MessagePack", &MessagePack as &dyn RecordFormat),
        ("packed", &Packed as &dyn RecordFormat),
    ] {
        let bytes = format.encode(&record).expect("a record").bytes;
        let name = format!("{name}, {} octets", bytes.len());
        criterion.bench_function(&format!("write {name}"), |b| b.iter(|| format.encode(&record)));
        criterion.bench_function(&format!("read {name}"), |b| b.iter(|| format.decode(&bytes)));
    }
}

criterion_group!(benches, formats);
criterion_main!(benches);
