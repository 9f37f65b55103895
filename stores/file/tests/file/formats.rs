//! Formats of records.

use std::fs;

use tenure_core::format::{Envelope, MessagePack, RecordFormat};
use tenure_core::store::Store;
use tenure_core::transform::{Keyring, SecretKey};
use tenure_core::{Result, UserId};
use tenure_file::{FileOptions, FileStore};

use crate::support::{NOW, ONE, Sessions, applied, key, loaded, patch, record};

async fn open(sessions: &Sessions, format: impl RecordFormat) -> FileStore {
    FileOptions::new().format(format).open(sessions.path()).await.unwrap()
}

fn managed(store: FileStore, keys: &SecretKey) -> tenure_core::Sessions {
    let builder = tenure_core::Sessions::builder().store(store);
    builder.signing_keys(Keyring::new([keys.clone()])).build().unwrap()
}

/// K18: an application goes to MessagePack and back, and everybody stays logged in.
#[tokio::test]
async fn k18_a_change_of_format_logs_nobody_out() -> Result<()> {
    let (sessions, keys) = (Sessions::new(), SecretKey::generate()?);
    let before = managed(open(&sessions, Envelope).await, &keys);
    let session = before.start().await?;
    session.login("ada")?;
    session.set("cart", ["tea", "milk"])?;
    session.save().await?;
    let token = session.danger_expose_token().unwrap();

    let after = managed(open(&sessions, MessagePack).await, &keys);
    let session = after.open_token(&token).await?.expect("a session of the other format");
    assert_eq!(session.user().as_ref().map(UserId::as_str), Some("ada"));
    assert_eq!(session.get::<Vec<String>>("cart")?.unwrap(), ["tea", "milk"]);
    session.push("cart", "rice")?;
    session.save().await?;

    // A process that still runs with the old setting, or that went back to it.
    let session = before.open_token(&token).await?.expect("a session of the other format");
    assert_eq!(session.user().as_ref().map(UserId::as_str), Some("ada"));
    assert_eq!(session.get::<Vec<String>>("cart")?.unwrap().len(), 3);
    session.increment("visits", 1)?;
    session.save().await?;
    let session = after.open_token(&token).await?.unwrap();
    assert_eq!(session.get("visits")?, Some(1));
    session.logout()?;
    session.save().await?;
    assert!(before.open_token(&token).await?.is_none());
    Ok(())
}

/// K18: a record is in the format of whoever wrote it last.
#[tokio::test]
async fn k18_the_format_is_marked_in_the_file() {
    let sessions = Sessions::new();
    let (json, packed) = (open(&sessions, Envelope).await, open(&sessions, MessagePack).await);
    let body = || {
        let file = fs::read(sessions.file(1)).unwrap();
        let lines = file.iter().enumerate().filter(|(_, octet)| **octet == b'\n');
        file[lines.map(|(at, _)| at + 1).nth(1).unwrap()..].to_vec()
    };
    json.create(&key(1), &record(), NOW).await.unwrap();
    assert!(body().starts_with(b"{\"v\":1,"));
    applied(&packed, &key(1), patch().add("n", ONE)).await;
    assert!(matches!(body()[0], 0x80..=0x8f | 0xde) && !body().starts_with(b"{"));
    assert_eq!(loaded(&json, &key(1)).await, loaded(&packed, &key(1)).await);
    applied(&json, &key(1), patch().add("n", ONE)).await;
    assert!(body().starts_with(b"{\"v\":1,"));
}
