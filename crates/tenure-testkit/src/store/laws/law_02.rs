//! Law 2: what is gone stays gone.

use std::sync::Arc;

use tenure_core::store::{Applied, Created, Store, StoreKey, Swap};

use crate::store::scene::{ABSOLUTE, IDLE, MS, json, patch, with_other_proof, without_proof};
use crate::store::{Finding, Outcome, StoreHarness, Trial, check};

/// No operation finds or makes a session that never was.
pub async fn law_02_missing_session_is_gone<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    scene.is_gone(&scene.key(), scene.start).await?;
    Ok(Finding::Kept)
}

/// No operation finds or makes a session that was deleted.
pub async fn law_02_deleted_session_is_gone<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    for admin in [false, true] {
        let key = scene.begin(&[("n", "1")]).await?;
        let deleter = if admin { without_proof(&key) } else { key.clone() };
        check!(scene.store.delete(&deleter, scene.start).await?, "delete found nothing");
        check!(!scene.store.delete(&deleter, scene.start).await?, "a second delete found it");
        scene.is_gone(&key, scene.start).await?;
    }
    Ok(Finding::Kept)
}

/// No operation finds a session that has expired, swept or not.
pub async fn law_02_expired_session_is_gone<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let key = scene.begin(&[("n", "1")]).await?;
    for now in [scene.after(IDLE), scene.after(IDLE + MS), scene.after(ABSOLUTE)] {
        scene.is_gone(&key, now).await?;
        let admin = without_proof(&key);
        check!(!scene.store.delete(&admin, now).await?, "delete found an expired session");
    }
    Ok(Finding::Kept)
}

/// A proof that the session does not accept reads, writes and deletes nothing.
pub async fn law_02_wrong_proof_is_gone<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let key = scene.begin(&[("n", "1")]).await?;
    let before = scene.load(&key, scene.start).await?;
    let wrong = with_other_proof(&key);
    scene.is_gone(&wrong, scene.start).await?;
    let patch = patch().set("n", json("2")).on(Arc::new(before.clone()));
    let applied = scene.store.apply(&wrong, &patch, scene.start).await?;
    check!(matches!(applied, Applied::Gone), "apply with a wrong proof: {applied:?}");
    let swap = scene.store.swap(&wrong, &before.revision, &before, scene.start).await?;
    check!(swap == Swap::Gone, "swap with a wrong proof: {swap:?}");
    check!(scene.load(&key, scene.start).await? == before, "a wrong proof changed the session");
    Ok(Finding::Kept)
}

/// A key for administration, without a proof, deletes and does nothing else.
pub async fn law_02_key_without_proof_only_deletes<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let key = scene.begin(&[("n", "1")]).await?;
    let before = scene.load(&key, scene.start).await?;
    let admin = without_proof(&key);
    scene.is_shut(&admin, scene.start).await?;
    let swap = scene.store.swap(&admin, &before.revision, &before, scene.start).await?;
    check!(swap == Swap::Gone, "swap without a proof: {swap:?}");
    check!(scene.load(&key, scene.start).await? == before, "a key without proof wrote");
    check!(scene.store.delete(&admin, scene.start).await?, "delete without a proof");
    scene.is_gone(&key, scene.start).await?;
    Ok(Finding::Kept)
}

/// In a foreign format the key is the id itself and holding it is the proof.
pub async fn law_02_foreign_id_is_its_own_proof<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let ids = ["an id", "AN ID", "an id ", "sess:é\u{1f980}'\"%_\\", "../../an id"];
    let keys = ids.map(|id| StoreKey::foreign(scene.namespace.clone(), id));
    for (key, id) in keys.iter().zip(ids) {
        let text = json(&format!("{:?}", id.len()));
        scene.file(key, &scene.record(key, &[("len", text.as_str())])).await?;
    }
    for (key, id) in keys.iter().zip(ids) {
        let patch = patch().set("seen", json("true"));
        scene.apply(key, &patch, scene.start).await?;
        let record = scene.load(key, scene.start).await?;
        check!(record.data.get("len") == Some(&id.len().to_string()), "{id:?} is another's");
        check!(record.data.get("seen") == Some("true"), "{id:?} was not changed");
        check!(scene.store.touch(key, scene.after(IDLE), scene.start).await?, "{id:?} untouched");
        scene.is_gone(&with_other_proof(key), scene.start).await?;
        let created = scene.store.create(key, &scene.record(key, &[]), scene.start).await?;
        check!(created == Created::Collision, "{id:?} was overwritten");
    }
    for (at, key) in keys.iter().enumerate() {
        check!(scene.store.delete(key, scene.start).await?, "{:?} is not deleted", ids[at]);
        scene.is_gone(key, scene.start).await?;
        if let Some(next) = keys.get(at + 1) {
            scene.load(next, scene.start).await?;
        }
    }
    Ok(Finding::Kept)
}

/// The record that a request has seen is no reason to bring it back.
pub async fn law_02_seen_record_creates_nothing<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let key = scene.begin(&[("n", "1")]).await?;
    let seen = scene.load(&key, scene.start).await?;
    check!(scene.store.delete(&key, scene.start).await?, "delete found nothing");
    let swap = scene.store.swap(&key, &seen.revision, &seen, scene.start).await?;
    check!(swap == Swap::Gone, "swap of a deleted session: {swap:?}");
    let patch = patch().set("n", json("2")).on(Arc::new(seen));
    let applied = scene.store.apply(&key, &patch, scene.start).await?;
    check!(matches!(applied, Applied::Gone), "apply to a deleted session: {applied:?}");
    scene.is_gone(&key, scene.start).await?;
    Ok(Finding::Kept)
}
