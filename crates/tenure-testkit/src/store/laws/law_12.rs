//! Law 12: two namespaces of one store never see each other.

use std::time::Duration;

use tenure_core::store::{Epoch, Inspect, Store, StoreKey, UserIndex};
use tenure_core::{Handle, Namespace};

use super::inspecting::NO_INSPECTION;
use crate::rng::fresh;
use crate::store::scene::{ABSOLUTE, MS, Scene, json, lasting, namespace, patch, user, value};
use crate::store::{Finding, Outcome, StoreHarness, Trial, check};

/// Namespaces that are alike to whoever glues, folds or matches names.
fn alike() -> Vec<Namespace> {
    let stem = namespace();
    ["", "a", "A", "a:", "a:b", "a*", "a%", "a_", "{a}", "a'", "a\"", "a\\", "a/../b", "$a.b"]
        .map(|end| format!("{}{end}", stem.as_str()))
        .into_iter()
        .map(|name| Namespace::new(name).expect("visible and short"))
        .collect()
}

/// The same handle and proof in two namespaces are two sessions: T-ISO-1.
pub async fn law_12_namespaces_do_not_share_sessions<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let (handle, secret) = (Handle::from_bytes(fresh()), crate::store::scene::proof());
    let scenes: Vec<_> = alike().into_iter().map(|name| scene.elsewhere(name)).collect();
    let key =
        |scene: &Scene<H::Store>| StoreKey::new(scene.namespace.clone(), handle).with_proof(secret);
    for scene in &scenes {
        let name = json(&format!("{:?}", scene.namespace.as_str()));
        scene.is_gone(&key(scene), scene.start).await?;
        scene.file(&key(scene), &scene.record(&key(scene), &[("name", name.as_str())])).await?;
    }
    for (at, scene) in scenes.iter().enumerate() {
        let here = key(scene);
        let name = format!("{:?}", scene.namespace.as_str());
        let record = scene.load(&here, scene.start).await?;
        check!(value(&record, "name") == Some(&name), "{name} sees {record:?}");
        check!(record.data.len() == 1, "{name} was written by another: {record:?}");
        scene.apply(&here, &patch().set("own", json("1")), scene.start).await?;
        check!(scene.store.delete(&here, scene.start).await?, "delete found nothing");
        scene.is_gone(&here, scene.start).await?;
        if let Some(next) = scenes.get(at + 1) {
            next.load(&key(next), next.start).await?;
        }
    }
    Ok(Finding::Kept)
}

/// Nor do ids that look like the end of one name and the beginning of another.
pub async fn law_12_names_and_ids_do_not_run_together<H: StoreHarness>(
    trial: &Trial<H>,
) -> Outcome {
    let scene = trial.scene().await;
    let stem = namespace();
    let split = |name: &str, id: &str| {
        let name = Namespace::new(format!("{}{name}", stem.as_str())).expect("visible and short");
        StoreKey::foreign(name, id)
    };
    let keys = [split("", "ab:c"), split("a", "b:c"), split("ab", ":c"), split("ab:", "c")];
    for (number, key) in keys.iter().enumerate() {
        scene.file(key, &scene.record(key, &[("n", &number.to_string())])).await?;
    }
    let octets: [u8; Handle::LEN] = *b"handle bytes";
    let handle = StoreKey::new(stem.clone(), Handle::from_bytes(octets));
    let foreign = StoreKey::foreign(stem.clone(), "handle bytes");
    let proven = handle.with_proof(crate::store::scene::proof());
    scene.file(&proven, &scene.record(&proven, &[("n", "\"handle\"")])).await?;
    scene.file(&foreign, &scene.record(&foreign, &[("n", "\"foreign\"")])).await?;
    for (number, key) in keys.iter().enumerate() {
        let record = scene.load(key, scene.start).await?;
        check!(value(&record, "n") == Some(&number.to_string()), "{number} is {record:?}");
    }
    let record = scene.load(&proven, scene.start).await?;
    check!(value(&record, "n") == Some("\"handle\""), "the handle is {record:?}");
    let record = scene.load(&foreign, scene.start).await?;
    check!(value(&record, "n") == Some("\"foreign\""), "the id is {record:?}");
    Ok(Finding::Kept)
}

/// Users of the same name in two namespaces are two users.
pub async fn law_12_namespaces_do_not_share_users<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let Some(users) = scene.store.users() else {
        return Ok(Finding::NotOffered("an index of users"));
    };
    let ada = user("ada");
    let mut sessions = Vec::new();
    for name in alike() {
        let scene = scene.elsewhere(name);
        let key = begin_as_ada(&scene).await?;
        sessions.push((scene, key));
    }
    for (at, (scene, key)) in sessions.iter().enumerate() {
        let listed = users.list(&scene.namespace, &ada, scene.start).await?;
        check!(
            listed.len() == 1 && listed[0].key.same_session(key),
            "in {:?} it lists {listed:?}",
            scene.namespace
        );
        users.revoke(&scene.namespace, &ada, None, scene.start).await?;
        scene.is_gone(key, scene.start).await?;
        for (scene, key) in &sessions[at + 1..] {
            scene.load(key, scene.start).await?;
        }
    }
    Ok(Finding::Kept)
}

/// Revoking everybody of one namespace ends nobody's session in another.
pub async fn law_12_namespaces_do_not_share_epochs<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let Some(epoch) = scene.store.epoch() else {
        return Ok(Finding::NotOffered("an epoch"));
    };
    let mut sessions = Vec::new();
    for name in alike() {
        let scene = scene.elsewhere(name);
        let key = begin_as_ada(&scene).await?;
        sessions.push((scene, key));
    }
    for (at, (scene, key)) in sessions.iter().enumerate() {
        epoch.revoke_everybody(&scene.namespace, scene.start).await?;
        scene.is_shut(key, scene.start).await?;
        for (scene, key) in &sessions[at + 1..] {
            scene.load(key, scene.start).await?;
        }
    }
    Ok(Finding::Kept)
}

/// Nothing is shown of another namespace's session, whoever has its handle.
pub async fn law_12_inspection_keeps_to_its_namespace<H: StoreHarness>(
    trial: &Trial<H>,
) -> Outcome {
    let scene = trial.scene().await;
    let Some(inspect) = scene.store.inspect() else { return NO_INSPECTION };
    let handle = Handle::from_bytes(fresh());
    let [here, elsewhere @ ..] = &alike()[..] else { unreachable!("there are fourteen") };
    let key = StoreKey::new(here.clone(), handle).with_proof(crate::store::scene::proof());
    scene.file(&key, &scene.record(&key, &[])).await?;
    for namespace in elsewhere {
        let shown = inspect.record(&StoreKey::new(namespace.clone(), handle), scene.start).await?;
        check!(shown.is_none(), "in {namespace:?} it shows {shown:?}");
    }
    check!(inspect.record(&key, scene.start).await?.is_some(), "it shows nothing");
    Ok(Finding::Kept)
}

/// A sweep that one namespace asks for ends no session that lives in another.
pub async fn law_12_sweeping_spares_the_living_elsewhere<H: StoreHarness>(
    trial: &Trial<H>,
) -> Outcome {
    let _turn = super::law_09::TURN.lock().await;
    let scene = trial.scene().await;
    let other = scene.elsewhere(namespace());
    let second = Duration::from_secs(1);
    let short = scene.key();
    let record = lasting(scene.record(&short, &[]), second, ABSOLUTE);
    scene.file(&short, &record).await?;
    let long = begin_as_ada(&other).await?;
    scene.store.sweep(u32::MAX, scene.after(second)).await?;
    scene.is_gone(&short, scene.after(second)).await?;
    other.load(&long, other.after(second)).await?;
    other.apply(&long, &patch().set("n", json("1")), other.after(second + MS)).await?;
    Ok(Finding::Kept)
}

async fn begin_as_ada<S: Store>(scene: &Scene<S>) -> Outcome<StoreKey> {
    let key = scene.key();
    let mut record = scene.record(&key, &[]);
    record.user = Some(user("ada"));
    scene.file(&key, &record).await?;
    Ok(key)
}
