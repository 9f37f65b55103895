//! Law 4: logout is final.

use std::sync::Arc;

use tenure_core::Timestamp;
use tenure_core::store::{Applied, Patch, ProofChange, Record, Store, StoreKey, Swap};
use tenure_core::value::Number;
use tokio::task::JoinSet;

use crate::rng::{Rng, seed};
use crate::store::future::{Task, interleave, yields};
use crate::store::scene::{IDLE, MS, Scene, json, patch, with_other_proof};
use crate::store::{Finding, Outcome, StoreHarness, Trial, Violation, check};

/// Schedules of the test that polls by hand.
const SCHEDULES: u32 = 10_000;
/// Rounds of the test with tasks on several threads.
const ROUNDS: u32 = 1_000;

/// Whatever a request in flight saw before the delete, its write brings nothing back: X2, R1.
pub async fn law_04_deleted_stays_deleted<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let key = scene.begin(&[("n", "1")]).await?;
    let seen = scene.load(&key, scene.start).await?;
    check!(scene.store.delete(&key, scene.start).await?, "delete found nothing");
    // The clocks of those requests may be behind that of the logout.
    for now in [scene.start, scene.after(MS), scene.after(IDLE - MS)] {
        let swap = scene.store.swap(&key, &seen.revision, &seen, now).await?;
        check!(swap == Swap::Gone, "a swap in flight: {swap:?}");
        let base = Arc::new(seen.clone());
        for patch in [
            patch().set("n", json("2")),
            patch().clear(),
            patch().update("n", |_| Ok(None)),
            patch().change_proof(ProofChange::Replace(*key.proof().expect("it has one"))),
            patch().extend(now + IDLE),
        ] {
            let applied = scene.store.apply(&key, &patch.on(Arc::clone(&base)), now).await?;
            check!(matches!(applied, Applied::Gone), "an apply in flight: {applied:?}");
        }
        check!(!scene.store.touch(&key, now + IDLE, now).await?, "a touch in flight");
        scene.is_gone(&key, now).await?;
    }
    Ok(Finding::Kept)
}

/// A session that is created again under the same foreign id is another one: what was meant for the
/// deleted one does not fit it, although there is no proof to tell them apart.
pub async fn law_04_created_again_is_another<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let key = StoreKey::foreign(scene.namespace.clone(), "an id that comes back");
    scene.file(&key, &scene.record(&key, &[("who", "\"old\"")])).await?;
    let seen = scene.load(&key, scene.start).await?;
    check!(scene.store.delete(&key, scene.start).await?, "delete found nothing");
    scene.file(&key, &scene.record(&key, &[("who", "\"new\"")])).await?;
    let swap = scene.store.swap(&key, &seen.revision, &seen, scene.start).await?;
    check!(swap == Swap::Conflict, "a swap for the session before: {swap:?}");
    let record = scene.load(&key, scene.start).await?;
    check!(record.data.get("who") == Some("\"new\""), "the old session is back");
    Ok(Finding::Kept)
}

/// 10,000 schedules of a logout against requests in flight, polled in random orders on one thread:
/// X2, R1.
pub async fn law_04_logout_is_final<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let seed = seed();
    let mut rng = Rng::new(seed);
    for schedule in 0..trial.rounds(SCHEDULES) {
        let race = Race::begin(&scene, &mut rng).await?;
        let mut tasks: Vec<Task<'_, Outcome<()>>> = Vec::new();
        for request in &race.requests {
            tasks.push(Box::pin(race.request(request)));
        }
        tasks.push(Box::pin(race.logout()));
        for outcome in interleave(&mut rng, tasks).await {
            outcome.map_err(|error| in_schedule(&error, seed, schedule))?;
        }
        race.is_over().await.map_err(|error| in_schedule(&error, seed, schedule))?;
    }
    Ok(Finding::Kept)
}

/// A logout against requests in flight on other threads: X2, R1.
pub async fn law_04_logout_is_final_between_tasks<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let seed = seed();
    let mut rng = Rng::new(seed);
    for schedule in 0..trial.rounds(ROUNDS) {
        let race = Arc::new(Race::begin(&scene, &mut rng).await?);
        let mut tasks = JoinSet::new();
        for at in 0..race.requests.len() {
            let race = Arc::clone(&race);
            tasks.spawn(async move { race.request(&race.requests[at]).await });
        }
        let logout = Arc::clone(&race);
        tasks.spawn(async move { logout.logout().await });
        for outcome in tasks.join_all().await {
            outcome.map_err(|error| in_schedule(&error, seed, schedule))?;
        }
        race.is_over().await.map_err(|error| in_schedule(&error, seed, schedule))?;
    }
    Ok(Finding::Kept)
}

fn in_schedule(violation: &Violation, seed: u64, schedule: usize) -> Violation {
    Violation::new(format!("TENURE_SUITE_SEED={seed}, schedule {schedule}: {violation}"))
}

/// A session, the requests that are in flight, and how long the logout waits.
struct Race<S> {
    scene: Scene<S>,
    key: StoreKey,
    /// The key after the login that one of the requests may be.
    rotated: StoreKey,
    requests: Vec<Request>,
    wait: usize,
}

/// A request: it loads, works, commits.
struct Request {
    wait: usize,
    work: usize,
    write: Write,
}

#[derive(Clone, Copy, PartialEq)]
enum Write {
    Set,
    Add,
    Update,
    Blind,
    Touch,
    Swap,
    Prepare,
    Login,
}

impl<S: Store> Race<S> {
    async fn begin(scene: &Scene<S>, rng: &mut Rng) -> Outcome<Self> {
        let key = scene.begin(&[("n", "1")]).await?;
        let writes = [
            Write::Set,
            Write::Add,
            Write::Update,
            Write::Blind,
            Write::Touch,
            Write::Swap,
            Write::Prepare,
            Write::Login,
        ];
        let mut requests: Vec<Request> = Vec::new();
        for _ in 0..=rng.below(3) {
            let write = writes[rng.below(writes.len())];
            // After two logins the logout's proof would rightly be worth nothing.
            let second = write == Write::Login && requests.iter().any(|r| r.write == write);
            let write = if second { Write::Set } else { write };
            requests.push(Request { wait: rng.below(4), work: rng.below(4), write });
        }
        let rotated = with_other_proof(&key);
        Ok(Self { scene: scene.clone(), key, rotated, requests, wait: rng.below(8) })
    }

    async fn logout(&self) -> Outcome<()> {
        yields(self.wait).await;
        let now = self.scene.after(MS);
        check!(self.scene.store.delete(&self.key, now).await?, "the logout found no session");
        self.nothing_is_found(now).await
    }

    async fn request(&self, request: &Request) -> Outcome<()> {
        let (store, now) = (&self.scene.store, self.scene.start);
        yields(request.wait).await;
        let seen = match request.write {
            Write::Blind => None,
            _ => match store.load(&self.key, now).await? {
                Some(record) => Some(record),
                None => return Ok(()),
            },
        };
        yields(request.work).await;
        let changed = || patch().extend(now + IDLE);
        let on = |patch: Patch| match &seen {
            Some(record) => patch.on(Arc::new(record.clone())),
            None => patch,
        };
        let next = *self.rotated.proof().expect("it has one");
        let patch = match request.write {
            Write::Touch => {
                store.touch(&self.key, now + IDLE, now).await?;
                return Ok(());
            }
            Write::Swap => return self.swap(seen).await,
            Write::Set | Write::Blind => changed().set("late", json("1")),
            Write::Add => changed().add("n", Number::Int(1)),
            Write::Update => changed().update("n", |seen| Ok(seen.cloned())),
            Write::Prepare => changed().change_proof(ProofChange::Prepare(next)),
            Write::Login => changed().change_proof(ProofChange::Replace(next)),
        };
        store.apply(&self.key, &on(patch), now).await?;
        Ok(())
    }

    async fn swap(&self, seen: Option<Record>) -> Outcome<()> {
        let Some(record) = seen else { return Ok(()) };
        self.scene.store.swap(&self.key, &record.revision, &record, self.scene.start).await?;
        Ok(())
    }

    /// Whether the session is gone with every secret that a client may hold.
    async fn is_over(&self) -> Outcome<()> {
        for key in [&self.key, &self.rotated] {
            let late = patch().set("late", json("2"));
            let applied = self.scene.store.apply(key, &late, self.scene.after(MS)).await?;
            check!(matches!(applied, Applied::Gone), "a write after the logout: {applied:?}");
        }
        self.nothing_is_found(self.scene.start).await
    }

    async fn nothing_is_found(&self, now: Timestamp) -> Outcome<()> {
        for key in [&self.key, &self.rotated] {
            let found = self.scene.store.load(key, now).await?;
            check!(found.is_none(), "the session came back: {found:?}");
        }
        Ok(())
    }
}
