use std::env;
use std::fs::File;
use std::io::{self, Write};

use super::scene::{Scene, Trouble};
use super::{FaultHarness, ServerFault, links, servers};
use crate::store::Outcome;

/// The environment variable that may name a file, to which each test adds its result.
#[doc(hidden)]
pub const RESULTS_VARIABLE: &str = "TENURE_TEST_FAULTS";

/// Threads of the runtime: one of them may block while a server starts.
const WORKERS: usize = 3;

/// The body of a generated test.
///
/// # Panics
/// When the store does not survive the fault as it promises.
pub fn run<H: FaultHarness>(test: &'static str, fault: ServerFault, harness: H) {
    let name = harness.name();
    if let Some(why) = harness.impossible(fault) {
        // Straight to the stream: the test harness would swallow what a passing test prints.
        let _ = writeln!(io::stderr(), "test {test} ... not applicable to {name}: {why}");
        return record(name, test, &format!("not possible: {why}"));
    }
    // Who gives none has said why.
    let Some(server) = harness.serve(fault) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .expect("a runtime can be started");
    match runtime.block_on(survived(fault, &Trouble::new(harness, server))) {
        Ok(seen) => record(name, test, &seen),
        Err(violation) => panic!("{name}: {violation}"),
    }
}

/// What was seen, in words that are the same at every run.
async fn survived<H: FaultHarness>(fault: ServerFault, trouble: &Trouble<H>) -> Outcome<String> {
    let scene = Scene::set(trouble).await?;
    match fault {
        ServerFault::Refused => links::refused(scene).await,
        ServerFault::BlackHole => links::black_hole(scene).await,
        ServerFault::Slow => links::slow(scene).await,
        ServerFault::ResetMidReply => links::reset_mid_reply(scene).await,
        ServerFault::AckLost => links::ack_lost(scene).await,
        ServerFault::Stall => links::stall(scene).await,
        ServerFault::Restart => servers::restart(scene, trouble).await,
        ServerFault::RestartWithoutData => servers::restart_without_data(scene, trouble).await,
        ServerFault::KilledDuringCommits => servers::killed_during_commits(scene, trouble).await,
        ServerFault::Failover => servers::failover(scene, trouble).await,
    }
}

fn record(store: &str, test: &str, seen: &str) {
    let Some(file) = env::var_os(RESULTS_VARIABLE) else { return };
    let line = format!("{store}\t{test}\t{seen}\n");
    let added = File::options()
        .create(true)
        .append(true)
        .open(&file)
        .and_then(|mut file| file.write_all(line.as_bytes()));
    added.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
}
