//! Laws 4 and 7 for a store that shows sessions whatever their secret.

use tenure_core::store::{Epoch, Inspect, ProofChange, Record, Store, StoreKey, UserIndex};

use crate::store::scene::{MS, Scene, patch, user, with_other_proof, without_proof};
use crate::store::{Finding, Outcome, StoreHarness, Trial, check};

pub(super) const NO_INSPECTION: Outcome = Ok(Finding::NotOffered("inspection"));

/// What a store shows without asking for the secret is what it loads with it, at each stage of a
/// renewal and of a change of privilege; and none of it opens the session. T-MON-1.
pub async fn law_07_inspection_shows_any_secret<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let Some(inspect) = scene.store.inspect() else { return NO_INSPECTION };
    let (first, now) = (scene.begin(&[("n", "1")]).await?, scene.start);
    let (second, third) = (with_other_proof(&first), with_other_proof(&first));
    let (unknown, admin) = (with_other_proof(&first), without_proof(&first));
    let proof = |key: &StoreKey| *key.proof().expect("the suite's keys have proofs");
    for (step, by, opens) in [
        (patch().bind(Some(user("ada")), now), &first, &first),
        (patch().change_proof(ProofChange::Prepare(proof(&second))), &first, &first),
        (patch().change_proof(ProofChange::Confirm(proof(&second))), &second, &second),
        (patch().change_proof(ProofChange::Replace(proof(&third))), &second, &third),
    ] {
        scene.apply(by, &step, now).await?;
        let loaded = scene.load(opens, now).await?;
        for key in [&first, &second, &third, &unknown, &admin] {
            let shown = inspect.record(key, now).await?;
            check!(shown.as_ref() == Some(&loaded), "it shows {shown:?}, and loads {loaded:?}");
        }
        scene.is_shut(&unknown, now).await?;
        scene.is_shut(&admin, now).await?;
        check!(scene.load(opens, now).await? == loaded, "it was changed by being shown");
    }
    let foreign = StoreKey::foreign(scene.namespace.clone(), "an id of others");
    scene.file(&foreign, &scene.record(&foreign, &[("n", "1")])).await?;
    let shown = inspect.record(&foreign, now).await?;
    check!(shown == Some(scene.load(&foreign, now).await?), "of a foreign id it shows {shown:?}");
    Ok(Finding::Kept)
}

/// Nothing is shown of a session that never was, or has ended in whatever way.
pub async fn law_04_inspection_shows_nothing_that_has_ended<H: StoreHarness>(
    trial: &Trial<H>,
) -> Outcome {
    let scene = trial.scene().await;
    if scene.store.inspect().is_none() {
        return NO_INSPECTION;
    }
    let (ada, now) = (user("ada"), scene.start);
    check!(shown(&scene, &scene.key()).await?.is_none(), "it shows what never was");
    let key = begun(&scene).await?;
    check!(scene.store.delete(&key, now).await?, "delete found nothing");
    check!(shown(&scene, &key).await?.is_none(), "it shows what was deleted");
    if let Some(users) = scene.store.users() {
        let key = begun(&scene).await?;
        users.revoke(&scene.namespace, &ada, None, now).await?;
        check!(shown(&scene, &key).await?.is_none(), "it shows what ended with others of its user");
    }
    if let Some(epoch) = scene.store.epoch() {
        let key = begun(&scene).await?;
        epoch.revoke_everybody(&scene.namespace, now).await?;
        check!(shown(&scene, &key).await?.is_none(), "it shows what ended with everybody's");
    }
    Ok(Finding::Kept)
}

/// A session of ada's that was shown once.
async fn begun<S: Store>(scene: &Scene<S>) -> Outcome<StoreKey> {
    let key = scene.key();
    let mut record = scene.record(&key, &[("n", "1")]);
    record.user = Some(user("ada"));
    scene.file(&key, &record).await?;
    check!(shown(scene, &key).await?.is_some(), "it does not show a session that is alive");
    Ok(key)
}

/// What is shown of a session to whoever knows its handle.
async fn shown<S: Store>(scene: &Scene<S>, key: &StoreKey) -> Outcome<Option<Record>> {
    let Some(inspect) = scene.store.inspect() else { return Ok(None) };
    Ok(inspect.record(&without_proof(key), scene.after(MS)).await?)
}
