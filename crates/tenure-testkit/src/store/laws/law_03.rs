//! Law 3: a patch takes effect wholly, and once.

use std::sync::Arc;
use std::time::Duration;

use tenure_core::store::{
    Applied, Patch, ProofChange, RETRY_HORIZON, Record, Store, StoreKey, Swap,
};
use tenure_core::value::{Json, Number};

use crate::store::scene::{
    ABSOLUTE, IDLE, MS, Scene, commit, json, patch, proof, user, value, with_other_proof,
};
use crate::store::{Finding, Outcome, StoreHarness, Trial, Violation, check};

/// A step that does not fit refuses the whole patch, its times, user and proof included, and its
/// id is still free.
pub async fn law_03_apply_is_all_or_nothing<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let key = scene.begin(&[("a", "1"), ("text", "\"t\""), ("z", "1")]).await?;
    let before = scene.load(&key, scene.start).await?;
    let now = scene.after(MS);
    let rest = |patch: Patch| {
        patch
            .set("a", json("2"))
            .remove("z")
            .set("new", json("3"))
            .bind(Some(user("ada")), now)
            .change_proof(ProofChange::Replace(proof()))
            .set_idle_timeout(IDLE / 2)
            .extend(now + IDLE)
    };
    let id = commit();
    for unfit in [
        Patch::new(id).add("text", Number::Int(1)),
        Patch::new(id).push("text", json("1")),
        Patch::new(id).update("text", |_| Ok(Some(Json::parse("[")?))),
        Patch::new(id).clear().set("text", json("\"t\"")).add("text", Number::Int(1)),
    ] {
        for patch in [unfit.clone(), unfit.on(Arc::new(before.clone()))] {
            match scene.store.apply(&key, &rest(patch), now).await? {
                Applied::Refused(refused) if &*refused.key == "text" => {}
                other => return Err(Violation::new(format!("an unfit step: {other:?}"))),
            }
            check!(scene.load(&key, now).await? == before, "a refused patch left something");
        }
    }
    scene.apply(&key, &Patch::new(id).set("a", json("2")), now).await?;
    let after = scene.load(&key, now).await?;
    check!(value(&after, "a") == Some("2"), "a refused patch used up its id");
    Ok(Finding::Kept)
}

/// Data, user, timeout, deadline and proof of one patch take effect together, and nothing else.
pub async fn law_03_apply_changes_what_it_says<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let key = scene.begin(&[("keep", "1"), ("n", "1"), ("gone", "1")]).await?;
    let before = scene.load(&key, scene.start).await?;
    let (now, until) = (scene.after(MS), scene.after(IDLE / 4));
    let next = with_other_proof(&key);
    let patch = patch()
        .set("new", json("[]"))
        .add("n", Number::Int(4))
        .remove("gone")
        .bind(Some(user("ada")), now)
        .set_idle_timeout(IDLE / 8)
        .set_absolute_deadline(now + ABSOLUTE * 2)
        .extend(until)
        .change_proof(ProofChange::Replace(*next.proof().expect("it has one")));
    scene.apply(&key, &patch, now).await?;
    let after = scene.load(&next, now).await?;
    let data = [("keep", "1"), ("n", "5"), ("new", "[]")].into_iter().collect();
    check!(after.data == data, "the data is {:?}", after.data);
    check!(after.user == Some(user("ada")), "the user is {:?}", after.user);
    check!(after.authenticated == Some(now), "authenticated {:?}", after.authenticated);
    check!(after.idle_timeout == IDLE / 8, "the idle timeout is {:?}", after.idle_timeout);
    check!(after.idle_deadline == now + IDLE / 8, "the deadline is {:?}", after.idle_deadline);
    check!(after.last_seen == now, "last seen {:?}", after.last_seen);
    check!(after.renewed == now, "the secret was renewed {:?}", after.renewed);
    check!(after.created == before.created, "it was created {:?}", after.created);
    check!(after.absolute_deadline == now + ABSOLUTE * 2, "ends {:?}", after.absolute_deadline);
    check!(after.client == before.client, "the client changed");
    check!(after.revision != before.revision, "the revision stayed");
    Ok(Finding::Kept)
}

/// Patches of different keys give the same in both orders, also when both saw the same record.
pub async fn law_03_different_keys_commute<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let one = || {
        patch().set("a", json("1")).add("n", Number::Int(2)).update("u", |_| Ok(Some(json("7"))))
    };
    let two = || patch().remove("b").push("l", json("{}")).update("v", |_| Ok(None));
    let mut results = Vec::new();
    for one_first in [true, false] {
        let key = scene.begin(&[("b", "0"), ("n", "3"), ("l", "[]"), ("v", "1")]).await?;
        let base = Arc::new(scene.load(&key, scene.start).await?);
        let (one, two) = (one().on(Arc::clone(&base)), two().on(base));
        let (first, second) = if one_first { (one, two) } else { (two, one) };
        scene.apply(&key, &first, scene.after(MS)).await?;
        scene.apply(&key, &second, scene.after(MS)).await?;
        results.push(scene.load(&key, scene.after(MS)).await?.data);
    }
    let expected = [("a", "1"), ("l", "[{}]"), ("n", "5"), ("u", "7")].into_iter().collect();
    for data in results {
        check!(data == expected, "the data is {data:?}");
    }
    Ok(Finding::Kept)
}

/// A repeat within the retry horizon takes no effect, however many commits lie between.
pub async fn law_03_commit_takes_effect_once<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let key = scene.begin(&[("n", "0")]).await?;
    let base = Arc::new(scene.load(&key, scene.start).await?);
    let first = patch().add("n", Number::Int(1)).push("l", json("1"));
    scene.apply(&key, &first, scene.start).await?;
    let between = RETRY_HORIZON - MS;
    let step = between / 64;
    for number in 1..64_u32 {
        let other = patch().add("n", Number::Int(1)).settle(vec![commit()]);
        scene.apply(&key, &other, scene.after(step * number)).await?;
    }
    for repeat in [first.clone(), first.on(base)] {
        scene.apply(&key, &repeat, scene.after(between)).await?;
        let record = scene.load(&key, scene.after(between)).await?;
        check!(value(&record, "n") == Some("64"), "a repeat was counted: {record:?}");
        check!(value(&record, "l") == Some("[1]"), "a repeat was appended: {record:?}");
    }
    Ok(Finding::Kept)
}

/// Forgetting the commits that a patch names as settled forgets no other.
pub async fn law_03_settling_forgets_nothing_else<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let key = scene.begin(&[]).await?;
    let [one, two, three] = [0, 1, 2].map(|_| patch().add("n", Number::Int(1)));
    scene.apply(&key, &one, scene.start).await?;
    scene.apply(&key, &two, scene.start).await?;
    let three = three.settle(vec![one.id()]);
    scene.apply(&key, &three, scene.start).await?;
    for repeat in [&two, &three] {
        scene.apply(&key, repeat, scene.after(MS)).await?;
    }
    let record = scene.load(&key, scene.after(MS)).await?;
    check!(value(&record, "n") == Some("3"), "an unsettled commit was forgotten: {record:?}");
    Ok(Finding::Kept)
}

/// A rotation that is repeated with the old proof, since its answer was lost, is done.
pub async fn law_03_repeated_rotation_is_done<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    for with_base in [false, true] {
        let key = scene.begin(&[("n", "1")]).await?;
        let next = with_other_proof(&key);
        let change = ProofChange::Replace(*next.proof().expect("it has one"));
        let mut rotation = patch().change_proof(change).add("n", Number::Int(1));
        if with_base {
            rotation = rotation.on(Arc::new(scene.load(&key, scene.start).await?));
        }
        scene.apply(&key, &rotation, scene.after(MS)).await?;
        scene.apply(&key, &rotation, scene.after(2 * MS)).await?;
        scene.apply(&next, &patch().set("other", json("1")), scene.after(3 * MS)).await?;
        scene.apply(&key, &rotation, scene.after(4 * MS)).await?;
        let record = scene.load(&next, scene.after(4 * MS)).await?;
        check!(value(&record, "n") == Some("2"), "a rotation was repeated: {record:?}");
        check!(value(&record, "other") == Some("1"), "a repeated rotation undid a commit");
        scene.is_shut(&key, scene.after(4 * MS)).await?;
    }
    Ok(Finding::Kept)
}

/// A repeat is recognised before anything else is asked: it is done even when by now its closure
/// or its steps would not fit.
pub async fn law_03_repeat_is_done_whatever_came_after<H: StoreHarness>(
    trial: &Trial<H>,
) -> Outcome {
    let scene = trial.scene().await;
    for with_base in [false, true] {
        for make in [
            patch().update("n", only_numbers),
            patch().add("n", Number::Int(1)),
            patch().push("n", json("1")),
        ] {
            let key = scene.begin(&[]).await?;
            let base = scene.load(&key, scene.start).await?;
            let commit = if with_base { make.on(Arc::new(base)) } else { make };
            scene.apply(&key, &commit, scene.start).await?;
            scene.apply(&key, &patch().set("n", json("\"text\"")), scene.after(MS)).await?;
            scene.apply(&key, &commit, scene.after(2 * MS)).await?;
            let record = scene.load(&key, scene.after(2 * MS)).await?;
            check!(value(&record, "n") == Some("\"text\""), "a repeat took effect: {record:?}");
        }
    }
    Ok(Finding::Kept)
}

/// A commit whose session was deleted after it is not acknowledged again, and revives nothing.
pub async fn law_03_repeat_after_delete_is_gone<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    for sees in [false, true] {
        let key = scene.begin(&[]).await?;
        let mut commit = patch().add("n", Number::Int(1));
        if sees {
            commit = commit.on(Arc::new(scene.load(&key, scene.start).await?));
        }
        scene.apply(&key, &commit, scene.start).await?;
        check!(scene.store.delete(&key, scene.start).await?, "delete found nothing");
        // To the letter what it wrote before, and a little later.
        for at in [scene.start, scene.after(MS)] {
            let applied = scene.store.apply(&key, &commit, at).await?;
            check!(matches!(applied, Applied::Gone), "a repeat after a delete: {applied:?}");
            scene.is_gone(&key, at).await?;
        }
    }
    Ok(Finding::Kept)
}

/// A closure runs again on the newest value when it saw an older one.
pub async fn law_03_update_runs_on_the_newest_value<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let key = scene.begin(&[("l", "[0]"), ("absent later", "1")]).await?;
    let base = Arc::new(scene.load(&key, scene.start).await?);
    for number in 1..=5 {
        let append = move |seen: Option<&Json>| {
            let mut list: Vec<u32> = seen.map_or(Ok(Vec::new()), |seen| seen.decode())?;
            list.push(number);
            Ok(Some(Json::of(&list)?))
        };
        let update = patch().update("l", append).on(Arc::clone(&base));
        scene.apply(&key, &update, scene.after(MS * number)).await?;
    }
    scene.apply(&key, &patch().remove("absent later"), scene.after(MS * 6)).await?;
    let seen = |value: Option<&Json>| {
        Ok(Some(json(if value.is_none() { "\"absent\"" } else { "\"present\"" })))
    };
    let update = patch().update("absent later", seen).on(base);
    scene.apply(&key, &update, scene.after(MS * 7)).await?;
    let record = scene.load(&key, scene.after(MS * 7)).await?;
    check!(value(&record, "l") == Some("[0,1,2,3,4,5]"), "an update was lost: {record:?}");
    check!(value(&record, "absent later") == Some("\"absent\""), "an update saw what is gone");
    Ok(Finding::Kept)
}

/// The record that a request saw never decides the outcome: the newest one does, also when by the
/// older one the session has expired or no step fits.
pub async fn law_03_seen_record_does_not_decide<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let text = "\"text\"";
    let key = scene.begin(&[("l", text), ("n", text), ("u", text)]).await?;
    let base = Arc::new(scene.load(&key, scene.start).await?);
    let half = scene.after(IDLE / 2);
    check!(scene.store.touch(&key, half + IDLE, half).await?, "touch found nothing");
    let now = scene.after(IDLE);
    let commit = || {
        let list = patch().push("l", json("2")).on(Arc::clone(&base));
        list.add("n", Number::Int(1)).update("u", only_numbers)
    };
    let applied = scene.store.apply(&key, &commit(), now).await?;
    check!(matches!(applied, Applied::Refused(_)), "no step fits: {applied:?}");
    scene.apply(&key, &patch().clear().set("n", json("1")), now).await?;
    scene.apply(&key, &commit(), now).await?;
    let record = scene.load(&key, now).await?;
    let data = [("l", "[2]"), ("n", "2"), ("u", "1")].into_iter().collect();
    check!(record.data == data, "the data is {:?}", record.data);
    check!(scene.store.delete(&key, now).await?, "delete found nothing");
    let applied = scene.store.apply(&key, &commit(), now).await?;
    check!(matches!(applied, Applied::Gone), "apply to a deleted session: {applied:?}");
    Ok(Finding::Kept)
}

/// Two that swap the same revision: one does, the other learns of the conflict.
pub async fn law_03_swap_needs_the_revision<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let key = scene.begin(&[("n", "1")]).await?;
    let seen = scene.load(&key, scene.start).await?;
    let with = |n: &str| {
        let mut new = seen.clone();
        new.data = [("n", n)].into_iter().collect();
        new
    };
    let revision = scene.swap(&key, &seen.revision, &with("2"), scene.start).await?;
    let late = scene.store.swap(&key, &seen.revision, &with("3"), scene.start).await?;
    check!(late == Swap::Conflict, "a swap of an old revision: {late:?}");
    let record = scene.load(&key, scene.start).await?;
    check!(value(&record, "n") == Some("2"), "a conflict wrote: {record:?}");
    check!(record.revision == revision, "swap told another revision than load");
    conflict_after(&scene, &key, &record).await?;
    Ok(Finding::Kept)
}

/// Every change of a record changes its revision: that of a touch and of an apply too.
async fn conflict_after<S: Store>(scene: &Scene<S>, key: &StoreKey, seen: &Record) -> Outcome<()> {
    let later = scene.after(Duration::from_secs(60));
    check!(scene.store.touch(key, later + IDLE, later).await?, "touch found nothing");
    let swap = scene.store.swap(key, &seen.revision, seen, later).await?;
    check!(swap == Swap::Conflict, "a swap over a touch: {swap:?}");
    let seen = scene.load(key, later).await?;
    scene.apply(key, &patch().set("m", json("1")), later).await?;
    let swap = scene.store.swap(key, &seen.revision, &seen, later).await?;
    check!(swap == Swap::Conflict, "a swap over an apply: {swap:?}");
    Ok(())
}

/// A closure that counts, and fits nothing else.
fn only_numbers(seen: Option<&Json>) -> Result<Option<Json>, tenure_core::Error> {
    let number: i64 = seen.map_or(Ok(0), Json::decode)?;
    Ok(Some(Json::of(&(number + 1))?))
}
