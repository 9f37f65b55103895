//! X1: where the store compares and swaps, commits that wait for each other are saved together.

use std::time::Duration;

use tenure_core::store::{MemoryStore, StoreErrorKind};
use tenure_core::transform::{Keyring, SecretKey};
use tenure_core::{Result, Session, Sessions};
use tenure_testkit::{Fault, FaultStore, ManualClock, Operation, Provided};
use tokio::task::JoinHandle;

use crate::visitor::{Visitor, configured};

const REQUESTS: i64 = 50;

/// Two processes on one store, the swap of which comes and goes as planned, and a visitor to both.
fn processes() -> (FaultStore<MemoryStore>, [Visitor; 2]) {
    let (store, clock) = (FaultStore::new(MemoryStore::new()), ManualClock::new());
    let keyring = Keyring::new([SecretKey::generate().unwrap()]);
    let process = || -> Sessions {
        let sessions = configured(Provided::new(store.clone()), &clock);
        sessions.signing_keys(keyring.clone()).build().unwrap()
    };
    let both = [Visitor::new(&process()), Visitor::new(&process())];
    (store, both)
}

/// The next swap takes so long that all the others have to wait.
fn hold_up(store: &FaultStore<MemoryStore>) {
    let wait = || Box::pin(tokio::time::sleep(Duration::from_millis(20))) as _;
    store.inject(Operation::Swap, Fault::delay(wait));
}

/// Ends requests at once that were all open before the first ended.
async fn close_at_once(
    visitors: &[Visitor],
    mut handler: impl FnMut(i64, &Session),
) -> Vec<JoinHandle<Result<()>>> {
    let mut open = Vec::new();
    for (i, visitor) in (0..REQUESTS).zip(visitors.iter().cycle()) {
        let exchange = visitor.open();
        handler(i, &exchange.session().load().await.unwrap());
        open.push((visitor.clone(), exchange));
    }
    let close = |(mut visitor, exchange): (Visitor, _)| {
        tokio::spawn(async move { visitor.close(exchange).await.closed })
    };
    open.into_iter().map(close).collect()
}

async fn ended(closing: Vec<JoinHandle<Result<()>>>) -> Vec<Result<()>> {
    let mut results = Vec::new();
    for task in closing {
        results.push(task.await.unwrap());
    }
    results
}

fn count(i: i64, session: &Session) {
    session.set(format!("k{i}"), i).unwrap();
    session.increment("n", 1).unwrap();
    session.update("m", |m: &mut i64| *m += 1).unwrap();
}

/// What `count` has left: the keys, the increments and the closures that took effect.
async fn counted(visitor: &mut Visitor) -> (usize, Option<i64>, Option<i64>) {
    visitor
        .get(|session| {
            let keys = session.keys().iter().filter(|key| key.starts_with('k')).count();
            Ok((keys, session.get("n")?, session.get("m")?))
        })
        .await
}

#[tokio::test]
async fn x1_commits_that_wait_are_saved_by_one_swap() {
    let (store, [mut ada, _]) = processes();
    ada.get(|session| session.set("n", 0)).await;
    hold_up(&store);
    let closing = close_at_once(std::slice::from_ref(&ada), count).await;
    ended(closing).await.into_iter().for_each(|closed| closed.unwrap());
    assert_eq!(counted(&mut ada).await, (50, Some(50), Some(50)));
    assert_eq!(store.count(Operation::Swap), 2, "the first, and the one of all who waited for it");
    assert_eq!(store.count(Operation::Load), 51, "each request's own and that of the check");
}

/// Each goes on from the whole that was saved, not from its own part of it.
#[tokio::test]
async fn x1_requests_that_were_saved_together_go_on() {
    let (store, [mut ada, _]) = processes();
    ada.get(|session| session.set("n", 0)).await;
    hold_up(&store);
    let mut tasks = Vec::new();
    for i in 0..REQUESTS {
        let (mut ada, exchange) = (ada.clone(), ada.open());
        let session = exchange.session().load().await.unwrap();
        tasks.push(tokio::spawn(async move {
            count(i, &session);
            session.save().await?;
            session.increment("n", 1)?;
            session.remove(format!("k{i}"))?;
            ada.close(exchange).await.closed
        }));
    }
    ended(tasks).await.into_iter().for_each(|closed| closed.unwrap());
    assert_eq!(counted(&mut ada).await, (0, Some(100), Some(50)));
}

/// X1, X2: whatever becomes of the swap, each commit takes effect once.
#[tokio::test]
async fn x1_a_swap_that_fails_costs_nobody_their_commit() {
    for fault in [
        Fault::unavailable(),
        Fault::error(StoreErrorKind::TooLarge),
        Fault::answer_lost(StoreErrorKind::Unavailable),
        Fault::answer_lost(StoreErrorKind::Timeout),
        Fault::answer_lost(StoreErrorKind::Other),
    ] {
        let (store, [mut ada, _]) = processes();
        ada.get(|session| session.set("n", 0)).await;
        hold_up(&store);
        store.inject(Operation::Swap, fault);
        let closing = close_at_once(std::slice::from_ref(&ada), count).await;
        ended(closing).await.into_iter().for_each(|closed| closed.unwrap());
        assert_eq!(counted(&mut ada).await, (50, Some(50), Some(50)));
        assert_eq!(store.struck(), 2);
    }
}

#[tokio::test]
async fn x1_two_processes_lose_nothing_of_each_other() {
    for _ in 0..20 {
        let (store, [mut ada, mut same]) = processes();
        ada.get(|session| session.set("n", 0)).await;
        same.token = ada.token.clone();
        hold_up(&store);
        let closing = close_at_once(&[ada.clone(), same], count).await;
        ended(closing).await.into_iter().for_each(|closed| closed.unwrap());
        assert_eq!(counted(&mut ada).await, (50, Some(50), Some(50)));
    }
}

/// Who saves for the others goes away: the connection of that client broke.
#[tokio::test]
async fn x1_the_others_go_on_without_who_was_to_save_them() {
    let (store, [mut ada, _]) = processes();
    ada.get(|session| session.set("n", 0)).await;
    hold_up(&store);
    store.inject(Operation::Swap, Fault::hang());
    let mut closing = close_at_once(std::slice::from_ref(&ada), count).await;
    while store.struck() < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // The last in the queue.
    closing.pop().unwrap().abort();
    ended(closing).await.into_iter().for_each(|closed| closed.unwrap());
    assert_eq!(counted(&mut ada).await, (49, Some(49), Some(49)));
}

/// A step that cannot be done is the matter of its own request.
#[tokio::test]
async fn x1_one_that_is_refused_harms_no_other() {
    let (store, [mut ada, _]) = processes();
    ada.get(|session| session.set("n", 0)).await;
    hold_up(&store);
    let closing = close_at_once(std::slice::from_ref(&ada), |i, session| match i {
        10 => session.set("n", "a text").unwrap(),
        20.. => session.set(format!("k{i}"), i).unwrap(),
        _ => count(i, session),
    });
    let results = ended(closing.await).await;
    for (i, result) in (0..).zip(&results) {
        assert_eq!(result.is_err(), (11..20).contains(&i), "{i}: {result:?}");
    }
    let n = ada.get(|session| session.get::<String>("n")).await;
    assert_eq!(n.as_deref(), Some("a text"));
    let keys = ada.get(|session| Ok(session.len())).await;
    assert_eq!(keys, 2 + 10 + 30, "n and m, those before and those that did not count");
}

/// R1: a logout among them ends the session for all that come after it.
#[tokio::test]
async fn r1_a_logout_among_them_stays() {
    let (store, [mut ada, _]) = processes();
    ada.get(|session| session.login("ada")).await;
    hold_up(&store);
    let closing = close_at_once(std::slice::from_ref(&ada), |i, session| match i {
        25 => session.logout().unwrap(),
        _ => count(i, session),
    });
    ended(closing.await).await.into_iter().for_each(|closed| closed.unwrap());
    assert_eq!(ada.user().await, None);
    assert_eq!(counted(&mut ada).await, (0, None, None));
}
