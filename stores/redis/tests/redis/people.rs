//! The user index and the epochs: X6.

use tenure_core::Namespace;
use tenure_core::store::{Epoch, Store, UserIndex};

use crate::support::{
    MINUTE, ask, begin, begin_as, keys, load, namespace, now, open, patch, redis, user,
};

async fn listed(store: &tenure_redis::RedisStore, id: &str) -> usize {
    store.users().unwrap().list(&namespace(), &user(id), now()).await.unwrap().len()
}

/// An index that was lost is there again with the next touch of each session.
#[tokio::test]
async fn a_lost_index_heals_at_the_next_touch() {
    let Some(server) = redis() else { return };
    let store = open(&server).await;
    let sessions = [begin_as(&store, "ada").await, begin_as(&store, "ada").await];
    assert_eq!(keys(&server, "tenure:u:*"), ["tenure:u:{ada}:shop"]);
    ask(&server, &["DEL", "tenure:u:{ada}:shop"]);
    assert_eq!(listed(&store, "ada").await, 0);
    let later = now() + 2 * MINUTE;
    store.touch(&sessions[0], later + 30 * MINUTE, later).await.unwrap();
    assert_eq!(listed(&store, "ada").await, 1, "one was touched");
    let commit = patch().extend(later + 30 * MINUTE);
    store.apply(&sessions[1], &commit, later).await.unwrap();
    assert_eq!(listed(&store, "ada").await, 2, "a commit touches, too");
}

/// What the index lists and is no session of theirs is not shown, and pruned.
#[tokio::test]
async fn listing_prunes_what_it_finds_wrong() {
    let Some(server) = redis() else { return };
    let store = open(&server).await;
    begin_as(&store, "ada").await;
    let (index, far) = ("tenure:u:{ada}:shop", "99999999999999");
    for wrong in ["h:AAAAAAAAAAAAAAAA", "f:nobody", "nonsense"] {
        ask(&server, &["ZADD", index, far, wrong]);
    }
    let eves = begin_as(&store, "eve").await;
    let name = format!("h:{}", eves.handle().unwrap());
    ask(&server, &["ZADD", index, far, &name]);
    assert_eq!(listed(&store, "ada").await, 1);
    assert_eq!(ask(&server, &["ZSCORE", index, "h:AAAAAAAAAAAAAAAA"]).text(), "");
    assert_eq!(ask(&server, &["ZSCORE", index, &name]).text(), "");
    assert_eq!(listed(&store, "eve").await, 1);
}

/// Revoking a user ends what the index has lost, too, and later logins live: R27.
#[tokio::test]
async fn revoking_a_user_ends_what_the_index_has_lost() {
    let Some(server) = redis() else { return };
    let store = open(&server).await;
    let lost = begin_as(&store, "ada").await;
    ask(&server, &["DEL", "tenure:u:{ada}:shop"]);
    let found = begin_as(&store, "ada").await;
    let others = begin_as(&store, "eve").await;
    let revoked =
        store.users().unwrap().revoke(&namespace(), &user("ada"), None, now()).await.unwrap();
    assert_eq!(revoked, 1, "one was found");
    for session in [&lost, &found] {
        assert!(store.load(session, now()).await.unwrap().is_none());
        assert!(!store.touch(session, now() + MINUTE, now()).await.unwrap());
    }
    load(&store, &others).await;
    let again = begin_as(&store, "ada").await;
    load(&store, &again).await;
    assert!(keys(&server, "tenure:u:{ada}*").len() == 1);
}

/// Another process sees at once that everybody is revoked.
#[tokio::test]
async fn a_revocation_is_seen_by_all_at_once() {
    let Some(server) = redis() else { return };
    let (here, there) = (open(&server).await, open(&server).await);
    let mut sessions = Vec::new();
    for _ in 0..100 {
        sessions.push(begin(&here, &[]).await);
    }
    here.epoch().unwrap().revoke_everybody(&namespace(), now()).await.unwrap();
    for session in &sessions {
        assert!(there.load(session, now()).await.unwrap().is_none());
    }
}

/// Revocations are forgotten once the longest session that began before has ended, and stay in
/// force until then.
#[tokio::test]
async fn revocations_are_kept_as_long_as_they_matter() {
    let Some(server) = redis() else { return };
    let store = open(&server).await;
    let session = begin_as(&store, "ada").await;
    let users = store.users().unwrap();
    let start = now();
    users.revoke(&namespace(), &user("ada"), None, start).await.unwrap();
    let epochs = keys(&server, "tenure:*:epochs");
    assert_eq!(epochs.len(), 1, "only the bucket that had a session needs one");
    let count = || {
        let tenure_test_servers::Reply::Number(count) = ask(&server, &["ZCARD", &epochs[0]]) else {
            panic!("no number")
        };
        count
    };
    let hour = 60 * MINUTE;
    users.revoke(&namespace(), &user("eve"), None, start + 35 * hour).await.unwrap();
    assert_eq!(count(), 2, "sessions of twelve hours, and a day of grace");
    users.revoke(&namespace(), &user("bob"), None, start + 37 * hour).await.unwrap();
    assert_eq!(count(), 2, "the first is forgotten");
    assert!(store.load(&session, start).await.unwrap().is_none());
}

/// Names cannot run into each other: a user of one namespace is not a namespace.
#[tokio::test]
async fn epochs_of_users_and_of_everybody_are_apart() {
    let Some(server) = redis() else { return };
    let store = open(&server).await;
    let session = begin(&store, &[]).await;
    for (name, id) in [("sho", "p"), ("s", "hop"), ("shopx", "shop")] {
        let namespace = Namespace::new(name).unwrap();
        let users = store.users().unwrap();
        users.revoke(&namespace, &user(id), None, now()).await.unwrap();
        store.epoch().unwrap().revoke_everybody(&namespace, now()).await.unwrap();
    }
    load(&store, &session).await;
}
