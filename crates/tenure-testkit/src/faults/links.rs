//! Faults of the way to a server that runs on.

use std::time::{Duration, Instant};

use super::browser::{Browser, COUNTER};
use super::scene::{Scene, is_gone};
use crate::Link;
use crate::store::{Outcome, check};

/// How often a fault is repeated that is over with one request.
const ROUNDS: usize = 3;
/// Some answers later, a request is still answered in time.
const A_LITTLE: Duration = Duration::from_millis(25);
/// Later than any time limit.
const TOO_LONG: Duration = Duration::from_secs(4);
const STALL: Duration = Duration::from_secs(5);

pub(super) async fn refused(scene: Scene) -> Outcome<String> {
    let within = scene.promise.recovery;
    down_and_up(scene, Link::Refused, within).await
}

pub(super) async fn black_hole(scene: Scene) -> Outcome<String> {
    let within = scene.promise.after_silence;
    down_and_up(scene, Link::BlackHole, within).await
}

async fn down_and_up(mut scene: Scene, link: Link, within: Duration) -> Outcome<String> {
    scene.proxies.set(link).await;
    scene.out_of_reach().await?;
    scene.known_to_be_down().await?;
    scene.proxies.set(Link::Sound).await;
    scene.back(Instant::now(), within).await?;
    scene.as_before().await?;
    Ok(format!("{}; same sessions {} later", scene.promise.unavailable(), seconds(within)))
}

pub(super) async fn slow(mut scene: Scene) -> Outcome<String> {
    scene.proxies.set(Link::Slow(A_LITTLE)).await;
    let read = scene.reader.read().await;
    check!(read.is_ok() && read.count == Some(1), "a slow read: {read:?}");
    let counted = scene.writer.count(scene.promise).await?;
    check!(counted.is_ok(), "a slow write: {counted:?}");
    scene.writer.agrees().await?;
    scene.works().await?;
    scene.proxies.set(Link::Slow(TOO_LONG)).await;
    scene.out_of_reach().await?;
    scene.proxies.set(Link::Sound).await;
    let within = scene.promise.after_silence;
    scene.back(Instant::now(), within).await?;
    scene.as_before().await?;
    let unavailable = format!("503 within {}", seconds(scene.promise.answer));
    Ok(format!("success; where it is too slow, {unavailable}"))
}

/// Waits until connections that were lost before have said their farewells, which a cut of whatever
/// comes next would take for requests.
async fn quiet() {
    tokio::time::sleep(Duration::from_millis(100)).await;
}

/// Begins of answers that are no answers yet: the shortest of all, a number from Redis, has four
/// octets.
const BEGINS: [usize; ROUNDS] = [1, 2, 3];

pub(super) async fn reset_mid_reply(mut scene: Scene) -> Outcome<String> {
    for after in BEGINS {
        let cuts = scene.proxies.cuts();
        quiet().await;
        scene.proxies.set(Link::Cut { request: Vec::new(), after }).await;
        let read = scene.reader.read().await;
        check!(read.is_ok() && read.count == Some(1), "a read was cut short: {read:?}");
        check!(scene.proxies.cuts() > cuts, "the read was not cut short");
        scene.in_time("a read that was cut short", &read)?;

        scene.proxies.set(Link::Cut { request: COUNTER.into(), after }).await;
        let counted = scene.writer.count(scene.promise).await?;
        check!(counted.is_ok(), "a write was cut short: {counted:?}");
        check!(scene.proxies.cuts() > cuts + 1, "the write was not cut short");
        scene.proxies.set(Link::Sound).await;
        scene.writer.agrees().await?;
    }
    scene.as_before().await?;
    Ok("success, asked again; done once".to_owned())
}

pub(super) async fn ack_lost(mut scene: Scene) -> Outcome<String> {
    let lost = |request: &str| Link::Cut { request: request.into(), after: 0 };
    for _ in 0..ROUNDS {
        let cuts = scene.proxies.cuts();
        scene.proxies.set(lost(COUNTER)).await;
        let counted = scene.writer.count(scene.promise).await?;
        check!(counted.is_ok(), "the answer to a write was lost: {counted:?}");
        check!(scene.proxies.cuts() > cuts, "no answer was lost");
        scene.proxies.set(Link::Sound).await;
        scene.writer.agrees().await?;

        let (cuts, created) = (scene.proxies.cuts(), scene.sessions.counts().created);
        scene.proxies.set(lost(COUNTER)).await;
        let mut newcomer = Browser::new(&scene.sessions);
        let began = newcomer.count().await;
        check!(began.is_ok() && newcomer.has_cookie(), "the answer to a begin was lost: {began:?}");
        check!(scene.proxies.cuts() > cuts, "no answer was lost");
        scene.proxies.set(Link::Sound).await;
        check!(scene.sessions.counts().created == created + 1, "a session has begun twice");
        let read = newcomer.read().await;
        check!(read.count == Some(1), "a session has begun otherwise: {read:?}");

        let (cuts, before) = (scene.proxies.cuts(), newcomer.clone());
        quiet().await;
        scene.proxies.set(lost("")).await;
        let left = newcomer.leave().await;
        check!(left.is_ok(), "the answer to a logout was lost: {left:?}");
        let stays = scene.promise.repeats_unseen && left.set_cookie.is_none();
        let removed = left.set_cookie.as_deref() == Some("");
        check!(removed || stays, "the cookie is not removed: {left:?}");
        check!(scene.proxies.cuts() > cuts, "no answer was lost");
        scene.proxies.set(Link::Sound).await;
        is_gone(&before, "a session that has logged out").await?;
    }
    scene.as_before().await?;
    let cookie =
        if scene.promise.repeats_unseen { "; a logout may leave its dead cookie" } else { "" };
    Ok(format!("success, asked again; done once{cookie}"))
}

pub(super) async fn stall(mut scene: Scene) -> Outcome<String> {
    let begun = Instant::now();
    scene.proxies.set(Link::Silent).await;
    scene.out_of_reach().await?;
    scene.known_to_be_down().await?;
    tokio::time::sleep(STALL.saturating_sub(begun.elapsed())).await;
    scene.proxies.set(Link::Sound).await;
    let within = scene.promise.after_silence;
    scene.back(Instant::now(), within).await?;
    scene.as_before().await?;
    Ok(format!("{}; same sessions {} later", scene.promise.unavailable(), seconds(within)))
}

impl super::Promise {
    /// How requests are answered while the server is out of reach.
    pub(super) fn unavailable(&self) -> String {
        let first = format!("503 within {}", seconds(self.answer));
        if self.known_down >= self.answer {
            return first;
        }
        format!("{first}, then {}", seconds(self.known_down))
    }
}

/// `2.5 s`
pub(super) fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}
