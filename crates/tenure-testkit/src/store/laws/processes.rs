//! Laws 3, 4 and 7 between processes, on a store that outlives one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tenure_core::store::{Applied, ProofChange, Store, StoreKey};
use tenure_core::value::Number;

use super::writers::{nothing_is_lost, write_all};
use crate::rng::Rng;
use crate::store::future::yields;
use crate::store::process::Crew;
use crate::store::scene::{IDLE, MS, json, patch, with_other_proof};
use crate::store::{Finding, Outcome, StoreHarness, Trial, Violation, check};

/// Processes that work on the store at the same time.
const PROCESSES: usize = 4;
/// Writers of all processes together.
const WRITERS: u32 = 1_000;
/// Sessions that are logged out or rotated.
const SESSIONS: u32 = 100;
/// Longer than any step of another process takes; then something is wrong.
const PATIENCE: Duration = Duration::from_secs(120);

const ALONE: Outcome = Ok(Finding::NotOffered("data that other processes see"));

/// Writers in several processes lose nothing and do nothing twice: X1.
pub async fn law_03_processes_lose_nothing<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let Some(crew) = trial.crew(PROCESSES).await? else { return ALONE };
    let key = crew.key(0);
    let writers = trial.writers(WRITERS);
    if let Some(part) = crew.part {
        crew.meet().await?;
        let mine = (part..writers).step_by(PROCESSES).collect();
        write_all(&crew.scene, &key, mine).await?;
        return Ok(Finding::Kept);
    }
    crew.scene.file(&key, &crew.scene.record(&key, &[])).await?;
    crew.work().await?;
    nothing_is_lost(&crew.scene.load(&key, crew.scene.start).await?, writers)?;
    Ok(Finding::Kept)
}

/// While some processes write to a session without pause, others log it out: nothing revives it.
/// X2, R1.
pub async fn law_04_logout_is_final_between_processes<H: StoreHarness>(
    trial: &Trial<H>,
) -> Outcome {
    let Some(crew) = trial.crew(PROCESSES).await? else { return ALONE };
    let keys: Vec<_> = (0..trial.writers(SESSIONS)).map(|number| crew.key(number)).collect();
    if let Some(part) = crew.part {
        crew.meet().await?;
        let mut rng = Rng::new(part as u64);
        for key in &keys {
            if part % 2 == 0 {
                write_until_gone(&crew, key).await?;
            } else {
                yields(rng.below(20)).await;
                crew.scene.store.delete(key, crew.scene.after(MS)).await?;
                crew.scene.is_gone(key, crew.scene.start).await?;
            }
        }
        return Ok(Finding::Kept);
    }
    for key in &keys {
        crew.scene.file(key, &crew.scene.record(key, &[("n", "0")])).await?;
    }
    crew.work().await?;
    for key in &keys {
        crew.scene.is_gone(key, crew.scene.start).await?;
    }
    Ok(Finding::Kept)
}

/// Of rotations in several processes one wins for each session.
pub async fn law_07_of_processes_one_rotates<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let Some(crew) = trial.crew(PROCESSES).await? else { return ALONE };
    let (tally, sessions) = (crew.key(0), 1..=trial.writers(SESSIONS));
    let scene = &crew.scene;
    if crew.part.is_some() {
        crew.meet().await?;
        for number in sessions {
            let old = crew.key(number);
            let new = with_other_proof(&old);
            let change = ProofChange::Replace(*new.proof().expect("it has one"));
            let rotation = patch().change_proof(change).add("n", Number::Int(1));
            if let Applied::Done(_) = scene.store.apply(&old, &rotation, scene.start).await? {
                scene.load(&new, scene.start).await?;
                let won = patch().add(number.to_string(), Number::Int(1));
                scene.apply(&tally, &won, scene.start).await?;
            }
            scene.is_shut(&old, scene.start).await?;
        }
        return Ok(Finding::Kept);
    }
    scene.file(&tally, &scene.record(&tally, &[])).await?;
    for number in sessions.clone() {
        let key = crew.key(number);
        scene.file(&key, &scene.record(&key, &[])).await?;
    }
    crew.work().await?;
    let record = scene.load(&tally, scene.start).await?;
    for number in sessions {
        let winners = record.data.get(&number.to_string());
        check!(winners == Some("1"), "of the rotations of session {number} won {winners:?}");
    }
    Ok(Finding::Kept)
}

/// Writes in every way until the session is gone.
async fn write_until_gone<S: Store>(crew: &Crew<S>, key: &StoreKey) -> Outcome<()> {
    let (store, now) = (&crew.scene.store, crew.scene.start);
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let Some(seen) = store.load(key, now).await? else { return Ok(()) };
        store.touch(key, now + IDLE, now).await?;
        store.swap(key, &seen.revision, &seen, now).await?;
        let patch = patch().add("n", Number::Int(1)).set("late", json("1")).on(Arc::new(seen));
        if let Applied::Gone = store.apply(key, &patch, now).await? {
            crew.scene.is_gone(key, now).await?;
            return Ok(());
        }
    }
    Err(Violation::new("nobody logged the session out"))
}
