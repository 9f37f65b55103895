//! Formats of records.

use tenure_core::format::{Envelope, MessagePack, RecordFormat};
use tenure_core::store::Store;
use tenure_core::transform::{Keyring, SecretKey};
use tenure_core::{Result, Sessions, UserId};
use tenure_sql::{SqliteOptions, SqliteStore};

use crate::support::{Database, NOW, ONE, applied, key, loaded, number, patch, record};

async fn open(database: &Database, format: impl RecordFormat) -> SqliteStore {
    let store = SqliteOptions::new().format(format).open(database.path()).await.unwrap();
    store.migrate().await.unwrap();
    store
}

/// K18: an application goes to MessagePack and back, and everybody stays logged in.
#[tokio::test]
async fn k18_a_change_of_format_logs_nobody_out() -> Result<()> {
    let (database, keys) = (Database::new(), SecretKey::generate()?);
    let managed = |store: SqliteStore| {
        Sessions::builder().store(store).signing_keys(Keyring::new([keys.clone()])).build()
    };
    let before = managed(open(&database, Envelope).await)?;
    let session = before.start().await?;
    session.login("ada")?;
    session.set("cart", ["tea", "milk"])?;
    session.save().await?;
    let token = session.danger_expose_token().unwrap();

    let after = managed(open(&database, MessagePack).await)?;
    for (sessions, article) in [(&after, "rice"), (&before, "bread"), (&after, "salt")] {
        let session = sessions.open_token(&token).await?.expect("a session of the other format");
        assert_eq!(session.user().as_ref().map(UserId::as_str), Some("ada"));
        session.push("cart", article)?;
        session.save().await?;
    }
    let session = before.open_token(&token).await?.unwrap();
    let cart = session.get::<Vec<String>>("cart")?.unwrap();
    assert_eq!(cart, ["tea", "milk", "rice", "bread", "salt"]);
    Ok(())
}

/// K18: JSON stays text, which people can read; what is no text is kept as octets.
#[tokio::test]
async fn k18_the_column_keeps_text_and_octets() {
    let database = Database::new();
    let (json, packed) = (open(&database, Envelope).await, open(&database, MessagePack).await);
    let counts = async |kind: &str| {
        let of = format!("SELECT count(*) FROM tenure_sessions WHERE typeof(record) = '{kind}'");
        number(&json, Box::leak(of.into_boxed_str())).await
    };
    json.create(&key(1), &record(), NOW).await.unwrap();
    packed.create(&key(2), &record(), NOW).await.unwrap();
    assert_eq!((counts("text").await, counts("blob").await), (1, 1));
    applied(&packed, &key(1), patch().add("n", ONE)).await;
    assert_eq!((counts("text").await, counts("blob").await), (0, 2));
    applied(&json, &key(1), patch().add("n", ONE)).await;
    assert_eq!((counts("text").await, counts("blob").await), (1, 1));
    assert_eq!(loaded(&json, &key(2)).await, loaded(&packed, &key(2)).await);
}
