//! Law 9: `sweep` deletes what has expired, and nothing else.

use std::time::Duration;

use tenure_core::Timestamp;
use tenure_core::store::{Created, Store, StoreKey};
use tokio::sync::Mutex;

use crate::store::scene::{
    ABSOLUTE, IDLE, MS, Scene, json, lasting, patch, user, with_other_proof,
};
use crate::store::{Finding, Outcome, StoreHarness, Trial, Violation, check};

/// Sessions that are swept live this long: other tests' live hours, so that no sweep reaches them.
const SHORT: Duration = Duration::from_secs(1);
/// Rounds of the test against requests in flight.
const ROUNDS: u32 = 200;

/// A sweep reaches all namespaces of a store, so tests that count what is swept take turns.
pub(super) static TURN: Mutex<()> = Mutex::const_new(());

/// What lives stays, to the millisecond, and what has expired goes.
pub async fn law_09_sweep_deletes_only_what_has_expired<H: StoreHarness>(
    trial: &Trial<H>,
) -> Outcome {
    let _turn = TURN.lock().await;
    let scene = trial.scene().await;
    let dead = [SHORT - MS, SHORT];
    let live = [SHORT + MS, SHORT + Duration::from_secs(1), IDLE];
    let mut keys = Vec::new();
    for lifetime in dead.into_iter().chain(live) {
        keys.push((lifetime, short(&scene, lifetime, ABSOLUTE).await?));
        keys.push((lifetime, short(&scene, ABSOLUTE, lifetime).await?));
    }
    let now = scene.after(SHORT);
    drain(&scene, now).await?;
    for (lifetime, key) in &keys {
        let found = scene.store.load(key, now).await?.is_some();
        check!(found == live.contains(lifetime), "of a life of {lifetime:?}: alive is {found}");
        if !found {
            scene.is_gone(key, now).await?;
        }
    }
    Ok(Finding::Kept)
}

/// A session whose life was prolonged is not swept at its old deadline.
pub async fn law_09_sweep_spares_what_was_prolonged<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let _turn = TURN.lock().await;
    let scene = trial.scene().await;
    let touched = short(&scene, SHORT, ABSOLUTE).await?;
    let now = scene.after(SHORT / 2);
    check!(scene.store.touch(&touched, now + SHORT, now).await?, "touch found nothing");
    let applied = short(&scene, SHORT, ABSOLUTE).await?;
    scene.apply(&applied, &patch().extend(now + SHORT).set("n", json("1")), now).await?;
    let prolonged = short(&scene, SHORT, ABSOLUTE).await?;
    scene.apply(&prolonged, &patch().set_idle_timeout(IDLE), now).await?;
    let shortened = short(&scene, IDLE, ABSOLUTE).await?;
    scene.apply(&shortened, &patch().set_idle_timeout(SHORT / 4), now).await?;
    drain(&scene, scene.after(SHORT)).await?;
    for key in [&touched, &applied, &prolonged] {
        scene.load(key, scene.after(SHORT)).await?;
    }
    scene.is_gone(&shortened, scene.after(SHORT)).await?;
    drain(&scene, scene.after(SHORT / 2 + SHORT)).await?;
    for key in [&touched, &applied] {
        scene.is_gone(key, scene.after(SHORT / 2 + SHORT)).await?;
    }
    scene.load(&prolonged, scene.after(SHORT / 2 + SHORT)).await?;
    Ok(Finding::Kept)
}

/// Each call keeps to its limit, and repeated calls come to an end.
pub async fn law_09_sweep_keeps_to_its_limit<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let _turn = TURN.lock().await;
    let scene = trial.scene().await;
    let now = scene.after(SHORT);
    drain(&scene, now).await?;
    for _ in 0..20 {
        short(&scene, SHORT, ABSOLUTE).await?;
    }
    check!(scene.store.sweep(0, now).await? == 0, "a sweep of nothing deleted something");
    for limit in [1, 7, 100, 100] {
        let swept = scene.store.sweep(limit, now).await?;
        check!(swept <= limit, "{swept} were swept, and the limit is {limit}");
    }
    check!(scene.store.sweep(u32::MAX, now).await? == 0, "something was left");
    Ok(Finding::Kept)
}

/// It tells how many it deleted.
pub async fn law_09_sweep_tells_how_many<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    if trial.harness.expires_by_itself() {
        return Ok(Finding::NotOffered("a count of all that has expired: the server drops some"));
    }
    let _turn = TURN.lock().await;
    let scene = trial.scene().await;
    let now = scene.after(SHORT);
    drain(&scene, now).await?;
    for _ in 0..20 {
        short(&scene, SHORT, ABSOLUTE).await?;
        scene.begin(&[]).await?;
    }
    let first = scene.store.sweep(7, now).await?;
    check!(first == 7, "7 of 20 were to be swept, and {first} were");
    let rest = drain(&scene, now).await?;
    check!(rest == 13, "13 were left to be swept, and {rest} were");
    Ok(Finding::Kept)
}

/// What was swept is free for a new session, and in no list.
pub async fn law_09_swept_sessions_leave_nothing<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let _turn = TURN.lock().await;
    let scene = trial.scene().await;
    let key = short(&scene, SHORT, ABSOLUTE).await?;
    drain(&scene, scene.after(SHORT)).await?;
    check!(scene.listed(&user("ada"), scene.start).await?.is_empty(), "it is still listed");
    let later = scene.begun_at(scene.after(SHORT));
    let new = with_other_proof(&key);
    let created = later.store.create(&new, &later.record(&new, &[]), later.start).await?;
    check!(created == Created::Created, "a swept key is taken");
    let record = later.load(&new, later.start).await?;
    check!(record.user.is_none() && record.data.is_empty(), "something is left: {record:?}");
    check!(scene.listed(&user("ada"), later.start).await?.is_empty(), "the new one is listed");
    Ok(Finding::Kept)
}

/// A sweep and a request that prolongs the session: what was prolonged lives, what was swept was
/// not prolonged.
pub async fn law_09_sweep_against_extend<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let _turn = TURN.lock().await;
    let scene = trial.scene().await;
    let (before, deadline) = (scene.after(SHORT - MS), scene.after(SHORT));
    for round in 0..trial.rounds(ROUNDS) {
        let key = short(&scene, SHORT, ABSOLUTE).await?;
        let sweeper = tokio::spawn({
            let scene = scene.clone();
            async move { drain(&scene, deadline).await }
        });
        let prolonged = if round % 2 == 0 {
            scene.store.touch(&key, before + SHORT, before).await?
        } else {
            let patch = patch().extend(before + SHORT);
            let applied = scene.store.apply(&key, &patch, before).await?;
            matches!(applied, tenure_core::store::Applied::Done(_))
        };
        sweeper.await.map_err(|error| Violation::new(error.to_string()))??;
        let found = scene.store.load(&key, deadline).await?.is_some();
        check!(found == prolonged, "prolonged is {prolonged}, and alive {found}");
        scene.store.delete(&key, before).await?;
    }
    Ok(Finding::Kept)
}

/// Files a session of ada's with these timeouts.
async fn short<S: Store>(
    scene: &Scene<S>,
    idle: Duration,
    absolute: Duration,
) -> Outcome<StoreKey> {
    let key = scene.key();
    let mut record = lasting(scene.record(&key, &[("n", "1")]), idle, absolute);
    record.user = Some(user("ada"));
    scene.file(&key, &record).await?;
    Ok(key)
}

/// Sweeps until nothing is left, and tells how many went.
async fn drain<S: Store>(scene: &Scene<S>, now: Timestamp) -> Outcome<u32> {
    let mut all = 0;
    loop {
        match scene.store.sweep(1_000, now).await? {
            0 => return Ok(all),
            swept => all += swept,
        }
    }
}
