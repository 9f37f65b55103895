//! Law 1: `create` never overwrites.

use std::sync::Arc;

use tenure_core::store::{Created, Store};
use tokio::task::JoinSet;

use crate::store::scene::{ABSOLUTE, IDLE, MS, commit, json, patch, value, with_other_proof};
use crate::store::{Finding, Outcome, StoreHarness, Trial, Violation, check};

/// A live session is a collision and stays as it was: R14, the victim's record is intact.
pub async fn law_01_create_never_overwrites<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let key = scene.begin(&[("owner", "\"ada\"")]).await?;
    let before = scene.load(&key, scene.start).await?;
    for intruder in [key.clone(), with_other_proof(&key)] {
        for now in [scene.start, scene.after(IDLE - MS)] {
            let record = scene.record(&intruder, &[("owner", "\"eve\"")]);
            let created = scene.store.create(&intruder, &record, now).await?;
            check!(created == Created::Collision, "create over a live session: {created:?}");
            check!(scene.load(&key, now).await? == before, "a collision changed the session");
        }
    }
    Ok(Finding::Kept)
}

/// What has expired gives way, and nothing of it is left: neither its data nor its proof.
pub async fn law_01_create_replaces_what_has_expired<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    for expired_at in [scene.after(IDLE), scene.after(IDLE + MS), scene.after(ABSOLUTE)] {
        let old = scene.begin(&[("old", "1")]).await?;
        let new = with_other_proof(&old);
        let later = scene.begun_at(expired_at);
        later.file(&new, &later.record(&new, &[("new", "2")])).await?;
        let record = later.load(&new, expired_at).await?;
        check!(value(&record, "new") == Some("2"), "the new session lacks its data");
        check!(value(&record, "old").is_none(), "the new session has data of the expired one");
        check!(
            scene.store.load(&old, expired_at).await?.is_none(),
            "the proof of the expired session opens the new one"
        );
    }
    Ok(Finding::Kept)
}

/// The same commit again is `Created`, and changes nothing that came between.
pub async fn law_01_repeated_create_is_created<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let key = scene.key();
    let record = scene.record(&key, &[("n", "1")]);
    scene.file(&key, &record).await?;
    scene.file(&key, &record).await?;
    scene.apply(&key, &patch().set("n", json("2")), scene.after(MS)).await?;
    let created = scene.store.create(&key, &record, scene.after(2 * MS)).await?;
    check!(created == Created::Created, "a repeated create: {created:?}");
    let record = scene.load(&key, scene.after(2 * MS)).await?;
    check!(value(&record, "n") == Some("2"), "a repeated create undid a commit: {record:?}");
    Ok(Finding::Kept)
}

/// Of many that create the same session at once, one does.
pub async fn law_01_of_parallel_creates_one_wins<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    for _ in 0..8 {
        let key = scene.key();
        let mut tasks = JoinSet::new();
        for number in 0..16 {
            let (scene, key) = (scene.clone(), with_other_proof(&key));
            tasks.spawn(async move {
                let record = scene.record(&key, &[("winner", &number.to_string())]);
                let created = scene.store.create(&key, &record, scene.start).await?;
                Ok::<_, Violation>((created == Created::Created).then_some((key, number)))
            });
        }
        let mut winners = Vec::new();
        for outcome in tasks.join_all().await {
            winners.extend(outcome?);
        }
        let [(key, number)] = winners.as_slice() else {
            return Err(Violation::new(format!("{} creates won", winners.len())));
        };
        let record = scene.load(key, scene.start).await?;
        check!(
            value(&record, "winner") == Some(&number.to_string()),
            "the session is not that of the create that won"
        );
    }
    Ok(Finding::Kept)
}

/// A commit that was created is not applied again by `apply`: creation counts as its first effect.
pub async fn law_01_creation_is_a_commit<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let key = scene.key();
    let mut record = scene.record(&key, &[("n", "1")]);
    let id = commit();
    record.commits = vec![(id, scene.start)];
    scene.file(&key, &record).await?;
    let again = tenure_core::store::Patch::new(id).set("n", json("2"));
    scene.apply(&key, &again, scene.after(MS)).await?;
    scene.apply(&key, &again.on(Arc::new(record)), scene.after(MS)).await?;
    let record = scene.load(&key, scene.after(MS)).await?;
    check!(value(&record, "n") == Some("1"), "the commit of a create took effect again");
    Ok(Finding::Kept)
}
