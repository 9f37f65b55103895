//! What a recorder of metrics and a subscriber to spans see: the numbers and the public handles, and
//! no secret.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, Request, StatusCode};
use metrics_util::CompositeKey;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use tenure_core::engine::Connection;
use tenure_core::store::{MemoryStore, StoreErrorKind};
use tenure_core::{Clock, Sessions, UserId};
use tenure_testkit::{Fault, FaultStore, ManualClock, Operation};
use tracing_subscriber::fmt::MakeWriter;

/// Everything that was written, from whichever span.
#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Output {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Output {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Output {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// What a life left behind beside log and metrics.
struct Life {
    sessions: Sessions,
    handle: String,
    /// Every token that the client ever had, and what of it proves anything.
    secrets: Vec<String>,
}

/// A request of the client with this token, if any; gives the handle and the token afterwards.
async fn visit(
    sessions: &Sessions,
    token: Option<&str>,
    handler: impl FnOnce(&tenure_core::Session) -> tenure_core::Result<()>,
) -> (Option<String>, Option<String>) {
    let mut request = Request::builder().uri("/");
    if let Some(token) = token {
        request = request.header(COOKIE, format!("__Host-id={token}"));
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let exchange = sessions.open(&parts, Connection::new().secure(true));
    if let Ok(session) = exchange.session().load().await {
        handler(&session).unwrap();
    }
    let session = exchange.session();
    let mut headers = HeaderMap::new();
    let _ = exchange.close(StatusCode::OK, &mut headers).await;
    let set = headers.get(SET_COOKIE).map(|line| {
        let line = line.to_str().unwrap().split_once('=').unwrap().1;
        line.split(';').next().unwrap().to_owned()
    });
    let handle = session.load().await.ok().and_then(|session| session.handle());
    (handle.map(|handle| handle.to_string()), set.or(token.map(str::to_owned)))
}

/// Everything that can happen to a session, once.
async fn life() -> Life {
    let (store, clock) = (FaultStore::new(MemoryStore::new()), ManualClock::new());
    let keys =
        tenure_core::transform::Keyring::new([
            tenure_core::transform::SecretKey::generate().unwrap()
        ]);
    let sessions = Sessions::builder()
        .store(store.clone())
        .signing_keys(keys)
        .clock(clock.clone())
        .build()
        .unwrap();
    let mut secrets = Vec::new();
    let (handle, token) = visit(&sessions, None, |session| session.set("n", 1)).await;
    let (handle, first) = (handle.unwrap(), token.unwrap());
    let (_, token) = visit(&sessions, Some(&first), |session| session.login("ada")).await;
    let second = token.unwrap();
    assert_ne!(first, second);
    visit(&sessions, Some(&second), |session| session.set("card", "4000-0000-0000")).await;
    visit(&sessions, Some(&first), |_| Ok(())).await;
    clock.advance(Duration::from_secs(5 * 60));
    visit(&sessions, Some(&second), |_| Ok(())).await;
    let forged = format!("{}{}", &second[..second.len() - 4], "AAAA");
    visit(&sessions, Some(&forged), |_| Ok(())).await;
    store.inject(Operation::Load, Fault::error(StoreErrorKind::Corrupt));
    visit(&sessions, Some(&second), |_| Ok(())).await;
    store.inject(Operation::Apply, Fault::error(StoreErrorKind::Other));
    visit(&sessions, Some(&second), |session| session.set("n", 2)).await;
    let code = Mutex::new(String::new());
    visit(&sessions, Some(&second), |session| {
        *code.lock().unwrap() = session.issue_secret("code", Duration::from_secs(60))?;
        Ok(())
    })
    .await;
    let code = code.into_inner().unwrap();
    let opened = sessions.open_token(&second).await.unwrap().unwrap();
    assert!(opened.consume("code", &code).await.unwrap());
    secrets.push(code);
    sessions.of_user(&UserId::new("ada").unwrap()).await.unwrap();
    visit(&sessions, Some(&second), tenure_core::Session::logout).await;
    clock.advance(Duration::from_secs(60 * 60));
    sessions.sweeper().once().await.unwrap();
    for token in [first, second, forged] {
        // The handle is public, the rest of the token is what nobody may see.
        secrets.push(token[16..].to_owned());
        secrets.push(token[16..48].to_owned());
        secrets.push(token);
    }
    assert!(clock.now().as_millis() > 0);
    Life { sessions, handle, secrets }
}

/// One test at a time: which spans are wanted is remembered for the process, and the thread that comes
/// to one first is asked, with its own subscriber or none.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

type Series = BTreeMap<String, DebugValue>;

fn series(snapshotter: &Snapshotter) -> Series {
    let text = |key: &CompositeKey| {
        let key = key.key();
        let labels = key.labels().map(|label| format!("{}={}", label.key(), label.value()));
        format!("{}{{{}}}", key.name(), labels.collect::<Vec<_>>().join(","))
    };
    let snapshot = snapshotter.snapshot().into_vec();
    snapshot.into_iter().map(|(key, _, _, value)| (text(&key), value)).collect()
}

/// A22: each counter is a metric, of the recorder that is installed when it counts.
#[test]
fn a22_counters_are_metrics() {
    let _alone = alone();
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let life = metrics::with_local_recorder(&recorder, || runtime().block_on(life()));
    let series = series(&snapshotter);
    let counts = life.sessions.counts();
    for (name, count) in [
        ("loads", counts.loads),
        ("created", counts.created),
        ("commits", counts.commits),
        ("touches", counts.touches),
        ("rotations", counts.rotations),
        ("logins", counts.logins),
        ("logouts", counts.logouts),
        ("destroyed", counts.destroyed),
        ("rejected", counts.rejected),
        ("unknown", counts.unknown),
        ("errors", counts.errors),
    ] {
        let name = format!("tenure_{name}_total{{namespace=__Host-id}}");
        assert!(count > 0, "{name} never happened");
        assert_eq!(series.get(&name), Some(&DebugValue::Counter(count)), "{name}: {series:?}");
    }
}

/// A22: how long the store takes, by operation.
#[test]
fn a22_the_store_s_latency_is_a_histogram() {
    let _alone = alone();
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || runtime().block_on(life()));
    let series = series(&snapshotter);
    for operation in ["load", "create", "commit", "touch", "destroy", "of_user", "sweep"] {
        let name = format!("tenure_store_seconds{{namespace=__Host-id,operation={operation}}}");
        let Some(DebugValue::Histogram(seconds)) = series.get(&name) else {
            panic!("{name}: {series:?}");
        };
        assert!(!seconds.is_empty());
        assert!(seconds.iter().all(|seconds| (0.0..60.0).contains(&seconds.0)), "{seconds:?}");
    }
}

/// Architecture §9, T-TOK-3: loads and commits are spans with the public handle, and whatever is
/// written at the finest level has no token, no part of one, no proof, no value and no user.
#[test]
fn a22_t_tok_3_spans_have_the_handle_and_no_secret() {
    let _alone = alone();
    let output = Output::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(output.clone())
        .finish();
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let life = tracing::subscriber::with_default(subscriber, || {
        metrics::with_local_recorder(&recorder, || runtime().block_on(life()))
    });
    let (text, handle) = (output.text(), &life.handle);
    for needed in [
        format!("session.load{{session={handle}}}"),
        format!("session.commit{{session={handle}}}"),
        "session credential rejected".to_owned(),
        "session store failed".to_owned(),
        "session logged_out".to_owned(),
    ] {
        assert!(text.contains(&needed), "{needed} is not in:\n{text}");
    }
    let created = text.lines().find(|line| line.contains("session created")).unwrap();
    assert!(created.contains("session.commit{session="), "its span learns the handle: {created}");
    let metrics = format!("{:?}", series(&snapshotter));
    assert!(!metrics.contains(handle.as_str()), "a series for each session: {metrics}");
    let debugged = format!("{:?} {:?}", life.sessions, life.sessions.counts());
    for output in [&text, &metrics, &debugged] {
        for secret in &life.secrets {
            assert!(!output.contains(secret.as_str()), "{secret} is in:\n{output}");
        }
        for private in ["4000-0000", "ada"] {
            assert!(!output.contains(private), "{private} is in:\n{output}");
        }
    }
    assert_no_proof(&life, &[&text, &metrics, &debugged]);
}

/// A proof is SHA-256 of what the token says, so it has 32 octets: 64 hexadecimal digits, 43
/// characters of base64url, or a list of numbers. Nothing so long may be in the output.
fn assert_no_proof(life: &Life, outputs: &[&String]) {
    for output in outputs {
        let words = output.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        for word in words.filter(|word| *word != life.handle) {
            assert!(word.len() < 40, "{word:?} could be a proof in:\n{output}");
        }
        let mut numbers = 0;
        for word in output.split([',', ' ', '[', ']']).filter(|word| !word.is_empty()) {
            numbers = if word.parse::<u8>().is_ok() { numbers + 1 } else { 0 };
            assert!(numbers < 16, "a list of octets is in:\n{output}");
        }
    }
}
