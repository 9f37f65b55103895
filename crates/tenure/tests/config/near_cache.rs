//! X10: a near cache by configuration.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tenure::config::{SessionConfig, Sources};
use tenure::store::{
    AnyStore, Change, Created, MemoryStore, Record, Revision, Schemes, Store, StoreError, StoreKey,
    StoreResult, Swap, Watch,
};
use tenure::{Result, Sessions, Timestamp};
use tenure_testkit::{Operation, Recorder};
use tokio::sync::Notify;

use crate::{json, refused};

/// A store in memory that tells of its changes, of which there are none but the cache's own.
#[derive(Default)]
struct Telling {
    store: MemoryStore,
    heard: Arc<Notify>,
}

impl Store for Telling {
    async fn load(&self, key: &StoreKey, now: Timestamp) -> StoreResult<Option<Record>> {
        self.store.load(key, now).await
    }

    async fn create(&self, key: &StoreKey, new: &Record, now: Timestamp) -> StoreResult<Created> {
        self.store.create(key, new, now).await
    }

    async fn swap(
        &self,
        key: &StoreKey,
        expected: &Revision,
        new: &Record,
        now: Timestamp,
    ) -> StoreResult<Swap> {
        self.store.swap(key, expected, new, now).await
    }

    async fn delete(&self, key: &StoreKey, now: Timestamp) -> StoreResult<bool> {
        self.store.delete(key, now).await
    }

    async fn sweep(&self, limit: u32, now: Timestamp) -> StoreResult<u32> {
        self.store.sweep(limit, now).await
    }

    fn watch(&self) -> Option<&impl Watch> {
        Some(self)
    }
}

impl Watch for Telling {
    async fn watch(&self, listener: &(dyn Fn(Change) + Send + Sync)) -> StoreError {
        listener(Change::Begins);
        self.heard.notify_one();
        std::future::pending().await
    }
}

fn settings(near_cache: &str) -> Sources {
    let unsigned = r#""insecure_unsigned_tokens": true"#;
    json(&format!(r#"{{"store": "carrier:", {unsigned}, "near_cache": {{{near_cache}}}}}"#))
}

/// These settings, with this store.
fn config<S: Store>(sources: Sources, store: &Recorder<S>) -> SessionConfig {
    let store = AnyStore::new(store.clone());
    let open = move |_url: String| std::future::ready(Ok(store.clone()));
    sources.read().unwrap().schemes(Schemes::new().add("carrier", open).unwrap())
}

/// How often a session is loaded that is opened three times.
async fn loads<S: Store>(sessions: Result<Sessions>, store: &Recorder<S>) -> usize {
    let sessions = sessions.unwrap();
    let session = sessions.start().await.unwrap();
    session.set("n", 1).unwrap();
    session.commit().await.unwrap();
    let token = session.danger_expose_token().unwrap();
    store.clear();
    for _ in 0..3 {
        let session = sessions.open_token(&token).await.unwrap().unwrap();
        assert_eq!(session.get::<u8>("n").unwrap(), Some(1));
    }
    store.operations().iter().filter(|operation| **operation == Operation::Load).count()
}

#[tokio::test]
async fn x10_a_cache_for_a_time() {
    let vars = [
        ("TENURE_NEAR_CACHE_ENABLED", "on"),
        ("TENURE_NEAR_CACHE_STALE_FOR", "60s"),
        ("TENURE_NEAR_CACHE_MAX_SESSIONS", "100"),
    ];
    let mut all = vec![
        (settings(r#""enabled": true, "stale_for": "30s""#), 1),
        (settings(r#""enabled": true, "stale_for": 60, "max_sessions": 1"#), 1),
        (settings("").vars(vars), 1),
        (settings(r#""enabled": false, "stale_for": "1s""#), 3),
        (settings(r#""enabled": true"#).vars([("TENURE_NEAR_CACHE_ENABLED", "no")]), 3),
        (settings(""), 3),
    ];
    #[cfg(feature = "toml")]
    {
        let text = "store = 'carrier:'\ninsecure_unsigned_tokens = true\n\
                    [near_cache]\nenabled = true\nmax_sessions = 5_000\nstale_for = '45s'\n";
        all.push((SessionConfig::sources().toml(text), 1));
    }
    for (sources, expected) in all {
        let store = Recorder::new(MemoryStore::new());
        let config = config(sources, &store);
        let shown = config.to_string();
        assert_eq!(loads(config.build().await, &store).await, expected, "{shown}");
    }
}

/// A store that tells of changes is heard, by the task that the application runs.
#[tokio::test]
async fn x10_a_cache_that_hears_of_changes() {
    let telling = Telling::default();
    let heard = Arc::clone(&telling.heard);
    let store = Recorder::new(telling);
    let tasks = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&tasks);
    let config = config(settings(r#""enabled": true"#), &store).run_watcher(move |watcher| {
        count.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(watcher.run());
    });
    let sessions = config.build().await;
    assert_eq!(tasks.load(Ordering::Relaxed), 1);
    heard.notified().await;
    assert_eq!(loads(sessions, &store).await, 1);
}

/// A cache that could never serve anything is refused, with what to do.
#[tokio::test]
async fn x10_a_cache_that_cannot_know_what_has_changed_is_refused() {
    let on = || settings(r#""enabled": true"#);
    let deaf = config(on(), &Recorder::new(MemoryStore::new())).run_watcher(|_| panic!("no task"));
    let error = deaf.build().await.unwrap_err().to_string();
    assert!(error.contains("near_cache.stale_for: none was given"), "{error}");

    let telling = Recorder::new(Telling::default());
    let error = config(on(), &telling).build().await.unwrap_err().to_string();
    assert!(error.contains("near_cache: it has to hear"), "{error}");
    assert!(error.contains("`SessionConfig::run_watcher`"), "{error}");
    let stale = settings(r#""enabled": true, "stale_for": "10s""#);
    assert_eq!(loads(config(stale, &telling).build().await, &telling).await, 1);

    let open = |_url: String| async {
        let same = AnyStore::new(MemoryStore::new());
        Ok(AnyStore::per_request(same.clone(), move |_| same.clone()))
    };
    let schemes = Schemes::new().add("carrier", open).unwrap();
    let stale = settings(r#""enabled": true, "stale_for": "10s""#).read().unwrap();
    let error = stale.schemes(schemes).build().await.unwrap_err().to_string();
    assert!(error.contains("near_cache: this store is another one for each request"), "{error}");
}

/// Where sessions are in memory anyway, the same settings do.
#[tokio::test]
async fn x10_no_cache_before_memory() {
    let sources = settings(r#""enabled": true"#).vars([("TENURE_STORE", "memory:")]);
    let config = sources.read().unwrap().run_watcher(|_| panic!("no task"));
    assert!(config.build().await.unwrap().store().is_volatile());
}

/// The file store tells by itself what has changed.
#[cfg(all(feature = "file", unix))]
#[tokio::test]
async fn x10_a_cache_before_files() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file:{}", folder.path().join("sessions").display());
    let process = async || {
        let vars = [("TENURE_STORE", url.as_str())];
        let sources = settings(r#""enabled": true"#).vars(vars);
        sources.read().unwrap().build().await.unwrap()
    };
    let (here, there) = (process().await, process().await);
    let session = here.start().await.unwrap();
    session.set("n", 1).unwrap();
    session.commit().await.unwrap();
    let token = session.danger_expose_token().unwrap();
    for n in 1..4 {
        let seen = there.open_token(&token).await.unwrap().unwrap();
        assert_eq!(seen.get::<u32>("n").unwrap(), Some(n));
        let session = here.open_token(&token).await.unwrap().unwrap();
        session.increment("n", 1).unwrap();
        session.commit().await.unwrap();
    }
}

#[test]
fn x10_bad_values_are_refused_by_name() {
    for (field, value, allowed) in [
        ("enabled", "1", "write true or false"),
        ("max_sessions", "0", "at least 1"),
        ("max_sessions", "-1", "at least 1"),
        ("max_sessions", r#""many""#, "at least 1"),
        ("stale_for", r#""61s""#, "at most 60s"),
        ("stale_for", r#""1h""#, "at most 60s"),
        ("stale_for", "0", "at most 60s"),
        ("stale_for", r#""soon""#, "write a time"),
    ] {
        let text = refused(settings(&format!(r#""{field}": {value}"#)));
        assert!(text.contains(&format!("near_cache.{field} = ")), "{text}");
        assert!(text.contains(allowed), "{allowed:?} in {text}");
    }
    for field in ["max_sessions", "stale_for"] {
        let text = refused(settings(&format!(r#""{field}": 7"#)));
        let problem =
            format!("near_cache.{field}: there is no cache yet; set `near_cache.enabled`");
        assert!(text.contains(&problem), "{text}");
    }
    let text = refused(settings(r#""stale": "1s""#));
    assert!(text.contains("near_cache.stale (the JSON text): there is no such setting"), "{text}");
    assert!(refused(json(r#"{"near_cache": true}"#)).contains("write `[near_cache]`"));
    let text = refused(SessionConfig::sources().vars([("TENURE_NEAR_CACHE", "yes")]));
    assert!(text.contains("TENURE_NEAR_CACHE: there is no such setting"), "{text}");
    let text = refused(json(r#"{"nearCache": {"maxSessions": 5}}"#));
    assert!(text.contains("is `near_cache.max_sessions` meant?"), "{text}");
}
