//! An identity provider on a port of its own: it knows one user, who always says yes, and keeps to
//! RFC 6749 and RFC 7636 about codes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use axum::extract::{Form, Query, State};
use axum::response::Redirect;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;

type Fields = HashMap<String, String>;

#[derive(Default)]
struct Inner {
    /// The requests that codes were given for, until they are exchanged.
    codes: Mutex<HashMap<String, Fields>>,
    given: Mutex<u32>,
    exchanges: Mutex<usize>,
}

pub(crate) struct IdentityProvider {
    pub(crate) origin: String,
    inner: Arc<Inner>,
}

impl IdentityProvider {
    pub(crate) async fn start() -> Self {
        let inner = Arc::new(Inner::default());
        let app = Router::new()
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .with_state(Arc::clone(&inner));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
        Self { origin, inner }
    }

    /// Goes there as a browser, and tells where it is sent to.
    pub(crate) async fn visit(&self, url: String) -> String {
        assert!(url.starts_with(&self.origin), "{url}");
        let visiting = tokio::task::spawn_blocking(move || {
            let config = ureq::Agent::config_builder().max_redirects(0);
            let agent: ureq::Agent = config.build().into();
            agent.get(url).call().unwrap().headers()["location"].to_str().unwrap().to_owned()
        });
        visiting.await.unwrap()
    }

    /// How often somebody came with a code.
    pub(crate) fn exchanges(&self) -> usize {
        *self.inner.exchanges.lock().unwrap()
    }

    /// The session of its user here.
    pub(crate) fn sid(&self) -> String {
        "08a5019c".into()
    }
}

async fn authorize(
    State(inner): State<Arc<Inner>>,
    Query(asked): Query<Fields>,
) -> Result<Redirect, StatusCode> {
    let has = |name: &str, value| asked.get(name).is_some_and(|found| found == value);
    let (Some(to), Some(state)) = (asked.get("redirect_uri"), asked.get("state")) else {
        return Err(StatusCode::BAD_REQUEST);
    };
    let challenged = asked.get("code_challenge").is_some_and(|challenge| challenge.len() == 43);
    if !(has("response_type", "code") && has("code_challenge_method", "S256") && challenged) {
        return Err(StatusCode::BAD_REQUEST);
    }
    let mut given = inner.given.lock().unwrap();
    *given += 1;
    let code = format!("code-{given}");
    let to = format!("{to}?code={code}&state={state}");
    inner.codes.lock().unwrap().insert(code, asked);
    Ok(Redirect::to(&to))
}

async fn token(
    State(inner): State<Arc<Inner>>,
    Form(form): Form<Fields>,
) -> Result<Json<Value>, StatusCode> {
    *inner.exchanges.lock().unwrap() += 1;
    let field = |name: &str| form.get(name).ok_or(StatusCode::BAD_REQUEST);
    let asked = inner.codes.lock().unwrap().remove(field("code")?);
    let asked = asked.ok_or(StatusCode::BAD_REQUEST)?;
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(field("code_verifier")?));
    let fits = field("grant_type")? == "authorization_code"
        && asked["code_challenge"] == challenge
        && asked["redirect_uri"] == *field("redirect_uri")?
        && asked.get("client_id") == form.get("client_id");
    if !fits {
        return Err(StatusCode::BAD_REQUEST);
    }
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let exp = now + Duration::from_secs(60 * 60);
    let claims = json!({
        "sub": "ada", "sid": "08a5019c", "auth_time": now.as_secs(), "exp": exp.as_secs(),
    });
    Ok(Json(claims))
}
