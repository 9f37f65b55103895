//! Log-in at an identity provider: the authorization code flow with `state` and PKCE, and back-channel
//! logout (RFC 6749, RFC 7636, RFC 9700; OpenID Connect Back-Channel Logout 1.0).
//!
//! `PROVIDER=https://id.example BACKCHANNEL_SECRET=… cargo run -p tenure --features axum --example
//! oauth_pkce`, then http://localhost:3000/account. The provider has `/authorize` and `/token`.
//!
//! - `issue_secret` keeps only the hash of `state`, for ten minutes; `consume` has one winner however often
//!   and however parallel the browser comes back, and nobody in another session has it at all.
//! - The verifier is in the session, never in the browser; `take_once` gives it to the winner alone.
//! - The log-in drops both, gives a new secret, and goes to the page that was asked for.
//! - The session ends when the provider says so, and by `revoke_external` when the user logs out there.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::extract::{Query, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect as Elsewhere, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tenure::axum::{Auth, Error, Redirect, Session, Sessions as Manager};
use tenure::session::{LocalPath, Login};
use tenure::tower::{RequireAuth, SessionLayer};
use tenure::{Key, Random, Sessions, SystemRandom, UserId};

const VERIFIER: Key<String> = Key::new("verifier");
const LIFETIME: Duration = Duration::from_secs(10 * 60);

/// What the provider and this application know of each other.
#[derive(Clone)]
pub(crate) struct Provider {
    /// Where it is, such as `https://id.example`.
    pub(crate) origin: String,
    pub(crate) client_id: &'static str,
    /// Where it sends the browser back to, to the letter (RFC 9700 section 2.1).
    pub(crate) redirect_uri: &'static str,
    /// What it proves a back-channel call with. A real one signs a logout token instead.
    pub(crate) secret: String,
}

/// A page for who is logged in, and the way there.
pub(crate) fn router(sessions: Sessions, provider: Provider) -> Router {
    Router::new()
        .route("/account", get(account))
        .layer(RequireAuth::new().redirect_to("/login"))
        .route("/login", get(begin))
        .route("/callback", get(callback))
        .route("/backchannel", post(backchannel))
        .with_state(Arc::new(provider))
        .layer(SessionLayer::new(sessions))
}

async fn account(Auth(user): Auth<UserId>) -> String {
    format!("The account of {}", user.as_str())
}

async fn begin(State(provider): State<Arc<Provider>>, session: Session) -> Result<Response, Error> {
    let mut octets = [0; 32];
    if SystemRandom.fill(&mut octets).is_err() {
        return Ok(StatusCode::SERVICE_UNAVAILABLE.into_response());
    }
    let verifier = URL_SAFE_NO_PAD.encode(octets);
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
    session.set(VERIFIER, verifier)?;
    let state = session.issue_secret("oauth", LIFETIME)?;
    let Provider { origin, client_id, redirect_uri, .. } = &*provider;
    // None of these needs percent-encoding beyond what is done here.
    let redirect_uri = redirect_uri.replace(':', "%3A").replace('/', "%2F");
    let to = format!(
        "{origin}/authorize?response_type=code&client_id={client_id}&redirect_uri={redirect_uri}\
         &state={state}&code_challenge={challenge}&code_challenge_method=S256"
    );
    Ok(Elsewhere::to(&to).into_response())
}

#[derive(Deserialize)]
struct Callback {
    state: String,
    /// None where the user said no.
    code: Option<String>,
}

/// What the claims of an ID token say.
#[derive(Deserialize)]
struct Identity {
    sub: String,
    sid: String,
    /// In seconds since 1970.
    auth_time: u64,
    exp: u64,
}

async fn callback(
    State(provider): State<Arc<Provider>>,
    session: Session,
    Query(Callback { state, code }): Query<Callback>,
) -> Result<Response, Error> {
    let refused = |why: &'static str| Ok((StatusCode::FORBIDDEN, why).into_response());
    if !session.consume("oauth", &state).await? {
        return refused("This log-in was not begun here, or is over. Begin again.");
    }
    let (Some(verifier), Some(code)) = (session.take_once(VERIFIER).await?, code) else {
        return refused("There was no log-in.");
    };
    let asked = tokio::task::spawn_blocking(move || exchange(&provider, &code, &verifier)).await;
    let Some(identity) = asked.ok().flatten() else {
        return refused("The provider does not know of this log-in.");
    };
    let time = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let login = Login::new(identity.sub)?
        .authenticated_at(time(identity.auth_time))
        .until(time(identity.exp))
        .external_id(identity.sid);
    let to = session.intended_url()?.unwrap_or(LocalPath::ROOT);
    session.login_as(login)?;
    Ok(Redirect::to(to).into_response())
}

/// Asks the provider, directly, who has come. The answer is as good as the TLS to it.
fn exchange(provider: &Provider, code: &str, code_verifier: &str) -> Option<Identity> {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("client_id", provider.client_id),
        ("redirect_uri", provider.redirect_uri),
        ("code_verifier", code_verifier),
    ];
    let mut answer = ureq::post(format!("{}/token", provider.origin)).send_form(fields).ok()?;
    serde_json::from_str(&answer.body_mut().read_to_string().ok()?).ok()
}

#[derive(Deserialize)]
struct Logout {
    sub: String,
    sid: String,
}

/// The user has logged out at the provider.
async fn backchannel(
    State(provider): State<Arc<Provider>>,
    sessions: Manager,
    headers: HeaderMap,
    Json(Logout { sub, sid }): Json<Logout>,
) -> Result<StatusCode, Error> {
    let presented = headers.get(AUTHORIZATION).map(Sha256::digest);
    if presented != Some(Sha256::digest(format!("Bearer {}", provider.secret))) {
        return Ok(StatusCode::UNAUTHORIZED);
    }
    sessions.revoke_external(&UserId::new(sub)?, &sid).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let provider = Provider {
        origin: std::env::var("PROVIDER")?,
        client_id: "tenure",
        redirect_uri: "http://localhost:3000/callback",
        secret: std::env::var("BACKCHANNEL_SECRET")?,
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, router(Sessions::in_memory()?, provider)).await?;
    Ok(())
}
