//! What is done with the sessions: created, measured, read, swept.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use indicatif::{ProgressBar, ProgressStyle};
use tenure_core::Timestamp;
use tenure_core::store::{Created, Store};
use tokio::task::JoinSet;

use crate::Result;
use crate::place::Opened;
use crate::session::{LIFETIME, Random, key, record};

/// How many are under way at once.
pub(crate) const TASKS: usize = 64;
/// How many sessions are read, of any number.
pub(crate) const READS: u64 = 100_000;
/// What `Sessions::sweeper` sweeps at once, unless told otherwise.
pub(crate) const BATCH: u32 = 1_000;
/// A server that flushes for seconds is slow, and not down.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What was found out about one number of sessions in one store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    pub(crate) sessions: u64,
    /// A session's.
    pub(crate) octets: f64,
    /// How many a second.
    pub(crate) created: f64,
    pub(crate) read: f64,
    pub(crate) swept: f64,
}

pub(crate) async fn measure(opened: &Opened, name: &str, sessions: u64) -> Result<Figures> {
    let before = opened.octets().await?;
    let created = create(opened, &bar(name, "created", sessions)).await?;
    let after = opened.octets().await?;
    let read = read(opened, sessions, &bar(name, "read", READS)).await?;
    let swept = sweep(opened, &bar(name, "swept", sessions)).await?;
    let octets = f64::from(u32::try_from((after - before).max(0) / 1_000)?) * 1_000.0;
    Ok(Figures { sessions, octets: octets / float(sessions)?, created, read, swept })
}

async fn create(opened: &Opened, bar: &ProgressBar) -> Result<f64> {
    let store = opened.store.clone();
    parallel(bar, move |number| {
        let store = store.clone();
        async move {
            let (key, now) = (key(number)?, now());
            match store.create(&key, &record(&key, number, now)?, now).await? {
                Created::Created => Ok(()),
                other => Err(format!("session {number}: {other:?}").into()),
            }
        }
    })
    .await
}

async fn read(opened: &Opened, sessions: u64, bar: &ProgressBar) -> Result<f64> {
    let store = opened.store.clone();
    parallel(bar, move |number| {
        let store = store.clone();
        async move {
            let number = Random(number).next() % sessions;
            let found = store.load(&key(number)?, now()).await?;
            found.map(drop).ok_or_else(|| format!("session {number} is lost").into())
        }
    })
    .await
}

/// Sweeps as the task of an application does, batch after batch, when all have expired.
async fn sweep(opened: &Opened, bar: &ProgressBar) -> Result<f64> {
    let (now, began) = (now() + LIFETIME, Instant::now());
    loop {
        let swept = opened.store.sweep(BATCH, now).await?;
        bar.inc(swept.into());
        if swept == 0 {
            break;
        }
    }
    let sessions = bar.length().unwrap_or_default();
    if bar.position() != sessions {
        return Err(format!("{} of {sessions} were swept", bar.position()).into());
    }
    rate(bar, began.elapsed())
}

/// Does the work for each number, many at once, and tells how many a second.
async fn parallel<F>(
    bar: &ProgressBar,
    work: impl Fn(u64) -> F + Clone + Send + Sync + 'static,
) -> Result<f64>
where
    F: Future<Output = Result> + Send,
{
    let total = bar.length().unwrap_or_default();
    let next = Arc::new(AtomicU64::new(0));
    let (mut tasks, began) = (JoinSet::new(), Instant::now());
    for _ in 0..TASKS {
        let (next, bar, work) = (Arc::clone(&next), bar.clone(), work.clone());
        tasks.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= total {
                    return Result::Ok(());
                }
                work(number).await?;
                bar.inc(1);
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    rate(bar, began.elapsed())
}

fn rate(bar: &ProgressBar, time: Duration) -> Result<f64> {
    let rate = float(bar.position())? / time.as_secs_f64();
    bar.finish();
    if bar.is_hidden() {
        // Standard error is no terminal.
        eprintln!("{}: {} in {:.1} s", bar.message(), bar.position(), time.as_secs_f64());
    }
    Ok(rate)
}

fn bar(name: &str, what: &str, total: u64) -> ProgressBar {
    let template = "{msg:<18} {wide_bar} {human_pos} of {human_len}, {per_sec}, {eta}";
    // The template is right, or the plain bar has to do.
    let style =
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(total).with_style(style).with_message(format!("{name}, {what}"))
}

fn float(number: u64) -> Result<f64> {
    Ok(f64::from(u32::try_from(number)?))
}

fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}
