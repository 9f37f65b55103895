//! T-CONC-1, R7: at most so many sessions a user.

use std::time::Duration;

use tenure_core::engine::AtLimit;
use tenure_core::store::MemoryStore;
use tenure_core::{ErrorKind, Result, Session, Sessions, UserId};
use tenure_testkit::{Bare, Fault, FaultStore, ManualClock, Operation};
use tokio::task::JoinSet;

use crate::visitor::{Answer, Visitor, configured};

const POLICIES: [AtLimit; 3] = [AtLimit::RejectNew, AtLimit::EvictOldest, AtLimit::EvictAll];

fn at_most(most: usize, at_limit: AtLimit) -> (Sessions, ManualClock) {
    let clock = ManualClock::new();
    let sessions = configured(MemoryStore::new(), &clock).max_sessions_per_user(most, at_limit);
    (sessions.build().unwrap(), clock)
}

async fn login(visitor: &mut Visitor, user: &str) -> Answer {
    let (done, answer) = visitor.visit(|session| session.login(user)).await;
    done.unwrap();
    answer
}

async fn live(sessions: &Sessions, user: &str) -> usize {
    sessions.of_user(&UserId::new(user).unwrap()).await.unwrap().len()
}

/// Three visitors who log in as the same user, one after the other.
async fn three(sessions: &Sessions, clock: &ManualClock) -> ([Visitor; 3], [Result<()>; 3]) {
    let mut visitors = [(); 3].map(|()| Visitor::new(sessions));
    let mut closed = [const { Ok(()) }; 3];
    for (visitor, closed) in visitors.iter_mut().zip(&mut closed) {
        visitor.get(|session| session.set("cart", 1)).await;
        clock.advance(Duration::from_secs(1));
        *closed = login(visitor, "ada").await.closed;
    }
    (visitors, closed)
}

#[tokio::test]
async fn t_conc_1_one_too_many_is_refused() {
    let (sessions, clock) = at_most(2, AtLimit::RejectNew);
    let ([mut one, mut two, mut three], [.., refused]) = three(&sessions, &clock).await;
    let error = refused.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooManySessions);
    assert!(error.to_string().contains("max_sessions_per_user"), "{error}");
    assert_eq!(sessions.counts().errors, 0, "nothing is broken");
    for (visitor, user) in [(&mut one, Some("ada")), (&mut two, Some("ada")), (&mut three, None)] {
        assert_eq!(visitor.user().await.as_deref(), user);
        assert_eq!(visitor.number("cart").await, Some(1), "nothing is lost");
    }
    login(&mut three, "eve").await.closed.unwrap();
    login(&mut two, "ada").await.closed.unwrap();
    assert_eq!(live(&sessions, "ada").await, 2, "again is not one more");
    two.get(|session| {
        session.logout()?;
        session.login("ada")
    })
    .await;
    assert_eq!(live(&sessions, "ada").await, 2, "one ended with the same request");
    one.get(Session::logout).await;
    login(&mut three, "ada").await.closed.unwrap();
    assert_eq!((live(&sessions, "ada").await, live(&sessions, "eve").await), (2, 0));
}

#[tokio::test]
async fn t_conc_1_what_was_not_used_for_longest_ends() {
    let (sessions, clock) = at_most(2, AtLimit::EvictOldest);
    let ([mut one, mut two, mut three], closed) = three(&sessions, &clock).await;
    assert!(closed.iter().all(Result::is_ok));
    assert_eq!((one.user().await, one.number("cart").await), (None, None), "it ended");
    clock.advance(Duration::from_secs(120));
    assert_eq!(two.user().await.as_deref(), Some("ada"), "used again");
    login(&mut one, "ada").await.closed.unwrap();
    assert_eq!(three.user().await, None);
    assert_eq!(two.user().await.as_deref(), Some("ada"));
    assert_eq!(one.user().await.as_deref(), Some("ada"));
}

#[tokio::test]
async fn t_conc_1_all_others_end() {
    let (sessions, clock) = at_most(2, AtLimit::EvictAll);
    let ([mut one, mut two, mut three], closed) = three(&sessions, &clock).await;
    assert!(closed.iter().all(Result::is_ok));
    assert_eq!((one.user().await, two.user().await), (None, None));
    assert_eq!(three.user().await.as_deref(), Some("ada"));
    assert_eq!(three.number("cart").await, Some(1));
}

/// T-CONC-1: of N + 1 at the same time never more than N stay, whatever happens to the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn t_conc_1_parallel_logins_do_not_pass_the_limit() {
    for policy in POLICIES {
        for most in [1, 3] {
            for _ in 0..100 {
                let (sessions, _clock) = at_most(most, policy);
                let mut logins = JoinSet::new();
                for _ in 0..=most {
                    let mut visitor = Visitor::new(&sessions);
                    logins.spawn(async move {
                        let closed = login(&mut visitor, "ada").await.closed;
                        (visitor, closed.is_ok())
                    });
                }
                let mut logged_in = 0;
                for (mut visitor, ok) in logins.join_all().await {
                    let user = visitor.user().await;
                    logged_in += usize::from(user.is_some());
                    assert!(ok || user.is_none(), "refused, and logged in nevertheless");
                }
                let live = live(&sessions, "ada").await;
                assert!(live <= most, "{live} of {most} by {policy:?}");
                assert_eq!(live, logged_in);
                if policy != AtLimit::RejectNew {
                    assert!(live > 0, "all have ended by {policy:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn t_conc_1_users_are_counted_apart() {
    for policy in POLICIES {
        let (sessions, _clock) = at_most(1, policy);
        for user in ["ada", "eve", "Ada"] {
            login(&mut Visitor::new(&sessions), user).await.closed.unwrap();
        }
        for user in ["ada", "eve", "Ada"] {
            assert_eq!(live(&sessions, user).await, 1);
        }
    }
}

/// A store that cannot list is an error, and not a log-in beyond the limit.
#[tokio::test]
async fn t_conc_1_a_store_that_is_down_counts_nobody() {
    let store = FaultStore::new(MemoryStore::new());
    let sessions = configured(store.clone(), &ManualClock::new())
        .max_sessions_per_user(1, AtLimit::RejectNew)
        .build()
        .unwrap();
    store.inject_times(Operation::List, Fault::unavailable(), 2);
    let mut ada = Visitor::new(&sessions);
    let error = login(&mut ada, "ada").await.closed.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!((ada.user().await, live(&sessions, "ada").await), (None, 0));
}

#[test]
fn t_conc_1_a_limit_that_cannot_be_kept_is_refused() {
    let clock = ManualClock::new();
    let builder = configured(MemoryStore::new(), &clock);
    let error = builder.max_sessions_per_user(0, AtLimit::EvictAll).build().unwrap_err();
    assert!(error.to_string().contains("max_sessions_per_user: "), "{error}");
    let builder = configured(Bare::new(MemoryStore::new()), &clock);
    let error = builder.max_sessions_per_user(1, AtLimit::EvictAll).build().unwrap_err();
    assert!(error.to_string().contains("no index of users"), "{error}");
}
