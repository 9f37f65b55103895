//! Law 10: the sessions of a user can be found and ended, and so can everybody's.

use std::sync::Arc;

use tenure_core::store::{Applied, Epoch, Patch, ProofChange, Store, StoreKey, Swap, UserIndex};
use tenure_core::{Handle, UserId};
use tokio::task::JoinSet;

use crate::store::harness::scaled;
use crate::store::scene::{IDLE, MS, Scene, json, patch, user, with_other_proof, without_proof};
use crate::store::{Finding, Outcome, StoreHarness, Trial, Violation, check};

const NO_INDEX: Outcome = Ok(Finding::NotOffered("an index of users"));
const NO_EPOCH: Outcome = Ok(Finding::NotOffered("an epoch"));
/// Requests in flight while a user is revoked.
const IN_FLIGHT: u32 = 1_000;

/// A session is listed under its user from the login on, whether it began with the user or was
/// bound to them: X6, T-LIST-1.
pub async fn law_10_sessions_of_a_user_are_listed<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let Some(users) = scene.store.users() else { return NO_INDEX };
    let ada = user("ada");
    let began = of(&scene, &ada).await?;
    let bound = scene.begin(&[("n", "1")]).await?;
    let rotated = with_other_proof(&bound);
    let login = patch()
        .bind(Some(ada.clone()), scene.start)
        .change_proof(ProofChange::Replace(*rotated.proof().expect("it has one")));
    scene.apply(&bound, &login, scene.start).await?;
    of(&scene, &user("eve")).await?;
    scene.begin(&[]).await?;
    lists(&scene, &ada, &[&began, &bound]).await?;
    for found in users.list(&scene.namespace, &ada, scene.start).await? {
        check!(found.key.proof().is_none(), "a listed key has a proof");
        check!(found.record.user == Some(ada.clone()), "it lists {:?}", found.record);
        scene.is_shut(&found.key, scene.start).await?;
        let own = if found.key.same_session(&began) { &began } else { &rotated };
        let record = scene.load(own, scene.start).await?;
        check!(found.record == record, "listed as {:?}, and is {record:?}", found.record);
        check!(scene.store.delete(&found.key, scene.start).await?, "a listed key deletes nothing");
        scene.is_gone(own, scene.start).await?;
    }
    lists(&scene, &ada, &[]).await?;
    Ok(Finding::Kept)
}

/// What has been deleted, has expired, or has become somebody else's or nobody's is not listed.
pub async fn law_10_what_is_listed_is_checked<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    if scene.store.users().is_none() {
        return NO_INDEX;
    }
    let (ada, eve) = (user("ada"), user("eve"));
    let deleted = of(&scene, &ada).await?;
    check!(scene.store.delete(&deleted, scene.start).await?, "delete found nothing");
    let moved = of(&scene, &ada).await?;
    scene.apply(&moved, &patch().bind(Some(eve.clone()), scene.start), scene.start).await?;
    let nobodys = of(&scene, &ada).await?;
    scene.apply(&nobodys, &patch().bind(None, scene.start), scene.start).await?;
    let swapped = of(&scene, &ada).await?;
    let mut record = scene.load(&swapped, scene.start).await?;
    record.user = Some(eve.clone());
    scene.swap(&swapped, &record.revision, &record, scene.start).await?;
    let stays = of(&scene, &ada).await?;
    lists(&scene, &ada, &[&stays]).await?;
    lists(&scene, &eve, &[&moved, &swapped]).await?;
    scene.apply(&nobodys, &patch().bind(Some(ada.clone()), scene.start), scene.start).await?;
    lists(&scene, &ada, &[&stays, &nobodys]).await?;
    check!(scene.listed(&ada, scene.after(IDLE)).await?.is_empty(), "an expired one is listed");
    Ok(Finding::Kept)
}

/// Users whose ids differ by case, space or Unicode form are different people.
pub async fn law_10_users_are_told_apart<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let Some(users) = scene.store.users() else { return NO_INDEX };
    let long = "u".repeat(UserId::MAX_LEN);
    let names = [
        "ada",
        "Ada",
        "ada ",
        " ada",
        "a",
        "é",
        "e\u{301}",
        "\u{1f980}",
        "ada\0",
        "a*",
        "a%",
        "a_",
        "a:b",
        "{a}",
        "'",
        "\"",
        "\\",
        "0",
        "00",
        &long,
    ];
    let mut keys = Vec::new();
    for name in names {
        keys.push(of(&scene, &user(name)).await?);
    }
    for (name, key) in names.iter().zip(&keys) {
        lists(&scene, &user(name), &[key]).await?;
    }
    for at in 0..names.len() {
        let revoked = users.revoke(&scene.namespace, &user(names[at]), None, scene.start).await?;
        check!(revoked == 1, "revoking {:?} ended {revoked}", names[at]);
        scene.is_gone(&keys[at], scene.start).await?;
        for key in &keys[at + 1..] {
            scene.load(key, scene.start).await?;
        }
    }
    Ok(Finding::Kept)
}

/// Revoking a user ends all sessions of theirs and of nobody else; who logs in again lives. X6.
pub async fn law_10_revoking_a_user_ends_all<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let Some(users) = scene.store.users() else { return NO_INDEX };
    let (ada, eve) = (user("ada"), user("eve"));
    for round in 0..3 {
        let mut keys = Vec::new();
        for _ in 0..5 {
            keys.push(of(&scene, &ada).await?);
        }
        let bound = scene.begin(&[]).await?;
        scene.apply(&bound, &patch().bind(Some(ada.clone()), scene.start), scene.start).await?;
        keys.push(bound);
        let others = [of(&scene, &eve).await?, scene.begin(&[]).await?];
        let revoked = users.revoke(&scene.namespace, &ada, None, scene.start).await?;
        check!(revoked == 6, "round {round}: of 6 sessions {revoked} were revoked");
        for key in &keys {
            scene.is_gone(key, scene.start).await?;
        }
        lists(&scene, &ada, &[]).await?;
        for key in &others {
            scene.load(key, scene.start).await?;
        }
        // Of somebody else until now, so it has not seen the revocation.
        let login = patch().bind(Some(ada.clone()), scene.start);
        scene.apply(&others[1], &login, scene.start).await?;
        scene.load(&others[1], scene.start).await?;
        lists(&scene, &ada, &[&others[1]]).await?;
        check!(scene.store.delete(&others[1], scene.start).await?, "delete found nothing");
    }
    let nobody = users.revoke(&scene.namespace, &user("nobody"), None, scene.start).await?;
    check!(nobody == 0, "of nobody's sessions {nobody} were revoked");
    Ok(Finding::Kept)
}

/// Revoking the others spares the one that is kept, whatever proof its key has: X6.
pub async fn law_10_revoking_others_keeps_one<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let Some(users) = scene.store.users() else { return NO_INDEX };
    let ada = user("ada");
    for with_proof in [true, false] {
        let keys = [of(&scene, &ada).await?, of(&scene, &ada).await?, of(&scene, &ada).await?];
        let keep = if with_proof { keys[1].clone() } else { without_proof(&keys[1]) };
        let revoked = users.revoke(&scene.namespace, &ada, Some(&keep), scene.start).await?;
        check!(revoked == 2, "of 2 others {revoked} were revoked");
        scene.is_gone(&keys[0], scene.start).await?;
        scene.is_gone(&keys[2], scene.start).await?;
        scene.load(&keys[1], scene.start).await?;
        scene.apply(&keys[1], &patch().set("n", json("1")), scene.start).await?;
        lists(&scene, &ada, &[&keys[1]]).await?;
        check!(scene.store.delete(&keys[1], scene.start).await?, "delete found nothing");
    }
    Ok(Finding::Kept)
}

/// What was in flight when the user was revoked brings no session back: T-OUT-3.
pub async fn law_10_revoked_under_requests_in_flight<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    if scene.store.users().is_none() {
        return NO_INDEX;
    }
    let ada = user("ada");
    let mut keys = Vec::new();
    for _ in 0..10 {
        keys.push(of(&scene, &ada).await?);
    }
    let mut tasks = JoinSet::new();
    for number in 0..scaled(IN_FLIGHT) {
        let (scene, key) = (scene.clone(), keys[number % keys.len()].clone());
        tasks.spawn(async move {
            let Some(seen) = scene.store.load(&key, scene.start).await? else { return Ok(()) };
            if number % 3 == 0 {
                scene.store.swap(&key, &seen.revision, &seen, scene.start).await?;
            } else {
                let patch = patch().set("late", json("1")).on(Arc::new(seen));
                scene.store.apply(&key, &patch, scene.start).await?;
            }
            Ok::<_, Violation>(())
        });
    }
    tokio::task::yield_now().await;
    if let Some(users) = scene.store.users() {
        users.revoke(&scene.namespace, &ada, None, scene.start).await?;
    }
    for key in &keys {
        let found = scene.store.load(key, scene.start).await?;
        check!(found.is_none(), "a revoked session is there: {found:?}");
    }
    for outcome in tasks.join_all().await {
        outcome?;
    }
    for key in &keys {
        scene.is_gone(key, scene.start).await?;
    }
    lists(&scene, &ada, &[]).await?;
    Ok(Finding::Kept)
}

/// Logins of several users on the same sessions at once leave each session with the user that its
/// record names, and listed there alone.
pub async fn law_10_index_agrees_with_the_records<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    if scene.store.users().is_none() {
        return NO_INDEX;
    }
    let people = ["ada", "eve", "bob"].map(user);
    let mut keys = Vec::new();
    let mut tasks = JoinSet::new();
    for _ in 0..trial.rounds(20) {
        let key = scene.begin(&[]).await?;
        for person in people.iter().cloned().map(Some).chain([None]) {
            let (scene, key) = (scene.clone(), key.clone());
            tasks.spawn(async move {
                let bind: Patch = patch().bind(person, scene.start);
                scene.apply(&key, &bind, scene.start).await
            });
        }
        keys.push(key);
    }
    for outcome in tasks.join_all().await {
        outcome?;
    }
    for person in &people {
        let mut theirs = Vec::new();
        for key in &keys {
            if scene.load(key, scene.start).await?.user.as_ref() == Some(person) {
                theirs.push(key);
            }
        }
        lists(&scene, person, &theirs).await?;
    }
    Ok(Finding::Kept)
}

/// Moving the epoch ends every session of the namespace, for every operation, and no later one:
/// X6, T-OUT-5.
pub async fn law_10_everybody_is_revoked<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let Some(epoch) = scene.store.epoch() else { return NO_EPOCH };
    for _ in 0..3 {
        let keys = [of(&scene, &user("ada")).await?, scene.begin(&[("n", "1")]).await?];
        let mut seen = Vec::new();
        for key in &keys {
            seen.push(scene.load(key, scene.start).await?);
        }
        epoch.revoke_everybody(&scene.namespace, scene.start).await?;
        for (key, seen) in keys.iter().zip(seen) {
            scene.is_shut(key, scene.start).await?;
            let swap = scene.store.swap(key, &seen.revision, &seen, scene.start).await?;
            check!(swap == Swap::Gone, "a swap in flight: {swap:?}");
            let patch = patch().set("n", json("2")).on(Arc::new(seen));
            let applied = scene.store.apply(key, &patch, scene.start).await?;
            check!(matches!(applied, Applied::Gone), "an apply in flight: {applied:?}");
        }
        check!(scene.listed(&user("ada"), scene.start).await?.is_empty(), "one is still listed");
        let key = of(&scene, &user("ada")).await?;
        let record = scene.load(&key, scene.start).await?;
        scene.apply(&key, &patch().set("n", json("2")), scene.after(MS)).await?;
        scene.swap_again(&key).await?;
        check!(record.user == Some(user("ada")), "the new session is {record:?}");
        check!(scene.store.delete(&key, scene.start).await?, "delete found nothing");
    }
    Ok(Finding::Kept)
}

impl<S: Store> Scene<S> {
    /// Swaps a record for itself: what the store stamped stays.
    async fn swap_again(&self, key: &StoreKey) -> Outcome<()> {
        let record = self.load(key, self.start).await?;
        self.swap(key, &record.revision, &record, self.start).await?;
        self.load(key, self.start).await?;
        Ok(())
    }
}

/// Files a session of `user`.
async fn of<S: Store>(scene: &Scene<S>, user: &UserId) -> Outcome<StoreKey> {
    let key = scene.key();
    let mut record = scene.record(&key, &[]);
    record.user = Some(user.clone());
    record.authenticated = Some(scene.start);
    scene.file(&key, &record).await?;
    Ok(key)
}

/// Whether exactly these sessions of `user` are listed.
async fn lists<S: Store>(scene: &Scene<S>, user: &UserId, keys: &[&StoreKey]) -> Outcome<()> {
    let mut expected: Vec<Handle> = keys.iter().filter_map(|key| key.handle()).collect();
    expected.sort_unstable();
    let listed = scene.listed(user, scene.start).await?;
    check!(listed == expected, "of {user} it lists {listed:?}, not {expected:?}");
    Ok(())
}
