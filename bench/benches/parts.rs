//! The parts of a request: reading the cookie header, and the journal.

use criterion::{Criterion, criterion_group, criterion_main};
use tenure_bench::{Bench, head, read};
use tenure_core::SystemRandom;
use tenure_core::id::CommitId;
use tenure_core::store::Patch;
use tenure_core::value::{Data, Json, Number};

/// 16 KiB of other cookies, as many as are read at all.
fn large_header() -> String {
    let cookie = |i: usize| format!("cookie{i:02}={}", "x".repeat(244));
    (0..63).map(cookie).collect::<Vec<_>>().join("; ")
}

fn cookies(criterion: &mut Criterion) {
    let bench = Bench::new();
    let large = head(&large_header());
    criterion.bench_function("cookie header of 16 KiB", |b| {
        b.iter(|| bench.request(&large, Some(read)));
    });
}

fn journal(criterion: &mut Criterion) {
    let id = CommitId::random(&SystemRandom).expect("randomness");
    let data: Data = (0..20).map(|i| (format!("key{i:02}"), i.to_string())).collect();
    criterion.bench_function("patch of five operations on twenty keys", |b| {
        b.iter(|| {
            let patch = Patch::new(id)
                .set("key03", Json::of("new").expect("text"))
                .add("key05", Number::Int(1))
                .add("key05", Number::Int(2))
                .push("list", Json::of(&1).expect("a number"))
                .remove("key07");
            let steps = patch.steps(&data).expect("steps that fit");
            steps.apply(&data).expect("data")
        });
    });
}

criterion_group!(benches, cookies, journal);
criterion_main!(benches);
