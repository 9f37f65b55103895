use std::sync::{Arc, Mutex};
use std::time::Duration;

use mongodb::bson::{Document, doc};
use mongodb::event::EventHandler;
use mongodb::event::command::CommandEvent;
use mongodb::options::ClientOptions;
use mongodb::{Client, Collection};
use tenure_core::id::{CommitId, Handle, Namespace, Proof};
use tenure_core::store::{Applied, Patch, Record, Store, StoreKey};
use tenure_core::value::{Data, Number};
use tenure_core::{SystemRandom, Timestamp};
use tenure_mongodb::{MongoOptions, MongoStore};
use tenure_testkit::server;

pub(crate) const NOW: Timestamp = Timestamp::from_millis(4_000_000_000_000);
pub(crate) const ONE: Number = Number::Int(1);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);

/// A collection that no other test uses, on the server that all share.
pub(crate) struct Place {
    pub(crate) url: String,
    pub(crate) name: String,
}

impl Place {
    /// None where there is no server; who asks returns then.
    pub(crate) fn new() -> Option<Self> {
        let number = u128::from_be_bytes(*commit().as_bytes());
        Some(Self { url: server::url("mongodb")?, name: format!("own_{number:032x}") })
    }

    pub(crate) fn options(&self) -> MongoOptions {
        let options = MongoOptions::new().collection(&self.name).unwrap();
        options.operation_timeout(Duration::from_secs(20))
    }

    pub(crate) async fn connect(&self) -> MongoStore {
        self.options().connect(&self.url).await.unwrap()
    }

    pub(crate) async fn store(&self) -> MongoStore {
        let store = self.connect().await;
        store.migrate().await.unwrap();
        store
    }

    /// A store by a client of its own, and the commands that go through it.
    pub(crate) async fn watched(&self) -> (MongoStore, Commands) {
        let commands = Commands::default();
        let mut options = ClientOptions::parse(&self.url).await.unwrap();
        options.command_event_handler = Some(commands.handler());
        let client = Client::with_options(options).unwrap();
        let store = self.options().with_client(client).unwrap();
        store.migrate().await.unwrap();
        commands.take();
        (store, commands)
    }

    /// The documents as the driver sees them.
    pub(crate) fn documents(&self, store: &MongoStore) -> Collection<Document> {
        store.client().default_database().unwrap().collection(&self.name)
    }

    /// Whether there is such a collection.
    pub(crate) async fn is_there(&self, store: &MongoStore) -> bool {
        let database = store.client().default_database().unwrap();
        let named = database.list_collection_names().filter(doc! { "name": &self.name });
        !named.await.unwrap().is_empty()
    }
}

/// The names of the commands that were sent.
#[derive(Clone, Default)]
pub(crate) struct Commands(Arc<Mutex<Vec<String>>>);

impl Commands {
    fn handler(&self) -> EventHandler<CommandEvent> {
        let sent = Arc::clone(&self.0);
        EventHandler::callback(move |event| {
            if let CommandEvent::Started(started) = event {
                sent.lock().unwrap().push(started.command_name);
            }
        })
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

pub(crate) fn namespace(name: &str) -> Namespace {
    Namespace::new(name).unwrap()
}

pub(crate) fn proof(of: u8) -> Proof {
    Proof::from_bytes([of; Proof::LEN])
}

/// A key whose proof is that of [`record`].
pub(crate) fn key(of: u8) -> StoreKey {
    StoreKey::new(namespace("shop"), Handle::from_bytes([of; Handle::LEN])).with_proof(proof(1))
}

pub(crate) fn commit() -> CommitId {
    CommitId::random(&SystemRandom).unwrap()
}

pub(crate) fn patch() -> Patch {
    Patch::new(commit())
}

pub(crate) fn record() -> Record {
    let mut record = foreign_record();
    record.proofs.present = Some(proof(1));
    record
}

/// A record that a key without a proof may use.
pub(crate) fn foreign_record() -> Record {
    let mut record = Record::new(NOW, 30 * MINUTE, 720 * MINUTE);
    record.commits = vec![(commit(), NOW)];
    record
}

pub(crate) fn data<const N: usize>(values: [(&str, &str); N]) -> Data {
    values.into_iter().collect()
}

pub(crate) async fn applied(store: &impl Store, key: &StoreKey, patch: Patch) -> Record {
    match store.apply(key, &patch, NOW).await.unwrap() {
        Applied::Done(Some(record)) => *record,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn loaded(store: &impl Store, key: &StoreKey) -> Record {
    store.load(key, NOW).await.unwrap().expect("the session is there")
}
