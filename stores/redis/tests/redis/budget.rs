//! How many commands a request costs, counted by the server.

use std::sync::Arc;

use futures_util::future::join_all;
use tenure_core::Sessions;
use tenure_core::store::{ProofChange, Store, UserIndex};
use tenure_core::transform::{Keyring, SecretKey};

use crate::support::{
    MINUTE, ONE, apply, ask, begin, begin_as, commands, key, load, namespace, now, open, patch,
    record, redis, user,
};

/// A read is one command, a write on top of it one more, a new session one.
#[tokio::test]
async fn a_request_takes_as_few_commands_as_promised() {
    let Some(server) = redis() else { return };
    let store = open(&server).await;
    let known = begin(&store, &[("n", "1"), ("l", "[1]")]).await;
    let seen = Arc::new(load(&store, &known).await);
    apply(&store, &known, &patch().add("n", ONE).on(Arc::clone(&seen))).await;
    store.touch(&known, now() + 30 * MINUTE, now()).await.unwrap();
    let forgotten = begin(&store, &[]).await;
    store.delete(&forgotten, now()).await.unwrap();

    let mut before = commands(&server);
    let mut taken = || {
        let now = commands(&server);
        now - std::mem::replace(&mut before, now)
    };
    load(&store, &known).await;
    assert_eq!(taken(), 1, "a read");
    apply(&store, &known, &patch().add("n", ONE).extend(now() + MINUTE).on(Arc::clone(&seen)))
        .await;
    assert_eq!(taken(), 1, "a commit");
    let many = (0..50).fold(patch().on(Arc::clone(&seen)), |patch, n| {
        patch.set(format!("k{n}"), tenure_core::value::Json::of(&n).unwrap())
    });
    apply(&store, &known, &many).await;
    assert_eq!(taken(), 1, "a commit of 50 keys");
    let new = key();
    store.create(&new, &record(&new, &[("n", "1")]), now()).await.unwrap();
    assert_eq!(taken(), 1, "a new session");
    store.touch(&known, now() + 30 * MINUTE, now()).await.unwrap();
    assert_eq!(taken(), 1, "a touch");
    let next = tenure_core::id::Proof::from_bytes([7; 32]);
    apply(&store, &known, &patch().change_proof(ProofChange::Replace(next)).on(seen)).await;
    assert_eq!(taken(), 1, "a rotation");
    assert!(store.delete(&new, now()).await.unwrap());
    assert_eq!(taken(), 1, "an end");
}

/// Reads of one session that are ready at the same moment are one command, and each read sees what
/// was acknowledged before it.
#[tokio::test]
async fn reads_of_the_same_moment_share_a_command() {
    let Some(server) = redis() else { return };
    let store = open(&server).await;
    let key = begin(&store, &[("n", "0")]).await;
    let other = begin(&store, &[("n", "0")]).await;
    let seen = Arc::new(load(&store, &key).await);
    apply(&store, &key, &patch().add("n", ONE).on(Arc::clone(&seen))).await;
    for n in 2..12 {
        let before = commands(&server);
        let reads = join_all((0..16).map(|_| load(&store, &key))).await;
        assert!(reads.iter().all(|record| record.data.get("n") == Some(&*(n - 1).to_string())));
        assert_eq!(commands(&server) - before, 1, "16 reads at once");
        // Others are others.
        let before = commands(&server);
        let (one, two) = tokio::join!(load(&store, &key), load(&store, &other));
        assert_ne!(one.data.get("n"), two.data.get("n"));
        assert_eq!(commands(&server) - before, 2, "two sessions");
        apply(&store, &key, &patch().add("n", ONE).on(Arc::clone(&seen))).await;
    }
}

/// An out-of-date record that the request has seen costs nothing more where the server adds by
/// itself.
#[tokio::test]
async fn increments_and_pushes_need_no_second_round() {
    let Some(server) = redis() else { return };
    let store = open(&server).await;
    let key = begin(&store, &[("n", "1"), ("l", "[1]")]).await;
    let seen = Arc::new(load(&store, &key).await);
    let change = || {
        let item = tenure_core::value::Json::of(&2).unwrap();
        patch().add("n", ONE).push("l", item).on(Arc::clone(&seen))
    };
    apply(&store, &key, &change()).await;
    let before = commands(&server);
    for _ in 0..10 {
        apply(&store, &key, &change()).await;
    }
    assert_eq!(commands(&server) - before, 10);
    assert_eq!(load(&store, &key).await.data.get("n"), Some("12"));
}

/// A session that is used all the time is listed again once a minute, and no more often.
#[tokio::test]
async fn healing_the_index_is_rare() {
    let Some(server) = redis() else { return };
    let store = open(&server).await;
    let key = begin_as(&store, "ada").await;
    let start = now();
    store.touch(&key, start + 30 * MINUTE, start).await.unwrap();
    let listed = |server: &tenure_test_servers::Server| {
        let info = ask(server, &["INFO", "commandstats"]);
        let line = info.text().lines().find(|line| line.starts_with("cmdstat_zremrangebyscore:"));
        line.and_then(|line| line.split_once("calls=")?.1.split(',').next()?.parse::<u64>().ok())
    };
    let before = listed(&server).unwrap();
    for second in 0..600 {
        let at = start + std::time::Duration::from_secs(second);
        store.touch(&key, at + 30 * MINUTE, at).await.unwrap();
    }
    let healed = listed(&server).unwrap() - before;
    assert!((9..=11).contains(&healed), "{healed} times in ten minutes");
    assert_eq!(
        store.users().unwrap().list(&namespace(), &user("ada"), now()).await.unwrap().len(),
        1
    );
}

/// Through the engine: a new session is one command, a read one, a write two in all; what is
/// untouched or forged costs none.
#[tokio::test]
async fn whole_requests_keep_to_their_budget() {
    let Some(server) = redis() else { return };
    let keys = Keyring::new([SecretKey::generate().unwrap()]);
    let sessions =
        Sessions::builder().store(open(&server).await).signing_keys(keys).build().unwrap();
    let new = sessions.start().await.unwrap();
    new.set("n", 1).unwrap();
    new.commit().await.unwrap();
    let token = new.danger_expose_token().unwrap();
    // The server knows the scripts from now on.
    let seen = sessions.open_token(&token).await.unwrap().unwrap();
    seen.increment("n", 1).unwrap();
    seen.commit().await.unwrap();

    let before = commands(&server);
    let new = sessions.start().await.unwrap();
    new.set("n", 1).unwrap();
    new.commit().await.unwrap();
    assert_eq!(commands(&server) - before, 1, "a new session");

    let before = commands(&server);
    let seen = sessions.open_token(&token).await.unwrap().unwrap();
    assert_eq!(seen.get::<i32>("n").unwrap(), Some(2));
    seen.commit().await.unwrap();
    assert_eq!(commands(&server) - before, 1, "a read");

    let before = commands(&server);
    let seen = sessions.open_token(&token).await.unwrap().unwrap();
    seen.increment("n", 1).unwrap();
    seen.set("theme", "dark").unwrap();
    seen.commit().await.unwrap();
    assert_eq!(commands(&server) - before, 2, "a write");

    let before = commands(&server);
    let other = if token.ends_with('A') { "B" } else { "A" };
    let forged = format!("{}{other}", &token[..token.len() - 1]);
    assert!(sessions.open_token(&forged).await.unwrap().is_none());
    sessions.start().await.unwrap().commit().await.unwrap();
    assert_eq!(commands(&server) - before, 0, "what is forged, and what is untouched");
}
