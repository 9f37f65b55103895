use std::fs;
use std::os::unix::fs::symlink;

use tenure_core::format::{DecodeError, Encoded, RecordFormat, TouchMode};
use tenure_core::id::{CommitId, Handle, Proof};
use tenure_core::store::{
    Created, ProofChange, Record, Store, StoreError, StoreErrorKind, StoreKey, Swap,
};
use tenure_file::{FileOptions, FileStore};

use crate::support::{
    MINUTE, NOW, ONE, Sessions, administrative, applied, foreign, foreign_record, json, key,
    loaded, namespace, of_user, patch, proof, record,
};

/// Every operation that needs the record says that it cannot be read, and names the file.
async fn is_an_error(sessions: &Sessions, store: &FileStore, kind: StoreErrorKind, what: &str) {
    let there = record();
    let errors = [
        store.load(&key(1), NOW).await.unwrap_err(),
        store.create(&key(1), &there, NOW).await.unwrap_err(),
        store.swap(&key(1), &there.revision, &there, NOW).await.unwrap_err(),
        store.apply(&key(1), &patch().set("a", json("1")), NOW).await.unwrap_err(),
        store.touch(&key(1), NOW + MINUTE, NOW).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), kind, "{what}: {error}");
        let file = sessions.file(1);
        assert!(error.to_string().contains(file.to_str().unwrap()), "{what}: {error}");
    }
    assert_eq!(store.sweep(10, NOW).await.unwrap(), 0, "{what}");
    assert!(sessions.file(1).exists(), "{what}: an error removes nothing");
}

#[tokio::test]
async fn a_damaged_file_is_an_error_and_can_be_deleted() {
    let sessions = Sessions::new();
    let store = sessions.store().await;
    store.create(&key(2), &record(), NOW).await.unwrap();
    let other = fs::read(sessions.file(2)).unwrap();
    store.create(&key(1), &record(), NOW).await.unwrap();
    let whole = fs::read(sessions.file(1)).unwrap();
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let cases: [(&str, &[u8]); 7] = [
        ("empty", b""),
        ("cut in the first line", &whole[..9]),
        ("cut in the record", &whole[..whole.len() - 9]),
        ("cut after the lines", &whole[..whole.iter().rposition(|o| *o == b'\n').unwrap() + 1]),
        ("changed", &flipped),
        ("something else", b"#!/bin/sh\n"),
        ("another session's", &other),
    ];
    for (what, content) in cases {
        for key in [key(1), administrative(1)] {
            fs::write(sessions.file(1), content).unwrap();
            is_an_error(&sessions, &store, StoreErrorKind::Corrupt, what).await;
            assert!(store.delete(&key, NOW).await.unwrap(), "{what}");
            assert!(!sessions.file(1).exists());
        }
    }
    fs::write(sessions.file(1), vec![b'x'; 5 << 20]).unwrap();
    is_an_error(&sessions, &store, StoreErrorKind::Corrupt, "huge").await;
    fs::write(sessions.file(1), &whole).unwrap();
    loaded(&store, &key(1)).await;
}

/// What a newer version wrote is not for this one to judge; an operator may end it.
#[tokio::test]
async fn a_file_of_another_version_is_no_session_and_stays() {
    let sessions = Sessions::new();
    let store = sessions.store().await;
    store.create(&key(1), &record(), NOW).await.unwrap();
    fs::write(sessions.file(1), "tenure-file 2 whatever\n").unwrap();
    let kind = StoreErrorKind::UnknownVersion;
    is_an_error(&sessions, &store, kind, "version 2").await;
    assert_eq!(store.delete(&key(1), NOW).await.unwrap_err().kind(), kind);
    assert!(store.delete(&administrative(1), NOW).await.unwrap());
}

#[tokio::test]
async fn what_is_no_file_is_not_followed() {
    let sessions = Sessions::new();
    let store = sessions.store().await;
    store.create(&key(1), &record(), NOW).await.unwrap();
    let moved = sessions.parent().join("moved");
    fs::rename(sessions.file(1), &moved).unwrap();
    symlink(&moved, sessions.file(1)).unwrap();
    let error = store.load(&key(1), NOW).await.unwrap_err();
    assert!(error.to_string().contains("a link"), "{error}");
    fs::remove_file(sessions.file(1)).unwrap();
    fs::create_dir(sessions.file(1)).unwrap();
    store.load(&key(1), NOW).await.unwrap_err();
    fs::remove_dir(sessions.file(1)).unwrap();
    let made = std::process::Command::new("mkfifo").arg(sessions.file(1)).status().unwrap();
    assert!(made.success());
    assert_eq!(store.load(&key(1), NOW).await.unwrap_err().kind(), StoreErrorKind::Corrupt);
}

/// A store that is gone is down: nobody is logged out for it.
#[tokio::test]
async fn a_folder_that_was_removed_is_no_empty_session() {
    let sessions = Sessions::new();
    let store = sessions.store().await;
    store.create(&key(1), &record(), NOW).await.unwrap();
    assert_eq!(store.load(&key(2), NOW).await.unwrap(), None);
    fs::remove_dir_all(sessions.path()).unwrap();
    let error = store.load(&key(1), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
    assert!(error.to_string().contains("removed"), "{error}");
    for error in [
        store.create(&key(2), &record(), NOW).await.unwrap_err(),
        store.delete(&key(1), NOW).await.unwrap_err(),
        store.sweep(1, NOW).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
    }
    assert!(!sessions.path().exists());
}

/// R8, R17: ids of other systems differ by case, space and length, and none becomes a path.
#[tokio::test]
async fn r8_r17_foreign_ids_stay_apart_and_out_of_paths() {
    let sessions = Sessions::new();
    let store = sessions.store().await;
    let long = "x".repeat(4 << 10);
    let ids =
        ["abc", "aBc", "abc ", "abc\0", "", ".", "..", "../../a", "..\\", "CON", "a/b", &long];
    for id in ids {
        let mut record = foreign_record();
        record.data = [("id", format!("{id:?}").len().to_string().as_str())].into_iter().collect();
        assert_eq!(store.create(&foreign(id), &record, NOW).await.unwrap(), Created::Created);
    }
    for id in ids {
        let length = format!("{id:?}").len().to_string();
        assert_eq!(loaded(&store, &foreign(id)).await.data.get("id"), Some(length.as_str()));
    }
    assert_eq!(fs::read_dir(sessions.parent()).unwrap().count(), 1);
    for file in sessions.walk().0 {
        let name = file.file_name().unwrap().to_str().unwrap();
        let ours = ["lock", "tenure-file-1"].contains(&name)
            || (name.len() == 64 && name.bytes().all(|o| matches!(o, b'0'..=b'9' | b'a'..=b'f')));
        assert!(ours, "{file:?}");
    }
    for id in ids {
        assert!(store.delete(&foreign(id), NOW).await.unwrap(), "{id:?}");
    }
    let error = store.create(&foreign(&"x".repeat(70_000)), &foreign_record(), NOW).await;
    assert_eq!(error.unwrap_err().kind(), StoreErrorKind::TooLarge);
}

/// Law 4 with commit ids as an application makes them: the same start, and a count.
#[tokio::test]
async fn no_revision_comes_back_with_counted_commit_ids() {
    let sessions = Sessions::new();
    let store = sessions.store().await;
    let (mut seen, mut count) = (Vec::new(), 0_u8);
    for _ in 0..10 {
        count += 1;
        let mut new = foreign_record();
        let mut id = [7; CommitId::LEN];
        id[CommitId::LEN - 1] = count;
        new.commits = vec![(CommitId::from_bytes(id), NOW)];
        store.create(&foreign("a"), &new, NOW).await.unwrap();
        for _ in 0..10 {
            let there = loaded(&store, &foreign("a")).await;
            for earlier in &seen {
                let swap = store.swap(&foreign("a"), earlier, &there, NOW).await.unwrap();
                assert_eq!(swap, Swap::Conflict);
            }
            seen.push(there.revision);
            applied(&store, &foreign("a"), patch().add("n", ONE)).await;
        }
        store.delete(&foreign("a"), NOW).await.unwrap();
    }
}

/// Writes what is given, whatever the record.
#[derive(Debug)]
struct Fixed(Vec<u8>);

impl RecordFormat for Fixed {
    fn encode(&self, record: &Record) -> Result<Encoded, StoreError> {
        Ok(Encoded::new(self.0.clone(), record.deadline()))
    }

    fn decode(&self, _: &[u8]) -> Result<Record, DecodeError> {
        Err(DecodeError::Malformed)
    }

    fn touch_mode(&self) -> TouchMode {
        TouchMode::Never
    }
}

#[tokio::test]
async fn what_a_format_cannot_read_is_corrupt_and_what_is_too_large_is_not_written() {
    let sessions = Sessions::new();
    let with =
        async |bytes| FileOptions::new().format(Fixed(bytes)).open(sessions.path()).await.unwrap();
    let store = with(vec![0xff, 0, b'\n']).await;
    store.create(&key(1), &record(), NOW).await.unwrap();
    is_an_error(&sessions, &store, StoreErrorKind::Corrupt, "no record").await;
    let error = with(vec![b'x'; 5 << 20]).await.create(&key(2), &record(), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::TooLarge, "{error}");
    assert!(!sessions.file(2).exists());
    let mut large = record();
    let long = format!("\"{}\"", "x".repeat(4 << 20));
    large.data = [("a", long.as_str())].into_iter().collect();
    let error = sessions.store().await.create(&key(2), &large, NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::TooLarge, "{error}");
}

/// X4: whoever reads the files learns no token.
#[tokio::test]
async fn x4_the_files_hold_no_secret() {
    let sessions = Sessions::new();
    let store = sessions.store().await;
    let (secret, next) = (*b"twenty-four secret bytes", *b"other twenty-four bytes!");
    let handle = Handle::from_bytes(*b"twelve bytes");
    let proof_of = |secret| Proof::of(&namespace(), &handle, secret);
    let key = StoreKey::new(namespace(), handle).with_proof(proof_of(&secret));
    let mut record = of_user("ada");
    record.proofs.present = Some(proof_of(&secret));
    store.create(&key, &record, NOW).await.unwrap();
    applied(&store, &key, patch().change_proof(ProofChange::Replace(proof_of(&next)))).await;
    let files = sessions.walk().0;
    let mut octets = Vec::new();
    for file in &files {
        octets.extend(file.as_os_str().as_encoded_bytes());
        octets.extend(fs::read(file).unwrap());
    }
    let holds = |part: &[u8]| octets.windows(part.len()).any(|window| window == part);
    let hex = |part: &[u8]| part.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
    assert!(holds(hex(handle.as_bytes()).as_bytes()), "the search finds what is there");
    for secret in [&secret, &next] {
        assert!(!holds(&secret[..12]) && !holds(hex(&secret[..12]).as_bytes()));
    }
    // In base64, as tokens are written.
    assert!(!holds(b"dHdlbnR5LWZvdXIgc2VjcmV0") && !holds(b"b3RoZXIgdHdlbnR5LWZvdXIg"));
}

/// Sweeping in small parts comes around everything, damaged files in the way or not.
#[tokio::test]
async fn sweeping_comes_around_and_gets_past_what_is_damaged() {
    let sessions = Sessions::new();
    let store = FileOptions::new().relaxed_durability().open(sessions.path()).await.unwrap();
    let (mut anonymous, mut theirs) = (record(), of_user("ada"));
    anonymous.idle_deadline = NOW + MINUTE;
    theirs.idle_deadline = NOW + MINUTE;
    for of in 0..100 {
        let short = if of % 4 == 0 { &anonymous } else { &theirs };
        store.create(&key(of), short, NOW).await.unwrap();
        store.create(&key(of + 100), &record(), NOW).await.unwrap();
    }
    let damaged = fs::read(sessions.file(7)).unwrap();
    fs::write(sessions.file(7), &damaged[..damaged.len() - 1]).unwrap();
    fs::write(sessions.file(8), "rubbish").unwrap();
    let now = NOW + MINUTE;
    let mut swept = Vec::new();
    loop {
        match store.sweep(30, now).await.unwrap() {
            0 => break,
            some => swept.push(some),
        }
    }
    assert_eq!(swept, [30, 30, 30, 9], "all but the one whose deadline is not known");
    let (files, _) = sessions.walk();
    let left = files.iter().filter(|file| file.to_str().unwrap().contains("handles"));
    let left = left.filter(|file| !file.ends_with("lock")).count();
    assert_eq!(left, 101);
    assert!(!files.iter().any(|file| file.to_str().unwrap().contains("users")), "{files:?}");
    assert_eq!(store.load(&key(101).with_proof(proof(1)), now).await.unwrap().unwrap().user, None);
}
