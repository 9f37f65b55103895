//! Requests that go on whatever happens.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tenure_core::Sessions;
use tokio::task::JoinHandle;

use super::Promise;
use super::browser::Browser;
use super::scene::{STEP, Scene, Writer, in_time};
use crate::store::{Outcome, Violation, check};

/// How long nobody may get on.
const PATIENCE: Duration = Duration::from_secs(60);

/// Writers, and visitors who come and go.
pub(super) struct Work {
    stop: Arc<AtomicBool>,
    writers: Vec<(JoinHandle<Outcome<Writer>>, Arc<AtomicU64>)>,
    visitors: JoinHandle<Outcome<Visitors>>,
}

/// What was acknowledged.
pub(super) struct Done {
    pub(super) writers: Vec<Writer>,
    pub(super) begun: Visits,
    pub(super) left: Visits,
}

/// Sessions, and when that was acknowledged which was done to them.
type Visits = Vec<(Instant, Browser)>;

/// Those whose sessions have begun, and those that have logged out again, with their cookies.
type Visitors = (Visits, Visits);

impl Work {
    /// So many writers on sessions of their own, with such a pause between two writes.
    pub(super) async fn begin(scene: &Scene, writers: usize, pause: Duration) -> Outcome<Self> {
        let stop = Arc::<AtomicBool>::default();
        let mut all = Vec::with_capacity(writers);
        for _ in 0..writers {
            let writer = Writer::begin(&scene.sessions).await?;
            let done = Arc::<AtomicU64>::default();
            let task = write(writer, scene.promise, pause, Arc::clone(&stop), Arc::clone(&done));
            all.push((tokio::spawn(task), done));
        }
        let visitors = visit(scene.sessions.clone(), scene.promise, Arc::clone(&stop));
        Ok(Self { stop, writers: all, visitors: tokio::spawn(visitors) })
    }

    /// Waits until each writer was acknowledged so many more writes.
    pub(super) async fn goes_on(&mut self, times: u64) -> Outcome<()> {
        let begun = Instant::now();
        let marks: Vec<u64> =
            self.writers.iter().map(|(_, done)| done.load(Ordering::Acquire)).collect();
        for ((task, done), mark) in self.writers.iter().zip(marks) {
            while done.load(Ordering::Acquire) < mark + times && !task.is_finished() {
                check!(begun.elapsed() < PATIENCE, "a writer does not get on");
                tokio::time::sleep(STEP).await;
            }
        }
        Ok(())
    }

    pub(super) async fn end(self) -> Outcome<Done> {
        self.stop.store(true, Ordering::Release);
        let mut writers = Vec::with_capacity(self.writers.len());
        for (task, _) in self.writers {
            writers.push(joined(task).await?);
        }
        let (begun, left) = joined(self.visitors).await?;
        Ok(Done { writers, begun, left })
    }
}

async fn joined<T>(task: JoinHandle<Outcome<T>>) -> Outcome<T> {
    task.await.map_err(|error| Violation::new(error.to_string()))?
}

async fn write(
    mut writer: Writer,
    promise: Promise,
    pause: Duration,
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
) -> Outcome<Writer> {
    while !stop.load(Ordering::Acquire) {
        let answer = writer.count(promise).await?;
        if answer.is_ok() {
            done.fetch_add(1, Ordering::AcqRel);
            tokio::time::sleep(pause).await;
        } else {
            tokio::time::sleep(STEP).await;
        }
    }
    Ok(writer)
}

/// One comes and stays, the next comes and goes.
async fn visit(sessions: Sessions, promise: Promise, stop: Arc<AtomicBool>) -> Outcome<Visitors> {
    let (mut begun, mut left) = Visitors::default();
    let mut stays = false;
    while !stop.load(Ordering::Acquire) {
        let mut browser = Browser::new(&sessions);
        let answer = browser.count().await;
        in_time("a begin", answer.took, promise.answer, &answer)?;
        check!(answer.is_ok() || answer.is_unavailable(), "neither success nor 503: {answer:?}");
        check!(answer.is_ok() == browser.has_cookie(), "success and cookie differ: {answer:?}");
        if !answer.is_ok() {
            tokio::time::sleep(STEP).await;
            continue;
        }
        stays = !stays;
        if stays {
            begun.push((Instant::now(), browser));
            continue;
        }
        let before = browser.clone();
        let answer = browser.leave().await;
        in_time("a logout", answer.took, promise.answer, &answer)?;
        check!(answer.is_ok() || answer.is_unavailable(), "neither success nor 503: {answer:?}");
        let stays = promise.repeats_unseen && answer.is_ok() && answer.set_cookie.is_none();
        let fits = stays || answer.is_ok() != browser.has_cookie();
        check!(fits, "success and cookie differ: {answer:?}");
        if answer.is_ok() {
            left.push((Instant::now(), before));
        }
        tokio::time::sleep(STEP).await;
    }
    Ok((begun, left))
}
