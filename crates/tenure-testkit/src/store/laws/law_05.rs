//! Law 5: the `now` argument alone decides what has expired, to the millisecond.

use std::time::Duration;

use tenure_core::Timestamp;
use tenure_core::store::{Applied, Created, Inspect, Store, StoreKey, Swap};

use super::inspecting::NO_INSPECTION;
use crate::store::scene::{
    ABSOLUTE, IDLE, MS, Scene, json, lasting, patch, user, value, with_other_proof, without_proof,
};
use crate::store::{Finding, Outcome, StoreHarness, Trial, Violation, check};

/// `load` finds a session until the millisecond before its deadline: T-EXP-1.
pub async fn law_05_load_expires_to_the_millisecond<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    edges(trial, async |scene, key, now| {
        let loaded = scene.store.load(key, now).await?;
        let shared = scene.store.load_shared(key, now).await?;
        check!(loaded.as_ref() == shared.as_deref(), "{loaded:?} is shared as {shared:?}");
        Ok(loaded.is_some())
    })
    .await
}

/// So does `apply`, and it writes nothing later: T-EXP-1, T-EXP-4.
pub async fn law_05_apply_expires_to_the_millisecond<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    edges(trial, async |scene, key, now| {
        let patch = patch().set("written", json("1")).extend(now + IDLE);
        match scene.store.apply(key, &patch, now).await? {
            Applied::Done(_) => Ok(true),
            Applied::Gone => Ok(false),
            other => Err(Violation::new(format!("{other:?}"))),
        }
    })
    .await
}

/// So does `apply` with the record that the request saw.
pub async fn law_05_apply_on_a_seen_record_expires_too<H: StoreHarness>(
    trial: &Trial<H>,
) -> Outcome {
    edges(trial, async |scene, key, now| {
        let mut seen = scene.load(key, scene.start).await?;
        // A request may believe what it likes.
        (seen.idle_deadline, seen.absolute_deadline) = (now + IDLE, now + ABSOLUTE);
        let patch = patch().set("written", json("1")).extend(now + IDLE).on(seen.into());
        match scene.store.apply(key, &patch, now).await? {
            Applied::Done(_) => Ok(true),
            Applied::Gone => Ok(false),
            other => Err(Violation::new(format!("{other:?}"))),
        }
    })
    .await
}

/// So does `swap`.
pub async fn law_05_swap_expires_to_the_millisecond<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    edges(trial, async |scene, key, now| {
        let mut new = scene.load(key, scene.start).await?;
        (new.idle_deadline, new.absolute_deadline) = (now + IDLE, now + ABSOLUTE);
        match scene.store.swap(key, &new.revision, &new, now).await? {
            Swap::Done(_) => Ok(true),
            Swap::Gone => Ok(false),
            other => Err(Violation::new(format!("{other:?}"))),
        }
    })
    .await
}

/// So does `touch`.
pub async fn law_05_touch_expires_to_the_millisecond<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    edges(trial, async |scene, key, now| Ok(scene.store.touch(key, now + IDLE, now).await?)).await
}

/// So does `delete`, with a proof and without.
pub async fn law_05_delete_expires_to_the_millisecond<H: StoreHarness>(
    trial: &Trial<H>,
) -> Outcome {
    edges(trial, async |scene, key, now| Ok(scene.store.delete(key, now).await?)).await?;
    edges(trial, async |scene, key, now| Ok(scene.store.delete(&without_proof(key), now).await?))
        .await
}

/// For `create` the key is taken until the millisecond before the deadline.
pub async fn law_05_create_expires_to_the_millisecond<H: StoreHarness>(
    trial: &Trial<H>,
) -> Outcome {
    edges(trial, async |scene, key, now| {
        let other = with_other_proof(key);
        let record = scene.begun_at(now).record(&other, &[]);
        Ok(scene.store.create(&other, &record, now).await? == Created::Collision)
    })
    .await
}

/// A user's session is listed until the millisecond before its deadline.
pub async fn law_05_listing_expires_to_the_millisecond<H: StoreHarness>(
    trial: &Trial<H>,
) -> Outcome {
    if trial.scene().await.store.users().is_none() {
        return Ok(Finding::NotOffered("an index of users"));
    }
    edges(trial, async |scene, _, now| Ok(!scene.listed(&user("ada"), now).await?.is_empty())).await
}

/// A session is shown without its secret until the millisecond before its deadline.
pub async fn law_05_inspection_expires_to_the_millisecond<H: StoreHarness>(
    trial: &Trial<H>,
) -> Outcome {
    if trial.scene().await.store.inspect().is_none() {
        return NO_INSPECTION;
    }
    edges(trial, async |scene, key, now| match scene.store.inspect() {
        Some(inspect) => Ok(inspect.record(&without_proof(key), now).await?.is_some()),
        None => Err(Violation::new("it can inspect at times")),
    })
    .await
}

/// A touched session expires at its new deadline, to the millisecond.
pub async fn law_05_touched_deadline_is_exact<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let key = scene.begin(&[("n", "1")]).await?;
    let later = scene.after(IDLE / 2);
    check!(scene.store.touch(&key, later + IDLE, later).await?, "touch found nothing");
    scene.load(&key, scene.after(IDLE)).await?;
    scene.load(&key, scene.after(IDLE / 2 + IDLE - MS)).await?;
    scene.is_gone(&key, scene.after(IDLE / 2 + IDLE)).await?;
    Ok(Finding::Kept)
}

/// A caller whose clock is ahead and who finds a session expired ends it for nobody else.
pub async fn law_05_clock_ahead_ends_nothing<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let key = scene.begin(&[("n", "1")]).await?;
    let (ahead, now) = (scene.after(IDLE), scene.after(IDLE - Duration::from_secs(5 * 60)));
    let before = scene.load(&key, now).await?;
    scene.is_gone(&key, ahead).await?;
    check!(!scene.store.delete(&without_proof(&key), ahead).await?, "delete of what has expired");
    check!(scene.load(&key, now).await? == before, "a clock ahead changed the session");
    Ok(Finding::Kept)
}

/// Callers whose clocks differ by five minutes to both sides lose nothing of each other, and none
/// moves a deadline back.
pub async fn law_05_skewed_clocks_lose_nothing<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let skew = Duration::from_secs(5 * 60);
    let key = scene.begin(&[]).await?;
    let mut deadline = scene.start;
    for round in 1..=12_u32 {
        let true_time = skew + Duration::from_secs(60) * round;
        for (name, now) in [
            ("ahead", scene.after(true_time + skew)),
            ("behind", scene.after(true_time - skew)),
            ("exact", scene.after(true_time)),
        ] {
            let patch = patch().push(name, json(&round.to_string())).extend(now + IDLE);
            scene.apply(&key, &patch, now).await?;
            check!(scene.store.touch(&key, now + IDLE, now).await?, "touch found nothing");
            let record = scene.load(&key, now).await?;
            check!(record.idle_deadline >= deadline, "{name} moved the deadline back");
            deadline = record.idle_deadline;
        }
    }
    let record = scene.load(&key, scene.after(skew)).await?;
    let all = "[1,2,3,4,5,6,7,8,9,10,11,12]";
    for name in ["ahead", "behind", "exact"] {
        check!(value(&record, name) == Some(all), "{name} lost something: {record:?}");
    }
    Ok(Finding::Kept)
}

/// Asks `probe` whether it finds the session, round both kinds of deadline.
async fn edges<H: StoreHarness>(
    trial: &Trial<H>,
    probe: impl AsyncFn(&Scene<H::Store>, &StoreKey, Timestamp) -> Outcome<bool>,
) -> Outcome {
    for (kind, idle, absolute) in [("idle", IDLE, ABSOLUTE), ("absolute", ABSOLUTE, IDLE)] {
        let deadline = IDLE;
        for (at, alive) in [
            (deadline - MS, true),
            (deadline, false),
            (deadline + MS, false),
            (ABSOLUTE * 2, false),
        ] {
            let scene = trial.scene().await;
            let key = scene.key();
            let mut record = lasting(scene.record(&key, &[("n", "1")]), idle, absolute);
            record.user = Some(user("ada"));
            scene.file(&key, &record).await?;
            let now = scene.after(at);
            check!(
                probe(&scene, &key, now).await? == alive,
                "{kind} deadline {deadline:?}, {at:?} after the start: alive is {}",
                !alive
            );
            if !alive {
                let found = scene.store.load(&key, now).await?;
                check!(found.is_none(), "an expired session was revived: {found:?}");
            }
        }
    }
    Ok(Finding::Kept)
}
