//! Requests to the database, and their answers.

use std::io::Cursor;
use std::path::Path;
use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tenure_core::store::{StoreError, StoreErrorKind, StoreResult};
use tokio::sync::Semaphore;

use crate::error::{answered, explained, no_couchdb, other, too_late, unreachable};
use crate::options::CouchOptions;
use crate::url::Url;

type Body = Full<Cursor<Vec<u8>>>;

/// An answer is not read beyond this: a list may be long, and memory ends.
const MAX_ANSWER: usize = 256 << 20;
/// A connection is not used again after this: some servers close theirs from five seconds on, and
/// a request would meet one that is just being closed.
const IDLE: Duration = Duration::from_secs(4);

/// One database, by connections that are kept.
pub(crate) struct Http {
    client: Client<HttpsConnector<HttpConnector>, Body>,
    database: String,
    authorization: Option<HeaderValue>,
    permits: Semaphore,
    limit: Duration,
}

impl Http {
    pub(crate) fn new(url: Url, options: &CouchOptions) -> StoreResult<Self> {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(tls(options.tls_ca_file.as_deref())?);
        let connector = if url.tls { connector.https_only() } else { connector.https_or_http() };
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(options.max_connections)
            .build(connector.enable_http1().wrap_connector(tcp));
        Ok(Self {
            client,
            database: url.database,
            authorization: url.authorization,
            permits: Semaphore::new(options.max_connections),
            limit: options.operation_timeout,
        })
    }

    /// What the server answers to a request for `path` below the database, within the time limit.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> StoreResult<Answer> {
        let body = body.map(ToString::to_string).unwrap_or_default();
        tokio::time::timeout(self.limit, self.answer(method, path, body))
            .await
            .map_err(|_| too_late(self.limit))?
    }

    async fn answer(&self, method: Method, path: &str, body: String) -> StoreResult<Answer> {
        let _permit = self
            .permits
            .acquire()
            .await
            .map_err(|_| StoreError::new(StoreErrorKind::Unavailable, "the store is closed"))?;
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.database))
            .header(ACCEPT, "application/json");
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let request = request
            .body(Full::new(Cursor::new(body.into_bytes())))
            .map_err(|error| other(format!("the request cannot be written: {error}")))?;
        let answer = self.client.request(request).await.map_err(unreachable)?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), MAX_ANSWER);
        let body = body.collect().await.map_err(unreachable)?.to_bytes().to_vec();
        Ok(Answer { status, body })
    }

    /// Ends all that goes through here.
    pub(crate) fn close(&self) {
        self.permits.close();
    }
}

/// An answer of whatever status.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    body: Vec<u8>,
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    error: String,
    #[serde(default)]
    reason: Option<String>,
}

impl Answer {
    /// What a good answer says.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> StoreResult<T> {
        // A cluster says 202 where too few nodes have the write.
        if !self.status.is_success() || self.status == StatusCode::ACCEPTED {
            return Err(self.failure());
        }
        match serde_json::from_slice(&self.body) {
            Ok(read) => Ok(read),
            Err(error) if self.said().is_some() => {
                Err(other(format!("CouchDB answers what it never did: {error}")))
            }
            Err(_) => Err(no_couchdb(self.status)),
        }
    }

    /// What any other answer means.
    pub(crate) fn failure(&self) -> StoreError {
        match self.said() {
            Some(Said { error, reason }) => {
                answered(self.status, &format!("{error}: {}", reason.unwrap_or_default()))
            }
            None => no_couchdb(self.status),
        }
    }

    /// Whether a document is not there; that the database is not there is an error.
    pub(crate) fn is_missing(&self) -> StoreResult<bool> {
        if self.status != StatusCode::NOT_FOUND {
            return Ok(false);
        }
        match self.said().and_then(|said| said.reason).as_deref() {
            Some("missing" | "deleted") => Ok(true),
            _ => Err(self.failure()),
        }
    }

    fn said(&self) -> Option<Said> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// TLS with servers whose certificate comes from one of the authorities in the file, or from one
/// that browsers trust.
fn tls(ca_file: Option<&Path>) -> StoreResult<ClientConfig> {
    const ADVICE: &str = "the file of CouchOptions::tls_ca_file cannot be used";
    let unusable = |error: Box<dyn std::error::Error + Send + Sync>| {
        explained(StoreErrorKind::Other, ADVICE, error)
    };
    let mut roots = RootCertStore::empty();
    if let Some(path) = ca_file {
        for certificate in CertificateDer::pem_file_iter(path).map_err(|e| unusable(e.into()))? {
            let certificate = certificate.map_err(|error| unusable(error.into()))?;
            roots.add(certificate).map_err(|error| unusable(error.into()))?;
        }
        if roots.is_empty() {
            return Err(unusable("it has no certificate".into()));
        }
    } else {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .map(|config| config.with_root_certificates(roots).with_no_client_auth())
        .map_err(|error| unusable(error.into()))
}
