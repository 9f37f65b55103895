//! Commits of the same moment share a command, and each has its own effect and its own answer.

use std::sync::Arc;

use futures_util::future::join_all;
use tenure_core::Timestamp;
use tenure_core::store::{Applied, Patch, Store, StoreErrorKind, StoreKey, StoreResult};
use tenure_core::value::{Json, Number};
use tenure_redis::RedisStore;

use crate::support::{ONE, begin, commands, commit, json, load, now, open, patch, random, redis};

/// What becomes of patches that are all there before anything is sent.
async fn at_once(
    store: &RedisStore,
    key: &StoreKey,
    patches: &[Patch],
    at: Timestamp,
) -> Vec<StoreResult<Applied>> {
    join_all(patches.iter().map(|patch| store.apply(key, patch, at))).await
}

fn all_done(applied: &[StoreResult<Applied>]) {
    for applied in applied {
        assert!(matches!(applied, Ok(Applied::Done(_))), "{applied:?}");
    }
}

/// Eighteen increments are one command; and each is known to have taken effect.
#[tokio::test]
async fn commits_of_the_same_moment_share_a_command() {
    let Some(server) = redis() else { return };
    let store = open(&server).await;
    let key = begin(&store, &[("n", "0")]).await;
    let other = begin(&store, &[("n", "0")]).await;
    let seen = Arc::new(load(&store, &key).await);
    let add = || patch().add("n", ONE).on(Arc::clone(&seen));
    // The server knows the script from now on.
    all_done(&at_once(&store, &key, &[add()], now()).await);

    let patches: Vec<_> = (0..36).map(|_| add()).collect();
    let (before, at) = (commands(&server), now());
    all_done(&at_once(&store, &key, &patches, at).await);
    assert_eq!(commands(&server) - before, 2);
    let record = load(&store, &key).await;
    assert_eq!(record.data.get("n"), Some("37"));
    assert!(patches.iter().all(|patch| record.commits.contains(&(patch.id(), at))));
    all_done(&at_once(&store, &key, &patches, now()).await);
    assert_eq!(load(&store, &key).await.data.get("n"), Some("37"), "each took effect once");

    // What is about another session, another time or more than data goes by itself.
    let before = commands(&server);
    let [one, two, three, clear] = [add(), add(), add(), patch().clear().on(Arc::clone(&seen))];
    let later = at + std::time::Duration::from_millis(1);
    let applied = tokio::join!(
        store.apply(&key, &one, at),
        store.apply(&other, &two, at),
        store.apply(&key, &three, later),
        store.apply(&key, &clear, later),
    );
    all_done(&[applied.0, applied.1, applied.2, applied.3]);
    assert_eq!(commands(&server) - before, 4);
    assert!(load(&store, &key).await.data.is_empty());
}

/// One that cannot go on stops none of the others.
#[tokio::test]
async fn each_gets_the_answer_to_its_own() {
    let Some(server) = redis() else { return };
    let store = open(&server).await;
    let key = begin(&store, &[("n", "1"), ("f", "0.5"), ("text", "\"a\""), ("l", "[]")]).await;
    let seen = Arc::new(load(&store, &key).await);
    let on = |patch: Patch| patch.on(Arc::clone(&seen));
    let long = json(&format!("\"{}\"", "x".repeat(3 << 20)));
    let half = Number::parse("0.5").unwrap();
    let twice = on(patch().add("n", ONE));
    let big = Number::Int(100_000_000_000_000_000);
    let patches = [
        on(patch().add("n", ONE)),
        twice.clone(),
        on(patch().push("long", long.clone())),
        twice,
        on(patch().add("f", half)),
        // It no longer meets what it has seen.
        on(patch().add("f", half)),
        on(patch().add("text", ONE)),
        on(patch().push("long", long)),
        on(patch().add("n", big)),
        on(patch().add("n", ONE).push("l", json("1")).set("k", json("true"))),
        on(patch().remove("text").push("l", json("2"))),
    ];
    let applied = at_once(&store, &key, &patches, now()).await;
    for (place, applied) in applied.iter().enumerate() {
        match place {
            // It met a text, or nothing after that was removed.
            6 => assert!(matches!(applied, Ok(Applied::Refused(_) | Applied::Done(_)))),
            7 => assert_eq!(applied.as_ref().unwrap_err().kind(), StoreErrorKind::TooLarge),
            _ => assert!(matches!(applied, Ok(Applied::Done(_))), "{place}: {applied:?}"),
        }
    }
    let data = load(&store, &key).await.data;
    assert_eq!(data.get("n"), Some("100000000000000004"));
    assert_eq!(data.get("f"), Some("1.5"));
    assert_eq!(data.get("k"), Some("true"));
    assert!(["[1,2]", "[2,1]"].contains(&data.get("l").unwrap()));
}

/// What one has added to is to the next what it would be to anybody.
#[tokio::test]
async fn what_was_added_in_the_same_command_is_text() {
    let Some(server) = redis() else { return };
    let store = open(&server).await;
    let key = begin(&store, &[("n", "1")]).await;
    let seen = Arc::new(load(&store, &key).await);
    let mut then = (*seen).clone();
    then.data = [("n", "2")].into_iter().collect();
    let then = Arc::new(then);
    let add = |to, number| patch().add("n", Number::parse(number).unwrap()).on(Arc::clone(to));
    // The server knows the script from now on.
    all_done(&at_once(&store, &key, &[patch().set("other", json("1"))], now()).await);

    let before = commands(&server);
    let patches =
        [add(&seen, "1"), add(&then, "0.5"), patch().push("n", json("1")).on(Arc::clone(&then))];
    let applied = at_once(&store, &key, &patches, now()).await;
    assert_eq!(commands(&server) - before, 1, "two is what the second has seen");
    all_done(&applied[..2]);
    assert!(matches!(applied[2], Ok(Applied::Refused(_))), "{:?}", applied[2]);
    assert_eq!(load(&store, &key).await.data.get("n"), Some("2.5"));

    let key = begin(&store, &[("n", "1")]).await;
    let patches = [add(&seen, "1"), patch().push("n", json("1")).on(seen)];
    let applied = at_once(&store, &key, &patches, now()).await;
    all_done(&applied[..1]);
    assert!(matches!(applied[1], Ok(Applied::Refused(_))), "{:?}", applied[1]);
    assert_eq!(load(&store, &key).await.data.get("n"), Some("2"));
}

/// Who has no right to the session changes nothing beside those who have.
#[tokio::test]
async fn another_proof_shares_nothing() {
    let Some(server) = redis() else { return };
    let store = open(&server).await;
    let key = begin(&store, &[("n", "0")]).await;
    let seen = Arc::new(load(&store, &key).await);
    let forged = key.clone().with_proof(tenure_core::id::Proof::from_bytes(random()));
    let patches: Vec<_> = (0..8).map(|_| patch().add("n", ONE).on(Arc::clone(&seen))).collect();
    let at = now();
    let keys = patches.iter().zip([&key, &forged].into_iter().cycle());
    let applied = join_all(keys.map(|(patch, key)| store.apply(key, patch, at))).await;
    for pair in applied.chunks(2) {
        assert!(matches!(pair, [Ok(Applied::Done(_)), Ok(Applied::Gone)]), "{pair:?}");
    }
    assert_eq!(load(&store, &key).await.data.get("n"), Some("4"));
    // Nor does anybody change what is gone.
    store.delete(&key, now()).await.unwrap();
    let patches: Vec<_> = (0..8).map(|_| patch().add("n", ONE).on(Arc::clone(&seen))).collect();
    for applied in at_once(&store, &key, &patches, now()).await {
        assert!(matches!(applied, Ok(Applied::Gone)), "{applied:?}");
    }
}

/// What any of them has settled is forgotten, and nothing else.
#[tokio::test]
async fn all_that_they_have_settled_is_forgotten() {
    let Some(server) = redis() else { return };
    let store = open(&server).await;
    let key = begin(&store, &[]).await;
    let add = |settled: Vec<_>| patch().settle(settled).add("n", ONE);
    let seen = Arc::new(load(&store, &key).await);
    let first: Vec<_> = (0..9).map(|_| add(vec![]).on(Arc::clone(&seen))).collect();
    all_done(&at_once(&store, &key, &first, now()).await);

    let seen = Arc::new(load(&store, &key).await);
    let id = |place: usize| first[place].id();
    let second = [vec![id(3), id(0)], vec![], vec![id(8), commit(), id(4)], vec![id(3)]]
        .map(|settled| add(settled).on(Arc::clone(&seen)));
    all_done(&at_once(&store, &key, &second, now()).await);
    let kept: Vec<_> = load(&store, &key).await.commits.iter().map(|(id, _)| *id).collect();
    let born = seen.commits[0].0;
    let left = [1, 2, 5, 6, 7].map(id);
    let expected: Vec<_> =
        [born].into_iter().chain(left).chain(second.iter().map(Patch::id)).collect();
    assert_eq!(kept, expected);
}

/// Whatever they do to the same fields, it is as if each had come alone.
#[tokio::test]
async fn whatever_they_do_it_is_as_if_each_came_alone() {
    let Some(server) = redis() else { return };
    let store = open(&server).await;
    for round in 0..150 {
        let start = [
            ("n", "0"),
            ("m", "99999999999999999"),
            ("e", "999999999999000"),
            ("l", "[ ]"),
            ("r", "1"),
        ];
        let key = begin(&store, &start).await;
        let seen = Arc::new(load(&store, &key).await);
        let (mut n, mut m, mut e) = (0, 99_999_999_999_999_999_i64, 999_999_999_999_000_i64);
        let (mut items, mut keys) = (vec![], vec![]);
        let mut patches = Vec::new();
        for number in 0..1 + usize::from(random::<1>()[0] % 40) {
            let mut patch = patch();
            let [kinds, by, many] = random::<3>();
            if kinds & 1 > 0 {
                n += i64::from(by) - 128;
                patch = patch.add("n", Number::Int(i64::from(by) - 128));
            }
            if kinds & 0b110 == 0b110 {
                m += i64::from(by) << 40;
                patch = patch.add("m", Number::Int(i64::from(by) << 40));
            }
            if kinds & 64 > 0 {
                e += i64::from(by) << 2;
                patch = patch.add("e", Number::Int(i64::from(by) << 2));
            }
            if kinds & 8 > 0 {
                items.push(number.to_string());
                patch = patch.push("l", Json::of(&number).unwrap());
            }
            if kinds & 16 > 0 {
                for one in 0..many % 16 {
                    let name = format!("{number}/{one}");
                    patch = patch.set(name.clone(), Json::of(&one).unwrap());
                    keys.push((name, one));
                }
            }
            if kinds & 32 > 0 {
                patch = patch.remove("r");
            }
            patches.push(patch.on(Arc::clone(&seen)));
        }
        all_done(&at_once(&store, &key, &patches, now()).await);
        let data = load(&store, &key).await.data;
        assert_eq!(data.get("n"), Some(&*n.to_string()), "round {round}");
        assert_eq!(data.get("m"), Some(&*m.to_string()), "round {round}");
        assert_eq!(data.get("e"), Some(&*e.to_string()), "round {round}");
        let list = data.get("l").unwrap().trim_matches(['[', ' ', ']']);
        let mut found: Vec<_> = list.split(',').filter(|item| !item.is_empty()).collect();
        found.sort_by_key(|item| item.parse::<usize>().unwrap());
        assert_eq!(found, items, "round {round}");
        for (name, value) in &keys {
            assert_eq!(data.get(name), Some(&*value.to_string()), "round {round}");
        }
    }
}
