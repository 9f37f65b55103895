//! K20: a near cache before the files, checked by what the file system tells of them.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use tenure_core::store::{Epoch, NearCache, Store, StoreKey, UserIndex, Validate};
use tenure_file::{FileOptions, FileStore};
use tenure_testkit::{Operation, Recorder};

use crate::support::{
    NOW, ONE, Sessions, applied, foreign, foreign_record, json, key, namespace, of_user, patch,
    record, user,
};

/// Longer than a change is too young to be trusted, on a file system that dates by more than whole
/// seconds.
const AGED: Duration = Duration::from_millis(150);

/// A cache of one process, and the store as another process has it.
struct Scene {
    folder: Sessions,
    cache: NearCache<Recorder<FileStore>>,
    calls: Recorder<FileStore>,
    there: FileStore,
}

impl Scene {
    async fn new() -> Self {
        let folder = Sessions::new();
        let calls = Recorder::new(folder.store().await);
        // Faster than the clock ticks.
        let options = FileOptions::new().relaxed_durability();
        let there = options.open(folder.path()).await.unwrap();
        Self { folder, cache: NearCache::new(calls.clone()), calls, there }
    }

    /// Reads until the session is in memory, and forgets the calls until then.
    async fn warm(&self, key: &StoreKey) {
        let begun = Instant::now();
        loop {
            self.calls.clear();
            assert!(self.cache.load(key, NOW).await.unwrap().is_some());
            if self.loads() == 0 {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(10), "it is never served from memory");
            tokio::time::sleep(AGED / 5).await;
        }
    }

    fn loads(&self) -> usize {
        self.calls.operations().iter().filter(|call| **call == Operation::Load).count()
    }

    async fn seen(&self, key: &StoreKey) -> Option<String> {
        let record = self.cache.load(key, NOW).await.unwrap()?;
        Some(record.data.get("n").unwrap_or("-").to_owned())
    }
}

#[tokio::test]
async fn k20_a_warm_read_opens_no_file_and_needs_no_watcher() {
    let scene = Scene::new().await;
    assert!(scene.cache.is_on());
    scene.there.create(&key(1), &record(), NOW).await.unwrap();
    scene.there.create(&foreign("theirs"), &foreign_record(), NOW).await.unwrap();
    for key in [key(1), foreign("theirs")] {
        scene.warm(&key).await;
        for _ in 0..5 {
            assert_eq!(scene.seen(&key).await.unwrap(), "-");
        }
        assert_eq!(scene.loads(), 0);
    }
    // The task of a watcher has nothing to do, and does no harm.
    scene.cache.watcher().run().await;
    assert!(scene.cache.is_on());
}

#[tokio::test]
async fn k20_what_others_do_is_seen_by_the_next_read() {
    let scene = Scene::new().await;
    scene.there.create(&key(1), &of_user("ada"), NOW).await.unwrap();
    scene.warm(&key(1)).await;
    applied(&scene.there, &key(1), patch().add("n", ONE)).await;
    assert_eq!(scene.seen(&key(1)).await.unwrap(), "1");
    scene.warm(&key(1)).await;
    let later = NOW + AGED;
    assert!(scene.there.touch(&key(1), later + AGED * 18_000, later).await.unwrap());
    assert_eq!(scene.cache.load(&key(1), NOW).await.unwrap().unwrap().last_seen, later);
    scene.warm(&key(1)).await;
    assert!(scene.there.delete(&key(1), NOW).await.unwrap());
    assert_eq!(scene.seen(&key(1)).await, None);
}

#[tokio::test]
async fn k20_moved_epochs_are_seen_by_the_next_read() {
    let scene = Scene::new().await;
    // The first creates the folder of epochs, the second finds it there.
    for _ in 0..2 {
        scene.there.create(&key(1), &of_user("ada"), NOW).await.unwrap();
        scene.warm(&key(1)).await;
        scene.there.revoke_everybody(&namespace(), NOW).await.unwrap();
        assert_eq!(scene.seen(&key(1)).await, None);
    }
    scene.there.create(&key(2), &of_user("ada"), NOW).await.unwrap();
    scene.warm(&key(2)).await;
    assert_eq!(scene.there.revoke(&namespace(), &user("ada"), None, NOW).await.unwrap(), 1);
    assert_eq!(scene.seen(&key(2)).await, None);
}

#[tokio::test]
async fn k20_a_write_is_read_by_its_own_process_at_once() {
    let scene = Scene::new().await;
    scene.cache.create(&key(1), &record(), NOW).await.unwrap();
    scene.warm(&key(1)).await;
    for n in 1..=50 {
        scene.cache.apply(&key(1), &patch().set("n", json(&n.to_string())), NOW).await.unwrap();
        assert_eq!(scene.seen(&key(1)).await.unwrap(), n.to_string());
    }
}

/// Changes that follow each other within one tick of the kernel's clock may have the same times,
/// and the number of a file that is gone may come back: of the same size, they may look alike.
#[tokio::test]
async fn k20_changes_within_a_tick_are_not_taken_for_each_other() {
    let scene = Scene::new().await;
    scene.there.create(&key(1), &record(), NOW).await.unwrap();
    for n in 100..400 {
        applied(&scene.there, &key(1), patch().set("n", json(&n.to_string()))).await;
        assert_eq!(scene.seen(&key(1)).await.unwrap(), n.to_string());
    }
}

/// So a file that was changed a moment ago has no stamp.
#[tokio::test]
async fn k20_a_change_of_a_moment_ago_is_not_trusted() {
    let scene = Scene::new().await;
    scene.there.create(&key(1), &record(), NOW).await.unwrap();
    let mut young = 0;
    for _ in 0..200 {
        applied(&scene.there, &key(1), patch().add("n", ONE)).await;
        let file = scene.folder.file(1);
        let stamp = scene.there.stamp(&key(1)).await.unwrap();
        // On a machine that is busy it may have aged before it was asked for.
        if age(&file) < Duration::from_millis(90) {
            assert_eq!(stamp, None);
            young += 1;
        }
    }
    assert!(young > 0, "the machine is too slow for this test");
    assert_eq!(scene.there.stamp(&key(9)).await.unwrap(), None, "there is no such session");
    tokio::time::sleep(Duration::from_millis(2_200)).await;
    let stamp = scene.there.stamp(&key(1)).await.unwrap();
    assert!(stamp.is_some());
    assert_eq!(scene.there.stamp(&key(1)).await.unwrap(), stamp);
}

fn age(file: &std::path::Path) -> Duration {
    let changed = fs::metadata(file).unwrap();
    let changed = std::time::UNIX_EPOCH
        + Duration::new(
            changed.ctime().try_into().unwrap(),
            changed.ctime_nsec().try_into().unwrap(),
        );
    changed.elapsed().unwrap_or_default()
}

#[tokio::test]
async fn k20_a_folder_that_was_removed_is_no_missing_session() {
    let scene = Scene::new().await;
    scene.there.create(&key(1), &record(), NOW).await.unwrap();
    scene.warm(&key(1)).await;
    fs::remove_dir_all(scene.folder.path()).unwrap();
    assert!(scene.cache.load(&key(1), NOW).await.unwrap_err().is_retryable());
}
