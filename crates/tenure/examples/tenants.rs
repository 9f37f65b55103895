//! One application for several tenants, told apart by the host name: the same routes, keys and store,
//! and no session that crosses.
//!
//! `cargo run -p tenure --features axum --example tenants`, then http://north.localhost:3000 and
//! http://south.localhost:3000, where you are two people.
//!
//! - Each tenant has `Sessions` of its own, with a namespace and a cookie that bear its name: the key in
//!   the store is bound to the first, the signature of a token to the second. A token of one is nothing
//!   at another, and costs no store call there.
//! - The prefix `__Host-` binds the cookie to its host, so that browsers do not even send it elsewhere.
//! - Tenants below one domain are one site: `SameSite` does not keep them apart, the `CsrfLayer` does.
//! - A host that is no tenant's gets no session at all.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{StatusCode, header::HOST};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Form, Router};
use serde::Deserialize;
use tenure::axum::{Error, Redirect, Session};
use tenure::csrf::OriginCheck;
use tenure::session::LocalPath;
use tenure::store::{AnyStore, MemoryStore};
use tenure::tower::SessionLayer;
use tenure::tower::csrf::CsrfLayer;
use tenure::transform::{Keyring, SecretKey};
use tenure::transport::Cookie;
use tenure::{Sessions, UserId};
use tower::ServiceExt;

#[derive(Clone)]
struct Tenant(String);

type Tenants = Arc<HashMap<String, Router>>;

/// The application for the tenants at these hosts.
pub(crate) fn router(store: &AnyStore, keys: &Keyring, hosts: &[&str]) -> tenure::Result<Router> {
    let mut tenants = HashMap::new();
    for &host in hosts {
        let sessions = Sessions::builder()
            .store(store.clone())
            .signing_keys(keys.clone())
            .namespace(host)
            .cookie(Cookie::named(format!("__Host-{host}")))
            .build()?;
        let routes = Router::new()
            .route("/", get(home))
            .route("/login", post(login))
            .layer(Extension(Tenant(host.to_owned())))
            .layer(CsrfLayer::new(OriginCheck::new()))
            .layer(SessionLayer::new(sessions));
        tenants.insert(host.to_owned(), routes);
    }
    Ok(Router::new().fallback(by_host).with_state(Arc::new(tenants)))
}

async fn by_host(State(tenants): State<Tenants>, request: Request) -> Response {
    let tenant = host(&request).and_then(|host| tenants.get(&host).cloned());
    let Some(tenant) = tenant else {
        return (StatusCode::MISDIRECTED_REQUEST, "There is nobody at this host.").into_response();
    };
    tenant.oneshot(request).await.into_response()
}

/// The host without its port. Behind a proxy it is the proxy that has to hand `Host` on.
fn host(request: &Request) -> Option<String> {
    let named = || request.headers().get(HOST)?.to_str().ok()?.parse::<Authority>().ok();
    let authority = request.uri().authority().cloned().or_else(named)?;
    Some(authority.host().to_ascii_lowercase())
}

async fn home(Extension(Tenant(name)): Extension<Tenant>, session: Session) -> Html<String> {
    Html(match session.user() {
        Some(_) => format!("<p>You are logged in at {name}."),
        None => format!(
            r#"<p>Nobody is logged in at {name}.
               <form method="post" action="/login"><input name="user"><button>Log in</button></form>"#
        ),
    })
}

#[derive(Deserialize)]
struct LoginForm {
    user: String,
}

/// The recipe `login_argon2` asks for a password.
async fn login(session: Session, Form(form): Form<LoginForm>) -> Result<Redirect, Response> {
    let user = UserId::new(&form.user)
        .map_err(|_| (StatusCode::UNPROCESSABLE_ENTITY, "Tell a name.").into_response())?;
    session.login(user.as_str()).map_err(|error| Error::from(error).into_response())?;
    Ok(Redirect::to(LocalPath::ROOT))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (store, keys) = (AnyStore::new(MemoryStore::new()), SecretKey::generate()?);
    let hosts = ["north.localhost", "south.localhost"];
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, router(&store, &Keyring::new([keys]), &hosts)?).await?;
    Ok(())
}
