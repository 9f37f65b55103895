//! Law 3, many writers: what is acknowledged took effect exactly once.

use std::sync::Arc;

use tenure_core::id::CommitId;
use tenure_core::store::{Record, Store, StoreKey};
use tenure_core::value::{Json, Number};
use tokio::task::JoinSet;

use crate::store::future::yields;
use crate::store::scene::{MS, Scene, json, patch};
use crate::store::{Finding, Outcome, StoreHarness, Trial, Violation, check};

/// Writers on one session.
const WRITERS: u32 = 1_000;
/// Tasks that write at the same time.
const TASKS: usize = 32;

/// 1,000 writers on one session, each with keys of its own, increments, pushes and closures,
/// lose nothing and do nothing twice, though a third of them sends its commit again: X1.
pub async fn law_03_writers_lose_nothing<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let key = scene.begin(&[]).await?;
    let writers = trial.writers(WRITERS);
    write_all(&scene, &key, (0..writers).collect()).await?;
    nothing_is_lost(&scene.load(&key, scene.start).await?, writers)?;
    Ok(Finding::Kept)
}

/// Lets all these writers write, on several tasks at once.
pub(super) async fn write_all<S: Store>(
    scene: &Scene<S>,
    key: &StoreKey,
    writers: Vec<usize>,
) -> Outcome<()> {
    let mut tasks = JoinSet::new();
    let writers = Arc::new(writers);
    for task in 0..TASKS {
        let (scene, key, writers) = (scene.clone(), key.clone(), Arc::clone(&writers));
        tasks.spawn(async move {
            let mut before = None;
            for &writer in writers.iter().skip(task).step_by(TASKS) {
                before = Some(write(&scene, &key, writer, before).await?);
            }
            Ok::<_, Violation>(())
        });
    }
    for outcome in tasks.join_all().await {
        outcome?;
    }
    Ok(())
}

/// One writer; it lets the record forget the commit `before`.
async fn write<S: Store>(
    scene: &Scene<S>,
    key: &StoreKey,
    writer: usize,
    before: Option<CommitId>,
) -> Outcome<CommitId> {
    let now = scene.after(MS * u32::try_from(writer).unwrap_or(u32::MAX));
    let append = move |seen: Option<&Json>| {
        let mut list: Vec<usize> = seen.map_or(Ok(Vec::new()), Json::decode)?;
        list.push(writer);
        Ok(Some(Json::of(&list)?))
    };
    let mut patch = patch().settle(before.into_iter().collect());
    if writes(writer, 0) {
        patch = patch.set(format!("own {writer}"), json(&writer.to_string()));
    }
    if writes(writer, 1) {
        patch = patch.add("count", Number::Int(1));
    }
    if writes(writer, 2) {
        patch = patch.push("list", json(&writer.to_string()));
    }
    if writes(writer, 3) {
        patch = patch.update("updated", append);
    }
    if writer.is_multiple_of(2) {
        patch = patch.on(Arc::new(scene.load(key, now).await?));
        // A request works on what it has seen, and meanwhile others commit.
        yields(writer % 8).await;
    }
    for _ in 0..=usize::from(writer.is_multiple_of(3)) {
        scene.apply(key, &patch, now).await?;
    }
    Ok(patch.id())
}

/// Whether a writer makes this of the four changes; every fifth makes all.
fn writes(writer: usize, change: usize) -> bool {
    writer % 5 == change || writer % 5 == 4
}

/// Whether the record holds exactly what the writers below `writers` have written.
pub(super) fn nothing_is_lost(record: &Record, writers: usize) -> Outcome<()> {
    let by = |change| (0..writers).filter(move |writer| writes(*writer, change));
    for writer in by(0) {
        let own = record.data.get(&format!("own {writer}"));
        check!(own == Some(&writer.to_string()), "the key of writer {writer} is {own:?}");
    }
    let count = record.data.get("count").unwrap_or("0");
    check!(count == by(1).count().to_string(), "of {} increments {count} count", by(1).count());
    for (name, change) in [("list", 2), ("updated", 3)] {
        let text = record.data.get(name).unwrap_or("[]");
        let mut items: Vec<usize> = json(text).decode()?;
        items.sort_unstable();
        let expected: Vec<_> = by(change).collect();
        check!(items == expected, "{name} has {} of {} items", items.len(), expected.len());
    }
    let known = ["count", "list", "updated"].into_iter().filter(|k| record.data.get(k).is_some());
    let keys = by(0).count() + known.count();
    check!(record.data.len() == keys, "{} keys instead of {keys}", record.data.len());
    Ok(())
}
