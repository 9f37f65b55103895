use std::fs::{self, File};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tenure_core::store::Store;
use tokio::task::JoinSet;

use crate::support::{
    NOW, ONE, Sessions, applied, foreign, foreign_record, key, loaded, patch, record,
};

/// Another process that has the lock keeps a thread waiting, not the runtime: not even that of one
/// thread.
#[tokio::test(flavor = "current_thread")]
async fn waiting_for_another_process_blocks_nobody_else() {
    let sessions = Sessions::new();
    let store = sessions.store().await;
    store.create(&key(1), &record(), NOW).await.unwrap();
    store.create(&key(2), &record(), NOW).await.unwrap();
    let lock = File::open(sessions.shelf(1).join("lock")).unwrap();
    lock.lock().unwrap();
    let (begun, base) = (Instant::now(), Arc::new(loaded(&store, &key(1)).await));
    for _ in 0..100 {
        let patch = patch().add("n", ONE).on(Arc::clone(&base));
        let attempt = async { applied(&store, &key(1), patch).await };
        let limit = Duration::from_millis(1);
        assert!(tokio::time::timeout(limit, attempt).await.is_err(), "it is locked");
    }
    loaded(&store, &key(1)).await;
    applied(&store, &key(2), patch().add("n", ONE)).await;
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    lock.unlock().unwrap();
    let after = applied(&store, &key(1), patch().add("n", ONE)).await;
    // Of the attempts that were dropped one had begun to work, and it ends.
    assert_eq!(after.data.get("n"), Some("2"));
}

#[tokio::test]
async fn locks_and_temporary_files_do_not_pile_up() {
    let sessions = Sessions::new();
    let options = tenure_file::FileOptions::new().relaxed_durability();
    let store = options.open(sessions.path()).await.unwrap();
    for id in 0..2_000 {
        let id = foreign(&id.to_string());
        store.create(&id, &foreign_record(), NOW).await.unwrap();
        applied(&store, &id, patch().add("n", ONE)).await;
        assert!(store.delete(&id, NOW).await.unwrap());
    }
    let (files, _) = sessions.walk();
    let locks = files.iter().filter(|file| file.ends_with("lock")).count();
    assert!((200..=256).contains(&locks), "{locks}");
    assert_eq!(files.len(), locks + 1, "locks and the mark");
    store.load(&foreign("never seen"), NOW).await.unwrap();
    store.delete(&foreign("never seen"), NOW).await.unwrap();
    assert_eq!(sessions.walk().0.len(), files.len(), "what is not there leaves nothing");
}

/// Merging.md §6.6: orphans of processes that were killed.
#[tokio::test]
async fn orphan_temporary_files_are_swept_and_in_nobodys_way() {
    let sessions = Sessions::new();
    let store = sessions.store().await;
    store.create(&key(1), &record(), NOW).await.unwrap();
    for number in 0..8 {
        let orphan = sessions.shelf(1).join(format!("new-{:x}-{number:x}", std::process::id()));
        fs::write(orphan, "half a ses").unwrap();
    }
    for _ in 0..4 {
        applied(&store, &key(1), patch().add("n", ONE)).await;
    }
    assert_eq!(store.sweep(10, NOW).await.unwrap(), 0);
    let files = fs::read_dir(sessions.shelf(1)).unwrap().count();
    assert_eq!(files, 2, "the session and the lock");
    assert_eq!(loaded(&store, &key(1)).await.data.get("n"), Some("4"));
}

/// Somebody who tidies up removes lock files again and again: whoever holds one that is gone takes
/// the new one instead.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn removed_lock_files_let_nothing_get_lost() {
    let sessions = Sessions::new();
    sessions.store().await.create(&key(1), &record(), NOW).await.unwrap();
    let ends = Arc::new(AtomicBool::new(false));
    let tidier = {
        let (lock, ends) = (sessions.shelf(1).join("lock"), Arc::clone(&ends));
        std::thread::spawn(move || {
            let mut removed = 0;
            while !ends.load(Ordering::Relaxed) {
                // Only one that nobody holds, as a tool would that looks first.
                if let Ok(file) = File::open(&lock)
                    && file.try_lock().is_ok()
                {
                    removed += u32::from(fs::remove_file(&lock).is_ok());
                }
                std::thread::sleep(Duration::from_micros(300));
            }
            removed
        })
    };
    let mut tasks = JoinSet::new();
    for _ in 0..4 {
        // Stores of their own do not queue behind each other, as processes do not.
        let store = sessions.store().await;
        tasks.spawn(async move {
            for _ in 0..50 {
                applied(&store, &key(1), patch().add("n", ONE)).await;
            }
        });
    }
    tasks.join_all().await;
    ends.store(true, Ordering::Relaxed);
    assert!(tidier.join().unwrap() > 0);
    let after = loaded(&sessions.store().await, &key(1)).await;
    assert_eq!(after.data.get("n"), Some("200"));
}
