//! Whole requests on the memory store: untouched, read, written, forged.

use criterion::{Criterion, criterion_group, criterion_main};
use tenure_bench::{Bench, head, increment, read};

fn requests(criterion: &mut Criterion) {
    let bench = Bench::new();
    let cached = Bench::cached();
    let without = head("other=1");
    let forged = head(&format!("{}={}", bench.sessions.name(), "A".repeat(80)));
    let mut group = criterion.benchmark_group("request");
    group.bench_function("untouched, no cookie", |b| b.iter(|| bench.request(&without, None)));
    group.bench_function("untouched", |b| b.iter(|| bench.request(&bench.parts, None)));
    group.bench_function("forged", |b| b.iter(|| bench.request(&forged, Some(read))));
    group.bench_function("read", |b| b.iter(|| bench.request(&bench.parts, Some(read))));
    group.bench_function("read, from a near cache", |b| {
        b.iter(|| cached.request(&cached.parts, Some(read)));
    });
    group.bench_function("write", |b| b.iter(|| bench.request(&bench.parts, Some(increment))));
    group.finish();
}

criterion_group!(benches, requests);
criterion_main!(benches);
