//! Law 11: an operation that is dropped leaves the record wholly old or wholly new.

use std::sync::Arc;

use tenure_core::store::{Patch, ProofChange, Record, Store, StoreKey, UserIndex};
use tenure_core::value::Number;

use crate::store::future::polled;
use crate::store::scene::{ABSOLUTE, IDLE, MS, Scene, commit, json, patch, user, value};
use crate::store::{Finding, Outcome, StoreHarness, Trial, Violation, check};

/// An operation that has not ended after so many polls does not end.
const POLLS: usize = 10_000;

/// `create`, dropped at every await point, has filed the session or has not, and can be repeated.
pub async fn law_11_dropped_create_settles<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    for polls in 0..POLLS {
        let key = scene.key();
        let record = scene.record(&key, &[("a", "1"), ("b", "2")]);
        let ended = polled(polls, scene.store.create(&key, &record, scene.start)).await;
        if let Some(found) = scene.store.load(&key, scene.start).await? {
            check!(found.data == record.data, "after {polls} polls: {found:?}");
        }
        scene.file(&key, &record).await?;
        let found = scene.load(&key, scene.start).await?;
        check!(found.data == record.data, "after {polls} polls and a repeat: {found:?}");
        if ended.is_some() {
            return Ok(Finding::Kept);
        }
    }
    Err(endless("create"))
}

/// `apply`, dropped at every await point, took effect wholly or not at all, and its repeat makes it
/// once: its data, its user, its timeout and its deadline.
pub async fn law_11_dropped_apply_settles<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    for with_base in [false, true] {
        every_drop(&scene, "apply", async |key, polls| {
            let mut patch = patch()
                .set("a", json("\"new\""))
                .add("n", Number::Int(1))
                .push("l", json("1"))
                .update("u", |seen| Ok(Some(json(if seen.is_some() { "2" } else { "1" }))))
                .bind(Some(user("ada")), scene.start)
                .set_idle_timeout(IDLE / 2)
                .extend(scene.after(IDLE));
            if with_base {
                patch = patch.on(Arc::new(scene.load(key, scene.start).await?));
            }
            let ended =
                polled(polls, scene.store.apply(key, &patch, scene.start)).await.transpose()?;
            let between = scene.load(key, scene.start).await?;
            is_old_or_new(&between)?;
            scene.apply(key, &patch, scene.start).await?;
            scene.apply(key, &patch, scene.after(MS)).await?;
            let after = scene.load(key, scene.start).await?;
            check!(is_old_or_new(&after)?, "a repeat took no effect: {after:?}");
            Ok(ended.is_some())
        })
        .await?;
    }
    Ok(Finding::Kept)
}

/// A rotation that is dropped at every await point leaves one secret that works, and its repeat
/// leaves the new one.
pub async fn law_11_dropped_rotation_settles<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    every_drop(&scene, "a rotation", async |key, polls| {
        let next = crate::store::scene::with_other_proof(key);
        let change = ProofChange::Replace(*next.proof().expect("it has one"));
        let rotation = Patch::new(commit()).change_proof(change).add("n", Number::Int(1));
        let ended =
            polled(polls, scene.store.apply(key, &rotation, scene.start)).await.transpose()?;
        let old = scene.store.load(key, scene.start).await?.is_some();
        let new = scene.store.load(&next, scene.start).await?.is_some();
        check!(new || old, "no secret works after {polls} polls");
        check!(!old || scene.is_rotated_or_not(key, &next).await?, "both secrets work");
        scene.apply(key, &rotation, scene.start).await?;
        let record = scene.load(&next, scene.start).await?;
        check!(value(&record, "n") == Some("2"), "the repeat made it {record:?}");
        scene.is_shut(key, scene.start).await?;
        Ok(ended.is_some())
    })
    .await
}

/// `swap`, dropped at every await point, has put the new record or has not.
pub async fn law_11_dropped_swap_settles<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    every_drop(&scene, "swap", async |key, polls| {
        let seen = scene.load(key, scene.start).await?;
        let mut new = seen.clone();
        new.data = [("a", "\"new\""), ("l", "[1]"), ("n", "2"), ("u", "1")].into_iter().collect();
        new.user = Some(user("ada"));
        new.idle_timeout = IDLE / 2;
        new.idle_deadline = scene.after(IDLE / 2);
        let swap = scene.store.swap(key, &seen.revision, &new, scene.start);
        let ended = polled(polls, swap).await.transpose()?;
        is_old_or_new(&scene.load(key, scene.start).await?)?;
        Ok(ended.is_some())
    })
    .await
}

/// `touch`, dropped at every await point, leaves the data alone and the session alive.
pub async fn law_11_dropped_touch_settles<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    every_drop(&scene, "touch", async |key, polls| {
        let now = scene.after(MS);
        let before = scene.load(key, now).await?;
        let ended = polled(polls, scene.store.touch(key, now + IDLE, now)).await.transpose()?;
        let after = scene.load(key, now).await?;
        check!(after.data == before.data, "a dropped touch changed {after:?}");
        check!(
            [scene.after(IDLE), now + IDLE].contains(&after.idle_deadline),
            "the deadline is {:?}",
            after.idle_deadline
        );
        check!(scene.store.touch(key, now + IDLE, now).await?, "touch found nothing");
        Ok(ended.is_some())
    })
    .await
}

/// `load`, dropped at every await point, changes nothing.
pub async fn law_11_dropped_load_settles<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    every_drop(&scene, "load", async |key, polls| {
        let before = scene.load(key, scene.start).await?;
        let ended = polled(polls, scene.store.load(key, scene.start)).await.transpose()?;
        check!(scene.load(key, scene.start).await? == before, "a dropped load changed the record");
        Ok(ended.is_some())
    })
    .await
}

/// `delete`, dropped at every await point, has deleted or has not, and its repeat is final.
pub async fn law_11_dropped_delete_settles<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    every_drop(&scene, "delete", async |key, polls| {
        let ended = polled(polls, scene.store.delete(key, scene.start)).await.transpose()?;
        if let Some(found) = scene.store.load(key, scene.start).await? {
            check!(!is_old_or_new(&found)?, "a dropped delete changed {found:?}");
        }
        scene.store.delete(key, scene.start).await?;
        scene.is_gone(key, scene.start).await?;
        Ok(ended.is_some())
    })
    .await
}

/// `sweep`, dropped at every await point, ends no session that lives and can be repeated.
pub async fn law_11_dropped_sweep_settles<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let _turn = super::law_09::TURN.lock().await;
    let scene = trial.scene().await;
    every_drop(&scene, "sweep", async |key, polls| {
        let dead = scene.key();
        let mut record = scene.record(&dead, &[]);
        record.idle_deadline = scene.after(MS);
        record.absolute_deadline = scene.after(ABSOLUTE);
        scene.file(&dead, &record).await?;
        let ended = polled(polls, scene.store.sweep(1_000, scene.after(MS))).await.transpose()?;
        scene.load(key, scene.start).await?;
        while scene.store.sweep(1_000, scene.after(MS)).await? > 0 {}
        scene.is_gone(&dead, scene.after(MS)).await?;
        scene.load(key, scene.start).await?;
        Ok(ended.is_some())
    })
    .await
}

/// Listing and revoking, dropped at every await point, can be repeated and end nobody else's
/// session.
pub async fn law_11_dropped_revocation_settles<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let Some(users) = scene.store.users() else {
        return Ok(Finding::NotOffered("an index of users"));
    };
    let ada = user("ada");
    every_drop(&scene, "revoke", async |key, polls| {
        let mut keys = Vec::new();
        for _ in 0..3 {
            let key = scene.begin(&[]).await?;
            let login = patch().bind(Some(ada.clone()), scene.start);
            scene.apply(&key, &login, scene.start).await?;
            keys.push(key);
        }
        let list = users.list(&scene.namespace, &ada, scene.start);
        let listed = polled(polls, list).await.transpose()?;
        check!(listed.as_ref().is_none_or(|l| l.len() == 3), "it lists {listed:?}");
        let revoke = users.revoke(&scene.namespace, &ada, None, scene.start);
        let ended = polled(polls, revoke).await.transpose()?;
        users.revoke(&scene.namespace, &ada, None, scene.start).await?;
        for key in &keys {
            scene.is_gone(key, scene.start).await?;
        }
        check!(scene.listed(&ada, scene.start).await?.is_empty(), "one is still listed");
        scene.load(key, scene.start).await?;
        Ok(ended.is_some() && listed.is_some())
    })
    .await
}

/// Runs `attempt` on a fresh session with one poll more each time, until it says that the operation
/// ended.
async fn every_drop<S: Store>(
    scene: &Scene<S>,
    operation: &str,
    attempt: impl AsyncFn(&StoreKey, usize) -> Outcome<bool>,
) -> Outcome {
    for polls in 0..POLLS {
        let key = scene.begin(&[("a", "\"old\""), ("n", "1")]).await?;
        if attempt(&key, polls).await? {
            return Ok(Finding::Kept);
        }
        scene.store.delete(&key, scene.start).await?;
    }
    Err(endless(operation))
}

/// Whether the record is new; an error if it is a mixture.
fn is_old_or_new(record: &Record) -> Outcome<bool> {
    let data: Vec<_> = record.data.iter().collect();
    let (user, timeout) = (record.user.is_some(), record.idle_timeout);
    if data == [("a", "\"old\""), ("n", "1")] && !user && timeout == IDLE {
        return Ok(false);
    }
    let new = [("a", "\"new\""), ("l", "[1]"), ("n", "2"), ("u", "1")];
    check!(data == new && user && timeout == IDLE / 2, "a mixture of old and new: {record:?}");
    Ok(true)
}

impl<S: Store> Scene<S> {
    /// Whether at most one of both keys opens the session by now. A drop may settle between two
    /// looks, but a secret that was retired does not come back.
    async fn is_rotated_or_not(&self, old: &StoreKey, new: &StoreKey) -> Outcome<bool> {
        let new = self.store.load(new, self.start).await?.is_some();
        let old = self.store.load(old, self.start).await?.is_some();
        Ok(!(old && new))
    }
}

fn endless(operation: &str) -> Violation {
    Violation::new(format!("{operation} did not end within {POLLS} polls"))
}
