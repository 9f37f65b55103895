//! Law 6: a touch moves forward, within the timeouts, and beside every other write.

use std::time::Duration;

use tenure_core::store::Store;
use tenure_core::value::Number;
use tokio::task::JoinSet;

use crate::store::scene::{ABSOLUTE, IDLE, MS, patch, user, value};
use crate::store::{Finding, Outcome, StoreHarness, Trial, Violation, check};

const SECOND: Duration = Duration::from_secs(1);
/// Rounds of the test with parallel touches.
const ROUNDS: u32 = 200;

/// A touch changes the idle deadline and when the session was last seen, and nothing else.
pub async fn law_06_touch_changes_times_alone<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let key = scene.begin(&[("n", "1")]).await?;
    scene.apply(&key, &patch().bind(Some(user("ada")), scene.start), scene.start).await?;
    let before = scene.load(&key, scene.start).await?;
    let now = scene.after(SECOND);
    check!(scene.store.touch(&key, now + IDLE, now).await?, "touch found nothing");
    let after = scene.load(&key, now).await?;
    check!(after.idle_deadline == now + IDLE, "the deadline is {:?}", after.idle_deadline);
    check!(after.last_seen == now, "last seen {:?}", after.last_seen);
    let mut same = after;
    same.idle_deadline = before.idle_deadline;
    same.last_seen = before.last_seen;
    same.revision = before.revision.clone();
    check!(same == before, "a touch changed more: {same:?}, before {before:?}");
    Ok(Finding::Kept)
}

/// A commit may move the end of a session, as a log-in does: then it is the new one that neither a
/// touch nor a commit gets past.
pub async fn law_06_the_end_is_moved_by_commits_alone<H: StoreHarness>(
    trial: &Trial<H>,
) -> Outcome {
    let scene = trial.scene().await;
    let key = scene.begin(&[]).await?;
    for end in [scene.after(IDLE / 4), scene.after(ABSOLUTE + IDLE), scene.after(IDLE / 2)] {
        let now = scene.after(SECOND);
        scene.apply(&key, &patch().set_absolute_deadline(end), now).await?;
        let record = scene.load(&key, now).await?;
        check!(record.absolute_deadline == end, "it ends {:?}", record.absolute_deadline);
        check!(record.idle_deadline <= end, "the idle deadline is {:?}", record.idle_deadline);
        check!(scene.store.touch(&key, now + IDLE, now).await?, "touch found nothing");
        scene.apply(&key, &patch().extend(now + IDLE), now).await?;
        let record = scene.load(&key, now).await?;
        let idle = end.min(now + IDLE);
        check!(record.idle_deadline == idle, "the idle deadline is {:?}", record.idle_deadline);
        check!(record.absolute_deadline == end, "a touch moved the end");
    }
    let end = scene.after(IDLE / 2);
    scene.load(&key, scene.after(IDLE / 2 - MS)).await?;
    scene.is_gone(&key, end).await?;
    Ok(Finding::Kept)
}

/// Neither an earlier deadline nor an earlier clock moves anything back.
pub async fn law_06_touch_moves_only_forward<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let key = scene.begin(&[]).await?;
    let now = scene.after(60 * SECOND);
    check!(scene.store.touch(&key, now + IDLE, now).await?, "touch found nothing");
    for (until, at) in [
        (now, now),
        (scene.after(60 * SECOND + IDLE - MS), now),
        (scene.start, scene.start),
        (scene.after(ABSOLUTE), scene.start),
        (scene.start, now + SECOND),
    ] {
        check!(scene.store.touch(&key, until, at).await?, "touch found nothing");
        scene.apply(&key, &patch().extend(until), at).await?;
        let record = scene.load(&key, now).await?;
        check!(record.idle_deadline == now + IDLE, "it moved to {:?}", record.idle_deadline);
        check!(record.last_seen >= now, "last seen went back to {:?}", record.last_seen);
    }
    // A timeout is counted from its commit, but it was used later.
    scene.apply(&key, &patch().set_idle_timeout(IDLE), scene.start).await?;
    let record = scene.load(&key, now).await?;
    check!(record.last_seen >= now, "last seen went back to {:?}", record.last_seen);
    Ok(Finding::Kept)
}

/// However often it is touched, a session ends at its absolute deadline: T-EXP-2.
pub async fn law_06_touch_never_passes_the_absolute_deadline<H: StoreHarness>(
    trial: &Trial<H>,
) -> Outcome {
    let scene = trial.scene().await;
    let key = scene.begin(&[]).await?;
    let mut at = Duration::ZERO;
    while at < ABSOLUTE - MS {
        at = (at + IDLE - MS).min(ABSOLUTE - MS);
        let now = scene.after(at);
        check!(scene.store.touch(&key, now + 2 * ABSOLUTE, now).await?, "it ended at {at:?}");
        scene.apply(&key, &patch().extend(now + 2 * ABSOLUTE), now).await?;
    }
    let record = scene.load(&key, scene.after(ABSOLUTE - MS)).await?;
    check!(record.absolute_deadline == scene.after(ABSOLUTE), "the absolute deadline moved");
    check!(record.idle_deadline <= record.absolute_deadline, "idle is later than absolute");
    scene.is_gone(&key, scene.after(ABSOLUTE)).await?;
    Ok(Finding::Kept)
}

/// A touch reaches no further than the session's own idle timeout, also when that was set anew.
pub async fn law_06_touch_never_passes_the_idle_timeout<H: StoreHarness>(
    trial: &Trial<H>,
) -> Outcome {
    let scene = trial.scene().await;
    let key = scene.begin(&[]).await?;
    let now = scene.after(SECOND);
    check!(scene.store.touch(&key, scene.after(ABSOLUTE), now).await?, "touch found nothing");
    let record = scene.load(&key, now).await?;
    check!(record.idle_deadline == now + IDLE, "touched to {:?}", record.idle_deadline);
    scene.apply(&key, &patch().set_idle_timeout(IDLE / 2), now).await?;
    let record = scene.load(&key, now).await?;
    check!(record.idle_deadline == now + IDLE / 2, "set to {:?}", record.idle_deadline);
    let later = scene.after(2 * SECOND);
    check!(scene.store.touch(&key, scene.after(ABSOLUTE), later).await?, "touch found nothing");
    let record = scene.load(&key, later).await?;
    check!(record.idle_deadline == later + IDLE / 2, "touched to {:?}", record.idle_deadline);
    scene.apply(&key, &patch().set_idle_timeout(2 * ABSOLUTE), later).await?;
    let record = scene.load(&key, later).await?;
    check!(record.idle_deadline == scene.after(ABSOLUTE), "set to {:?}", record.idle_deadline);
    Ok(Finding::Kept)
}

/// `apply` extends as `touch` does.
pub async fn law_06_apply_extends_as_touch_does<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    for until in [scene.start, scene.after(IDLE / 2), scene.after(2 * IDLE), scene.after(ABSOLUTE)]
    {
        for at in [SECOND, IDLE / 2, IDLE - MS] {
            let (touched, applied) = (scene.begin(&[]).await?, scene.begin(&[]).await?);
            let now = scene.after(at);
            check!(scene.store.touch(&touched, until, now).await?, "touch found nothing");
            scene.apply(&applied, &patch().extend(until), now).await?;
            let touched = scene.load(&touched, now).await?;
            let applied = scene.load(&applied, now).await?;
            check!(
                touched.idle_deadline == applied.idle_deadline
                    && touched.last_seen == applied.last_seen,
                "touch gives {:?}, apply {:?}",
                touched.idle_deadline,
                applied.idle_deadline
            );
        }
    }
    Ok(Finding::Kept)
}

/// Touches and applies in parallel all take effect.
pub async fn law_06_touch_and_apply_both_take_effect<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let key = scene.begin(&[("n", "0")]).await?;
    let rounds = u32::try_from(trial.rounds(ROUNDS)).unwrap_or(u32::MAX);
    for round in 1..=rounds {
        let mut tasks = JoinSet::new();
        let now = scene.after(MS * round);
        for touches in [true, false, true, false] {
            let (scene, key) = (scene.clone(), key.clone());
            tasks.spawn(async move {
                if touches {
                    check!(scene.store.touch(&key, now + IDLE, now).await?, "touch found nothing");
                } else {
                    scene.apply(&key, &patch().add("n", Number::Int(1)), now).await?;
                }
                Ok::<_, Violation>(())
            });
        }
        for outcome in tasks.join_all().await {
            outcome?;
        }
        let record = scene.load(&key, now).await?;
        check!(record.idle_deadline == now + IDLE, "a touch was lost in round {round}");
        let sum = (2 * round).to_string();
        check!(value(&record, "n") == Some(&sum), "an increment was lost: {record:?}");
    }
    Ok(Finding::Kept)
}
