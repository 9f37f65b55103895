//! Tests that run in several processes: the test's own binary, started again for this one test.

use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tenure_core::id::Proof;
use tenure_core::store::{Store, StoreKey};
use tenure_core::{Clock, Handle, Namespace, SystemClock, Timestamp};

use super::scene::Scene;
use super::{Outcome, StoreHarness, Trial, Violation, check};
use crate::rng::{Rng, fresh};

/// What a child has to know: `part of seed start address`.
const VARIABLE: &str = "TENURE_SUITE_PART";
/// Longer than a child takes to start.
const PATIENCE: Duration = Duration::from_secs(60);
/// The numbers of the sessions by which the children find each other lie below this one.
const MEETING: usize = usize::MAX;

/// Several processes on one store, seen from one of them.
pub(super) struct Crew<S> {
    pub(super) scene: Scene<S>,
    /// Which child this is; none in the parent.
    pub(super) part: Option<usize>,
    processes: usize,
    seed: u64,
    test: &'static str,
    /// Where the store is.
    pub(super) address: String,
}

impl<H: StoreHarness> Trial<H> {
    /// The crew of this test, if the store outlives a process.
    pub(super) async fn crew(&self, processes: usize) -> Outcome<Option<Crew<H::Store>>> {
        let Some(test) = self.test else { return Ok(None) };
        let (part, seed, start, store, address) = match std::env::var(VARIABLE) {
            Ok(told) => {
                let mut told = told.splitn(4, ' ');
                let mut next = || told.next().ok_or_else(|| Violation::new("too little is told"));
                let (part, seed, start) = (number(next()?)?, number(next()?)?, number(next()?)?);
                let address = next()?.to_owned();
                let store = self.harness.open_at(&address).await;
                let start = Timestamp::from_millis(start);
                (usize::try_from(part).ok(), seed, start, store, address)
            }
            Err(_) => {
                // Opened before the address is asked for: there may be none before.
                let store = self.harness.open().await;
                let Some(address) = self.harness.address() else { return Ok(None) };
                (None, u64::from_be_bytes(fresh()), SystemClock.now(), store, address)
            }
        };
        let namespace = Namespace::new(format!("suite-{seed:016x}"))?;
        let scene = Scene::of(store).elsewhere(namespace).begun_at(start);
        Ok(Some(Crew { scene, part, processes, seed, test, address }))
    }
}

fn number(text: &str) -> Outcome<u64> {
    text.parse().map_err(|_| Violation::new(format!("{text:?} is no number")))
}

impl<S: Store> Crew<S> {
    /// The key of the session of this number, the same in all processes.
    pub(super) fn key(&self, number: usize) -> StoreKey {
        let mut rng = Rng::new(self.seed ^ (number as u64).rotate_left(32));
        let handle = Handle::from_bytes(rng.bytes());
        let key = StoreKey::new(self.scene.namespace.clone(), handle);
        key.with_proof(Proof::from_bytes(rng.bytes()))
    }

    /// Waits, in a child, until all children are there: each files a session of its own and looks
    /// for those of the others, since whether they can write together is what is to be tested.
    pub(super) async fn meet(&self) -> Outcome<()> {
        let (scene, own) = (&self.scene, self.key(MEETING - self.part.unwrap_or_default()));
        scene.file(&own, &scene.record(&own, &[])).await?;
        let begun = Instant::now();
        for part in 0..self.processes {
            let other = self.key(MEETING - part);
            while scene.store.load(&other, scene.start).await?.is_none() {
                check!(begun.elapsed() < PATIENCE, "the other processes did not come");
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    /// Starts the children from the parent and waits until all have done their part.
    pub(super) async fn work(&self) -> Outcome<()> {
        let children = (0..self.processes)
            .map(|part| self.start(part))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| Violation::new(format!("a process could not be started: {error}")))?;
        let mut waiting = Vec::new();
        for child in children {
            waiting.push(tokio::task::spawn_blocking(|| child.wait_with_output()));
        }
        for (part, output) in waiting.into_iter().enumerate() {
            let output = output.await.map_err(|error| Violation::new(error.to_string()))?;
            let output = output.map_err(|error| Violation::new(error.to_string()))?;
            check!(
                output.status.success() && ran_one(&output),
                "process {part} failed:\n{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(())
    }

    fn start(&self, part: usize) -> std::io::Result<Child> {
        let start = self.scene.start.as_millis();
        Command::new(std::env::current_exe()?)
            .args([self.test, "--exact", "--include-ignored", "--nocapture"])
            .env(VARIABLE, format!("{part} {} {start} {}", self.seed, self.address))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
    }
}

/// Whether a test ran at all: a filter that matches none succeeds, too.
fn ran_one(output: &Output) -> bool {
    String::from_utf8_lossy(&output.stdout).contains("1 passed")
}
