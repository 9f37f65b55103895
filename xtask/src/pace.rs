//! How long the long tests are on this machine.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

/// What the suites of stores read.
const VARIABLE: &str = "TENURE_SUITE_SCALE";
/// How long [`work`] takes on a machine that runs the long tests whole.
const USUAL: Duration = Duration::from_millis(3);
/// Shorter tests would find too little.
const LEAST: f64 = 0.25;
/// How long a machine is measured whose other guests make it fast and slow from one second to the
/// next.
const MEASURED: Duration = Duration::from_secs(5);

/// Shortens the long tests on a slow machine, so that all of them take no longer than on others.
/// Nothing if somebody has said how long they are to be.
pub(crate) fn scale() -> Option<(&'static str, String)> {
    if std::env::var_os(VARIABLE).is_some() {
        return None;
    }
    let took = measured(MEASURED);
    let scale = of(took);
    println!("{VARIABLE}={scale:.2}: the work of {USUAL:?} takes {took:?} here");
    Some((VARIABLE, format!("{scale:.2}")))
}

fn of(took: Duration) -> f64 {
    (USUAL.as_secs_f64() / took.as_secs_f64()).clamp(LEAST, 1.0)
}

/// How long the work usually takes while every core has some, all this time.
fn measured(time: Duration) -> Duration {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut samples: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(|| samples(time))).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).flatten().collect()
    });
    samples.sort_unstable();
    samples.get(samples.len() / 2).copied().unwrap_or(USUAL)
}

fn samples(time: Duration) -> Vec<Duration> {
    let end = Instant::now() + time;
    let mut samples = Vec::new();
    while Instant::now() < end {
        let began = Instant::now();
        work();
        samples.push(began.elapsed());
    }
    samples
}

/// Of memory and of jumps, as tests are.
fn work() {
    let mut words = BTreeMap::new();
    for number in 0..4_000_u32 {
        let word = number.wrapping_mul(2_654_435_761).to_string();
        *words.entry(word).or_insert(0_usize) += 1;
    }
    black_box(words.keys().map(String::len).sum::<usize>());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slower_the_machine_the_shorter_the_tests() {
        assert_eq!(of(USUAL / 2), 1.0, "longer ones only if somebody asks");
        assert_eq!(of(USUAL), 1.0);
        assert_eq!(of(USUAL * 2), 0.5);
        assert_eq!(of(USUAL * 100), LEAST);
        assert!(of(Duration::ZERO) <= 1.0);
    }

    #[test]
    fn a_measurement_takes_a_while_and_no_longer() {
        let took = measured(Duration::from_millis(100));
        assert!(took > Duration::from_micros(100) && took < Duration::from_secs(5), "{took:?}");
    }
}
