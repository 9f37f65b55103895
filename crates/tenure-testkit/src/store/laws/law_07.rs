//! Law 7: a rotation is one conditional write of one record.

use std::sync::Arc;

use tenure_core::Timestamp;
use tenure_core::id::Proof;
use tenure_core::store::{
    Applied, FORMER_GRACE, PENDING_GRACE, Patch, ProofChange, Record, Store, StoreKey,
};
use tenure_core::value::Number;
use tokio::task::JoinSet;

use crate::store::scene::{MS, Scene, json, patch, proof, user, value, with_other_proof};
use crate::store::{Finding, Outcome, StoreHarness, Trial, Violation, check};

/// Rounds of the tests with parallel rotations.
const ROUNDS: u32 = 200;

fn proof_of(key: &StoreKey) -> Proof {
    *key.proof().expect("the suite's keys have proofs")
}

fn replace(key: &StoreKey) -> Patch {
    patch().change_proof(ProofChange::Replace(proof_of(key)))
}

fn prepare(key: &StoreKey) -> Patch {
    patch().change_proof(ProofChange::Prepare(proof_of(key)))
}

fn confirm(key: &StoreKey) -> Patch {
    patch().change_proof(ProofChange::Confirm(proof_of(key)))
}

/// A change of privilege: the old secret is dead at once, the new one opens the same session.
/// T-FIX-2.
pub async fn law_07_replaced_proof_is_dead_at_once<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let old = scene.begin(&[("cart", "[1]")]).await?;
    let new = with_other_proof(&old);
    let login = replace(&new).bind(Some(user("ada")), scene.start);
    scene.apply(&old, &login, scene.start).await?;
    scene.is_shut(&old, scene.start).await?;
    let record = scene.load(&new, scene.start).await?;
    check!(value(&record, "cart") == Some("[1]"), "the data was lost: {record:?}");
    check!(record.user == Some(user("ada")), "the user is {:?}", record.user);
    check!(scene.store.delete(&new, scene.start).await?, "the new proof does not delete");
    scene.is_gone(&old, scene.start).await?;
    scene.is_gone(&new, scene.start).await?;
    Ok(Finding::Kept)
}

/// The proof before a change of privilege may delete, for two minutes to the millisecond, and do
/// nothing else.
pub async fn law_07_former_proof_only_deletes<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    for (at, deletes) in
        [(MS, true), (FORMER_GRACE - MS, true), (FORMER_GRACE, false), (FORMER_GRACE + MS, false)]
    {
        let old = scene.begin(&[]).await?;
        let new = with_other_proof(&old);
        scene.apply(&old, &replace(&new), scene.start).await?;
        let now = scene.after(at);
        scene.is_shut(&old, now).await?;
        check!(
            scene.store.delete(&old, now).await? == deletes,
            "{at:?} after the rotation the former proof deletes: {}",
            !deletes
        );
        let there = scene.store.load(&new, now).await?.is_some();
        check!(there != deletes, "{at:?} after the rotation the session is there: {there}");
    }
    Ok(Finding::Kept)
}

/// The proof before the former one does not even delete.
pub async fn law_07_older_proofs_are_worth_nothing<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let first = scene.begin(&[]).await?;
    let (second, third) = (with_other_proof(&first), with_other_proof(&first));
    scene.apply(&first, &replace(&second), scene.start).await?;
    scene.apply(&second, &replace(&third), scene.start).await?;
    scene.is_gone(&first, scene.start).await?;
    scene.load(&third, scene.start).await?;
    check!(scene.store.delete(&second, scene.start).await?, "the former proof does not delete");
    scene.is_gone(&third, scene.start).await?;
    Ok(Finding::Kept)
}

/// Of two rotations at once one wins, and the other finds the session gone.
pub async fn law_07_of_two_rotations_one_wins<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    for _ in 0..trial.rounds(ROUNDS) {
        let old = scene.begin(&[("n", "0")]).await?;
        let base = Arc::new(scene.load(&old, scene.start).await?);
        let mut tasks = JoinSet::new();
        for _ in 0..2 {
            let (scene, old, new) = (scene.clone(), old.clone(), with_other_proof(&old));
            let base = Arc::clone(&base);
            tasks.spawn(async move {
                let rotation = replace(&new).add("n", Number::Int(1)).on(base);
                match scene.store.apply(&old, &rotation, scene.start).await? {
                    Applied::Done(_) => Ok((new, true)),
                    Applied::Gone => Ok((new, false)),
                    other => Err(Violation::new(format!("a rotation: {other:?}"))),
                }
            });
        }
        let mut winners = 0;
        for outcome in tasks.join_all().await {
            let (key, won) = outcome?;
            winners += u32::from(won);
            let found = scene.store.load(&key, scene.start).await?;
            check!(found.is_some() == won, "won {won}, and the session is {found:?}");
            if let Some(record) = found {
                check!(value(&record, "n") == Some("1"), "the loser wrote: {record:?}");
            }
        }
        check!(winners == 1, "{winners} rotations won");
        scene.is_shut(&old, scene.start).await?;
    }
    Ok(Finding::Kept)
}

/// While a session is rotated one of its secrets opens it at every instant, and never both.
pub async fn law_07_one_secret_works_at_every_instant<H: StoreHarness>(
    trial: &Trial<H>,
) -> Outcome {
    let scene = trial.scene().await;
    for _ in 0..trial.rounds(ROUNDS) {
        let old = scene.begin(&[]).await?;
        let new = with_other_proof(&old);
        let rotation = tokio::spawn({
            let (scene, old, rotation) = (scene.clone(), old.clone(), replace(&new));
            async move { scene.apply(&old, &rotation, scene.start).await }
        });
        loop {
            let rotated = rotation.is_finished();
            // In this order: what the old secret does not open any more the new one does.
            if scene.store.load(&old, scene.start).await?.is_none() {
                scene.load(&new, scene.start).await?;
            }
            if scene.store.load(&new, scene.start).await?.is_some() {
                let both = scene.store.load(&old, scene.start).await?;
                check!(both.is_none(), "both secrets open the session");
            }
            if rotated {
                break;
            }
            tokio::task::yield_now().await;
        }
        rotation.await.map_err(|error| Violation::new(error.to_string()))??;
        scene.load(&new, scene.start).await?;
    }
    Ok(Finding::Kept)
}

/// Renewal, first phase: the pending proof opens the session beside the present one, and the store
/// tells the record after it. T-LIFE-1.
pub async fn law_07_pending_proof_works_beside_the_present<H: StoreHarness>(
    trial: &Trial<H>,
) -> Outcome {
    let scene = trial.scene().await;
    let (old, new) = renewed(&scene).await?;
    for key in [&old, &new] {
        scene.load(key, scene.start).await?;
        scene.apply(key, &patch().add("n", Number::Int(1)), scene.start).await?;
        check!(scene.store.touch(key, scene.after(MS), scene.start).await?, "touch found nothing");
    }
    check!(value(&scene.load(&old, scene.start).await?, "n") == Some("2"), "a write was lost");
    check!(scene.store.delete(&new, scene.start).await?, "the pending proof does not delete");
    scene.is_gone(&old, scene.start).await?;
    let (old, new) = renewed(&scene).await?;
    check!(scene.store.delete(&old, scene.start).await?, "the present proof does not delete");
    scene.is_gone(&new, scene.start).await?;
    Ok(Finding::Kept)
}

/// Second phase: the confirmed proof is the only one. Confirming again changes nothing.
pub async fn law_07_confirmed_proof_retires_the_present<H: StoreHarness>(
    trial: &Trial<H>,
) -> Outcome {
    let scene = trial.scene().await;
    let (old, new) = renewed(&scene).await?;
    let now = scene.after(MS);
    scene.apply(&new, &confirm(&new), now).await?;
    scene.is_gone(&old, now).await?;
    let record = scene.load(&new, now).await?;
    check!(record.proofs.pending.is_none(), "a proof is still pending");
    check!(record.renewed == now, "it was renewed {:?}", record.renewed);
    scene.apply(&new, &confirm(&new), scene.after(2 * MS)).await?;
    let record = scene.load(&new, now).await?;
    check!(record.renewed == now, "confirming again renewed it {:?}", record.renewed);
    Ok(Finding::Kept)
}

/// A change of privilege also ends what was pending.
pub async fn law_07_replacing_ends_what_is_pending<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let (old, pending) = renewed(&scene).await?;
    let new = with_other_proof(&old);
    scene.apply(&old, &replace(&new), scene.start).await?;
    scene.is_shut(&old, scene.start).await?;
    scene.is_shut(&pending, scene.start).await?;
    scene.load(&new, scene.start).await?;
    Ok(Finding::Kept)
}

/// A pending proof is not replaced within its minute, to the millisecond; afterwards it is, and the
/// session refuses it.
pub async fn law_07_pending_proof_keeps_its_minute<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    for (at, replaced) in [
        (MS, false),
        (PENDING_GRACE - MS, false),
        (PENDING_GRACE, true),
        (PENDING_GRACE + MS, true),
    ] {
        let (old, first) = renewed(&scene).await?;
        let second = with_other_proof(&old);
        let now = scene.after(at);
        let told = prepared(&scene, &old, &prepare(&second), now).await?;
        let (valid, refused) = if replaced { (&second, &first) } else { (&first, &second) };
        check!(
            told.proofs.pending.is_some_and(|pending| pending.proof == proof_of(valid)),
            "{at:?} later the store tells of the wrong pending proof"
        );
        scene.load(&old, now).await?;
        scene.load(valid, now).await?;
        scene.is_gone(refused, now).await?;
    }
    Ok(Finding::Kept)
}

/// Of many renewals at once one is prepared, and all are told which.
pub async fn law_07_of_parallel_renewals_one_is_prepared<H: StoreHarness>(
    trial: &Trial<H>,
) -> Outcome {
    let scene = trial.scene().await;
    for _ in 0..trial.rounds(ROUNDS / 8) {
        let old = scene.begin(&[]).await?;
        let mut tasks = JoinSet::new();
        for _ in 0..8 {
            let (scene, old) = (scene.clone(), old.clone());
            tasks.spawn(async move {
                let renewal = patch().change_proof(ProofChange::Prepare(proof()));
                prepared(&scene, &old, &renewal.set("x", json("1")), scene.start).await
            });
        }
        let prepared = scene.load_after(tasks, &old).await?;
        for told in prepared.1 {
            check!(told.proofs.pending == prepared.0.proofs.pending, "told of another proof");
        }
    }
    Ok(Finding::Kept)
}

impl<S: Store> Scene<S> {
    /// What the tasks were told, and the record when all have ended.
    async fn load_after(
        &self,
        tasks: JoinSet<Outcome<Record>>,
        key: &StoreKey,
    ) -> Outcome<(Record, Vec<Record>)> {
        let told = tasks.join_all().await.into_iter().collect::<Result<_, _>>()?;
        Ok((self.load(key, self.start).await?, told))
    }
}

/// A session with a pending proof: its key with the present one, and with the pending one.
async fn renewed<S: Store>(scene: &Scene<S>) -> Outcome<(StoreKey, StoreKey)> {
    let old = scene.begin(&[]).await?;
    let new = with_other_proof(&old);
    let told = prepared(scene, &old, &prepare(&new), scene.start).await?;
    check!(
        told.proofs.pending.is_some_and(|pending| pending.proof == proof_of(&new)),
        "the store does not tell of the pending proof"
    );
    Ok((old, new))
}

/// Applies a patch that prepares a proof; the store must tell the record after it.
async fn prepared<S: Store>(
    scene: &Scene<S>,
    key: &StoreKey,
    patch: &Patch,
    now: Timestamp,
) -> Outcome<Record> {
    match scene.store.apply(key, patch, now).await? {
        Applied::Done(Some(record)) => Ok(*record),
        other => Err(Violation::new(format!("after preparing a proof: {other:?}"))),
    }
}
