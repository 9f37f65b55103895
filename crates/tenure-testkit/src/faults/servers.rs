//! Faults of the server itself.

use std::io::Write;
use std::time::{Duration, Instant};

use super::browser::COUNTER;
use super::links::seconds;
use super::scene::{Scene, Trouble, is_gone, read};
use super::work::Work;
use super::{Control, FaultHarness};
use crate::store::{Outcome, check};

pub(super) async fn restart<H: FaultHarness>(
    mut scene: Scene,
    trouble: &Trouble<H>,
) -> Outcome<String> {
    trouble.control(Control::Stop);
    scene.out_of_reach().await?;
    scene.known_to_be_down().await?;
    trouble.control(Control::Start);
    let within = scene.promise.recovery;
    scene.back(Instant::now(), within).await?;
    scene.as_before().await?;
    Ok(format!("{}; same sessions {} later", scene.promise.unavailable(), seconds(within)))
}

pub(super) async fn restart_without_data<H: FaultHarness>(
    mut scene: Scene,
    trouble: &Trouble<H>,
) -> Outcome<String> {
    let late = scene.reader.open();
    late.session().load().await?.increment(COUNTER, 1)?;
    trouble.control(Control::Stop);
    scene.out_of_reach().await?;
    scene.known_to_be_down().await?;
    trouble.control(Control::StartEmpty);
    // Somebody has to make the tables again.
    drop(trouble.open(&scene.proxies).await?);
    let within = scene.promise.recovery;
    let read = scene.back(Instant::now(), within).await?;
    check!(read.count.is_none(), "a session was found where nothing is: {read:?}");
    let created = scene.sessions.counts().created;
    let late = scene.reader.clone().close(late, Ok(None), Instant::now()).await;
    check!(late.is_ok() && late.set_cookie.is_none(), "a request of before: {late:?}");
    check!(scene.sessions.counts().created == created, "a request has brought a session back");
    for browser in [&scene.reader, &scene.writer.browser, &scene.leaver, &scene.gone] {
        is_gone(browser, "a session of before").await?;
    }
    // Who reads nothing cannot see that the session is gone, and gets one of the same kind.
    let counted = scene.writer.browser.count().await;
    check!(counted.is_ok() && counted.set_cookie.is_some(), "a write: {counted:?}");
    let there = scene.writer.there().await?;
    check!(there == 1, "a new session has what another had: {there}");
    scene.works().await?;
    let unavailable = scene.promise.unavailable();
    Ok(format!("{unavailable}; no session {} later, new ones begin", seconds(within)))
}

/// How often the server is killed.
const KILLS: usize = 3;
/// How long it is dead.
const DEAD: Duration = Duration::from_millis(200);

pub(super) async fn killed_during_commits<H: FaultHarness>(
    mut scene: Scene,
    trouble: &Trouble<H>,
) -> Outcome<String> {
    let mut work = Work::begin(&scene, 4, Duration::from_millis(2)).await?;
    let within = scene.promise.recovery;
    for _ in 0..KILLS {
        work.goes_on(5).await?;
        trouble.control(Control::Kill);
        tokio::time::sleep(DEAD).await;
        trouble.control(Control::Start);
        scene.back(Instant::now(), within).await?;
    }
    work.goes_on(3).await?;
    let mut done = work.end().await?;
    for writer in &mut done.writers {
        writer.agrees().await?;
    }
    for (_, browser) in &mut done.begun {
        let read = read(browser).await?;
        check!(read.count == Some(1), "a session that has begun is another: {read:?}");
    }
    for (_, browser) in &done.left {
        is_gone(browser, "a session that has logged out").await?;
    }
    check!(!done.begun.is_empty() && !done.left.is_empty(), "nobody came, or nobody went");
    scene.unchanged().await?;
    scene.works().await?;
    Ok(format!(
        "503 or success; nothing acknowledged lost; nothing done twice; back in {}",
        seconds(within)
    ))
}

/// What one writer may lose of what was acknowledged, since it pauses between two writes. However
/// slow a replica is that follows: what its master has sent to it does not die with the master.
const MOST_LOST: i64 = 3;

pub(super) async fn failover<H: FaultHarness>(
    mut scene: Scene,
    trouble: &Trouble<H>,
) -> Outcome<String> {
    let mut work = Work::begin(&scene, 16, Duration::from_millis(15)).await?;
    work.goes_on(5).await?;
    let replicated = Instant::now();
    trouble.control(Control::Replicate);
    let died = Instant::now();
    trouble.control(Control::KillMaster);
    work.goes_on(3).await?;
    let (took, within) = (died.elapsed(), scene.promise.failover);
    check!(took <= within, "all go on after {took:?}, and {within:?} is promised");
    let mut done = work.end().await?;
    let (mut all, mut lost) = (0, 0);
    for writer in &mut done.writers {
        let there = writer.there().await?;
        let (acknowledged, unknown) = (writer.acknowledged, writer.unknown);
        check!(
            there <= acknowledged + unknown,
            "{acknowledged} writes were acknowledged and {unknown} answered by a 503, but {there} \
             are there"
        );
        check!(there + MOST_LOST >= acknowledged, "{acknowledged} were acknowledged, not {there}");
        all += acknowledged;
        lost += (acknowledged - there).max(0);
    }
    let safe = |at: &Instant| *at < replicated || *at > died + took;
    for (_, browser) in done.begun.iter_mut().filter(|(at, _)| safe(at)) {
        let read = read(browser).await?;
        check!(read.count == Some(1), "a session that has begun is another: {read:?}");
    }
    for (_, browser) in done.left.iter().filter(|(at, _)| safe(at)) {
        is_gone(browser, "a session that has logged out").await?;
    }
    scene.unchanged().await?;
    scene.works().await?;
    // Straight to the stream: the test harness would swallow what a passing test prints.
    let _ = writeln!(
        std::io::stderr(),
        "failover: all went on after {took:?}; {lost} of {all} acknowledged writes lost"
    );
    Ok(format!(
        "503 or success; same sessions in {}; nothing done twice; what was acknowledged last may \
         be lost, logouts that were replicated stay",
        seconds(within)
    ))
}
