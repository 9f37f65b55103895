use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine};
use tenure_core::id::{CommitId, Handle, Namespace, Proof};
use tenure_core::store::{Applied, Patch, Record, Store, StoreKey};
use tenure_core::value::Number;
use tenure_core::{SystemRandom, Timestamp};
use tenure_couchdb::{CouchOptions, CouchStore};
use tenure_testkit::server;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const NOW: Timestamp = Timestamp::from_millis(4_000_000_000_000);
pub(crate) const ONE: Number = Number::Int(1);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);

/// A database that no other test uses, on the server that all share.
pub(crate) struct Place {
    /// `user:password@` if there is one.
    user: String,
    pub(crate) host: String,
    pub(crate) name: String,
}

impl Place {
    /// None where there is no server; who asks returns then.
    pub(crate) fn new() -> Option<Self> {
        let url = server::url("couchdb")?;
        let authority = url.split("://").nth(1)?.split('/').next()?;
        let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let user = if user.is_empty() { String::new() } else { format!("{user}@") };
        let name = format!("own_{:032x}", u128::from_be_bytes(*commit().as_bytes()));
        Some(Self { user, host: host.to_owned(), name })
    }

    pub(crate) fn url(&self) -> String {
        format!("couchdb://{}{}/{}", self.user, self.host, self.name)
    }

    pub(crate) async fn connect(&self) -> CouchStore {
        patient().connect(self.url()).await.unwrap()
    }

    pub(crate) async fn store(&self) -> CouchStore {
        let store = self.connect().await;
        store.migrate().await.unwrap();
        store
    }

    /// A store whose requests are written down on their way.
    pub(crate) async fn watched(&self) -> (CouchStore, Relay) {
        self.store().await;
        let relay = Relay::to(&self.host).await;
        let url = format!("couchdb://{}{}/{}", self.user, relay.address, self.name);
        let store = patient().connect(url).await.unwrap();
        store.migrate().await.unwrap();
        relay.take();
        (store, relay)
    }

    /// What the server answers, asked by hand: status and body.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.host).await.unwrap();
        let length = body.len();
        let user = BASE64_STANDARD.encode(self.user.trim_end_matches('@'));
        let request = format!(
            "{method} /{}{path} HTTP/1.0\r\nHost: {}\r\nAuthorization: Basic {user}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}",
            self.name, self.host
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }
}

pub(crate) fn patient() -> CouchOptions {
    CouchOptions::new().operation_timeout(Duration::from_secs(20))
}

/// Passes everything on, and keeps what the store sends.
pub(crate) struct Relay {
    pub(crate) address: String,
    sent: Arc<Mutex<Vec<u8>>>,
}

impl Relay {
    async fn to(host: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (sent, host) = (Arc::<Mutex<Vec<u8>>>::default(), host.to_owned());
        let kept = Arc::clone(&sent);
        tokio::spawn(async move {
            while let Ok((store, _)) = listener.accept().await {
                let (server, kept) = (TcpStream::connect(&host).await.unwrap(), Arc::clone(&kept));
                let (mut from_store, mut to_store) = store.into_split();
                let (mut from_server, mut to_server) = server.into_split();
                tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_store).await });
                tokio::spawn(async move {
                    let mut buffer = [0; 8192];
                    while let Ok(length @ 1..) = from_store.read(&mut buffer).await {
                        kept.lock().unwrap().extend_from_slice(&buffer[..length]);
                        to_server.write_all(&buffer[..length]).await.unwrap();
                    }
                });
            }
        });
        Self { address, sent }
    }

    /// The requests since the last call: method and path below the database.
    pub(crate) fn take(&self) -> Vec<String> {
        let sent = std::mem::take(&mut *self.sent.lock().unwrap());
        let sent = String::from_utf8_lossy(&sent).into_owned();
        assert!(!sent.to_ascii_lowercase().contains("if-match"), "{sent}");
        let line = |line: &str| {
            let line = line.strip_suffix(" HTTP/1.1")?;
            // A body may end without a line of its own.
            let begins = ["GET /", "PUT /", "POST /", "DELETE /"];
            let start = begins.iter().filter_map(|begin| line.rfind(begin)).max()?;
            let (method, path) = line[start..].split_once(" /")?;
            Some(format!("{method} {}", path.split_once('/').map_or("", |(_, path)| path)))
        };
        sent.lines().filter_map(line).collect()
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

/// The id of the document of [`key`].
pub(crate) fn id(of: u8) -> String {
    format!("shop:h{}", format!("{of:02x}").repeat(Handle::LEN))
}

pub(crate) fn commit() -> CommitId {
    CommitId::random(&SystemRandom).unwrap()
}

pub(crate) fn patch() -> Patch {
    Patch::new(commit())
}

pub(crate) fn record() -> Record {
    let mut record = Record::new(NOW, 30 * MINUTE, 720 * MINUTE);
    record.proofs.present = Some(proof(1));
    record.commits = vec![(commit(), NOW)];
    record
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
