use std::sync::{Arc, Mutex};
use std::time::Duration;

use tenure_core::format::{DecodeError, Encoded, Envelope, RecordFormat, TouchMode};
use tenure_core::id::{CommitId, Handle, Namespace, Proof};
use tenure_core::store::simple::{SimpleDriver, SimpleStore};
use tenure_core::store::{
    Created, Record, Store, StoreError, StoreErrorKind, StoreKey, StoreResult,
};
use tenure_core::{SystemRandom, Timestamp};

use crate::driver::{Down, Texts};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const IDLE: Duration = Duration::from_secs(60);

fn administrative() -> StoreKey {
    StoreKey::new(Namespace::new("shop").unwrap(), Handle::from_bytes([1; 12]))
}

fn key() -> StoreKey {
    administrative().with_proof(Proof::from_bytes([1; 32]))
}

fn record() -> Record {
    let mut record = Record::new(NOW, IDLE, 10 * IDLE);
    record.proofs.present = key().proof().copied();
    record.commits = vec![(CommitId::random(&SystemRandom).unwrap(), NOW)];
    record
}

#[tokio::test]
async fn a_value_that_is_no_record_is_an_error_and_can_be_deleted() {
    let texts = Texts::default();
    let store = SimpleStore::new(texts.clone());
    for (text, kind) in [
        ("", StoreErrorKind::Corrupt),
        ("{\"v\":1}", StoreErrorKind::Corrupt),
        ("hello", StoreErrorKind::Corrupt),
        ("{\"v\":2}", StoreErrorKind::UnknownVersion),
    ] {
        assert_eq!(store.create(&key(), &record(), NOW).await.unwrap(), Created::Created);
        texts.put(text);
        assert_eq!(store.load(&key(), NOW).await.unwrap_err().kind(), kind, "{text}");
        assert_eq!(store.create(&key(), &record(), NOW).await.unwrap_err().kind(), kind, "{text}");
        assert_eq!(store.touch(&key(), NOW + IDLE, NOW).await.unwrap_err().kind(), kind);
        assert_eq!(texts.only(), text, "an error writes nothing");
        let deleted = store.delete(&key(), NOW).await;
        if kind == StoreErrorKind::Corrupt {
            assert!(deleted.unwrap(), "{text}");
        } else {
            assert_eq!(deleted.unwrap_err().kind(), kind, "a newer version may read it");
            assert!(store.delete(&administrative(), NOW).await.unwrap(), "{text}");
        }
        assert!(texts.map().is_empty());
    }
}

#[tokio::test]
async fn a_driver_that_is_down_is_no_empty_session() {
    let store = SimpleStore::new(Down);
    for error in [
        store.load(&key(), NOW).await.unwrap_err(),
        store.create(&key(), &record(), NOW).await.unwrap_err(),
        store.delete(&key(), NOW).await.unwrap_err(),
        store.touch(&key(), NOW + IDLE, NOW).await.unwrap_err(),
        store.driver().touch("a", NOW).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
    }
}

/// Our own format, but for what it says about touches, and about text.
#[derive(Debug)]
struct Other(TouchMode, &'static [u8]);

impl RecordFormat for Other {
    fn encode(&self, record: &Record) -> Result<Encoded, StoreError> {
        let mut encoded = Envelope.encode(record)?;
        encoded.bytes.extend(self.1);
        Ok(encoded)
    }

    fn decode(&self, bytes: &[u8]) -> Result<Record, DecodeError> {
        Envelope.decode(bytes)
    }

    fn touch_mode(&self) -> TouchMode {
        self.0
    }
}

/// Notes until when a value is kept.
#[derive(Clone, Default)]
struct Dated(Texts, Arc<Mutex<Vec<(&'static str, Timestamp)>>>);

impl SimpleDriver for Dated {
    async fn read(&self, id: &str) -> StoreResult<Option<String>> {
        self.0.read(id).await
    }

    async fn write(&self, id: &str, value: &str, until: Timestamp) -> StoreResult<()> {
        self.1.lock().unwrap().push(("write", until));
        self.0.write(id, value, until).await
    }

    async fn destroy(&self, id: &str) -> StoreResult<()> {
        self.0.destroy(id).await
    }

    async fn touch(&self, _id: &str, until: Timestamp) -> StoreResult<()> {
        self.1.lock().unwrap().push(("touch", until));
        Ok(())
    }
}

/// The driver learns until when a session is needed, and is asked to touch where the value stays.
#[tokio::test]
async fn the_driver_learns_the_deadline() {
    let later = NOW + IDLE / 2;
    for (mode, asked) in [
        (TouchMode::Rewrite, &[("write", NOW + IDLE), ("write", later + IDLE)][..]),
        (TouchMode::ExpiryOnly, &[("write", NOW + IDLE), ("touch", later + IDLE)]),
        (TouchMode::Never, &[("write", NOW + IDLE)]),
    ] {
        let driver = Dated::default();
        let store = SimpleStore::new(driver.clone()).format(Other(mode, b""));
        store.create(&key(), &record(), NOW).await.unwrap();
        let before = driver.0.only();
        assert!(store.touch(&key(), later + IDLE, later).await.unwrap());
        assert!(!store.touch(&administrative(), later + IDLE, later).await.unwrap());
        assert_eq!(driver.1.lock().unwrap()[..], *asked, "{mode:?}");
        assert_eq!(driver.0.only() == before, mode != TouchMode::Rewrite);
    }
}

/// Without a `touch` of its own a driver writes the same value again.
#[tokio::test]
async fn a_touch_is_a_write_where_the_driver_has_none() {
    let texts = Texts::default();
    texts.write("a", "1", NOW).await.unwrap();
    texts.touch("a", NOW + IDLE).await.unwrap();
    texts.touch("b", NOW + IDLE).await.unwrap();
    assert_eq!(texts.only(), "1", "what is missing stays missing");
}

#[tokio::test]
async fn what_is_no_text_never_reaches_the_driver() {
    let texts = Texts::default();
    let store = SimpleStore::new(texts.clone()).format(Other(TouchMode::Rewrite, b"\xff"));
    let error = store.create(&key(), &record(), NOW).await.unwrap_err();
    assert!(error.to_string().contains("UTF-8"), "{error}");
    assert!(texts.map().is_empty());
    assert!(format!("{store:?}").contains("Other"));
}
