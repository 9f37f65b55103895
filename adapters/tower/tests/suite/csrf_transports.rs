//! Forged requests, where sessions travel by more than a cookie: P3, T-CSRF-3.

use std::collections::BTreeMap;

use axum::routing::{get, post};
use axum::{Form, Json, Router};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Request, StatusCode};
use tenure_core::csrf::OriginCheck;
use tenure_core::session::BearerToken;
use tenure_core::store::MemoryStore;
use tenure_core::transport::{Bearer, Cookie, Header};
use tenure_core::{Sessions, SessionsBuilder};
use tenure_tower::SessionLayer;
use tenure_tower::axum::{Csrf, Error, Session};
use tenure_tower::csrf::CsrfLayer;

use crate::client::{Answer, Client};

type Fields = BTreeMap<String, String>;

fn routes() -> Router {
    async fn act(session: Session) -> Result<String, Error> {
        let user = session.user().map_or_else(|| "-".into(), |user| user.as_str().to_owned());
        Ok(format!("{user} {}", session.increment("n", 1).map(|()| "acted")?))
    }
    async fn login(session: Session) -> Result<String, Error> {
        session.login("ada")?;
        Ok(session.csrf_token()?)
    }
    async fn token(session: Session) -> Result<Json<BearerToken>, Error> {
        session.login("bob")?;
        Ok(Json(session.issue_bearer().await?))
    }
    async fn form(session: Session, Csrf(Form(_)): Csrf<Form<Fields>>) -> Result<String, Error> {
        act(session).await
    }
    Router::new()
        .route("/act", post(act))
        .route("/form", post(form))
        .route("/login", get(login))
        .route("/token", get(token))
}

fn sessions(transports: impl FnOnce(SessionsBuilder) -> SessionsBuilder) -> Sessions {
    transports(Sessions::builder().store(MemoryStore::new())).build().unwrap()
}

fn bearer_first() -> Sessions {
    sessions(|builder| {
        let builder = builder.bearer(Bearer::new()).header(Header::named("x-session"));
        builder.cookie(Cookie::default())
    })
}

fn behind(sessions: &Sessions, layer: CsrfLayer) -> Router {
    routes().layer(layer).layer(SessionLayer::new(sessions.clone()))
}

fn tokens() -> CsrfLayer {
    CsrfLayer::new(OriginCheck::new()).require_token()
}

async fn bearer_token(app: &Router) -> String {
    let body = Client::new(app).get("/token").await.body;
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    body["access_token"].as_str().unwrap().to_owned()
}

fn form(path: &str) -> http::request::Builder {
    Request::post(path).header(CONTENT_TYPE, "application/x-www-form-urlencoded")
}

fn done(answer: &Answer) -> (StatusCode, &str) {
    (answer.status, &answer.body)
}

/// P3: what a client puts there on purpose no other site can make it send; it needs no token.
#[tokio::test]
async fn p3_t_csrf_3_a_bearer_client_needs_no_token() {
    let sessions = bearer_first();
    let app = behind(&sessions, tokens());
    let token = bearer_token(&app).await;
    for path in ["/act", "/form"] {
        let request = form(path).header(AUTHORIZATION, format!("Bearer {token}"));
        assert_eq!(done(&Client::new(&app).send(request).await), (StatusCode::OK, "bob acted"));
        let request = form(path).header("x-session", "");
        assert_eq!(done(&Client::new(&app).send(request).await), (StatusCode::OK, "- acted"));
    }
    // The extractor alone, too.
    let app = routes().layer(SessionLayer::new(sessions));
    let request = form("/form").header(AUTHORIZATION, format!("Bearer {token}"));
    assert_eq!(done(&Client::new(&app).send(request).await), (StatusCode::OK, "bob acted"));
}

/// T-CSRF-3: what a browser may send by itself needs one, and so does what comes with nothing.
#[tokio::test]
async fn t_csrf_3_what_came_by_a_cookie_or_by_nothing_needs_its_token() {
    let app = behind(&bearer_first(), tokens());
    let mut ada = Client::new(&app);
    let token = ada.get("/login").await.body;
    for path in ["/act", "/form"] {
        for authorization in [None, Some("Basic QWRhOmFkYQ=="), Some("Negotiate QWRh")] {
            for mut client in [ada.clone(), Client::new(&app)] {
                let mut request = form(path);
                if let Some(value) = authorization {
                    request = request.header(AUTHORIZATION, value);
                }
                assert_eq!(client.send(request).await.status, StatusCode::FORBIDDEN, "{path}");
            }
        }
        let request = form(path).header("x-csrf-token", &token);
        assert_eq!(done(&ada.send(request).await), (StatusCode::OK, "ada acted"));
    }
    // Where the cookie is the first, a token beside it changes nothing.
    let sessions = sessions(|builder| builder.cookie(Cookie::default()).bearer(Bearer::new()));
    let app = behind(&sessions, tokens());
    let mut ada = Client::new(&app);
    ada.get("/login").await;
    for bearer in [bearer_token(&app).await, "x".into()] {
        let request = form("/act").header(AUTHORIZATION, format!("Bearer {bearer}"));
        assert_eq!(ada.send(request).await.status, StatusCode::FORBIDDEN);
    }
}

/// T-CSRF-3: a forged header takes the session away from the request, and the origin counts as ever.
#[tokio::test]
async fn t_csrf_3_a_forged_header_does_not_reach_the_session_of_the_cookie() {
    let sessions = bearer_first();
    for layer in [tokens(), CsrfLayer::new(OriginCheck::new())] {
        let app = behind(&sessions, layer);
        let mut ada = Client::new(&app);
        ada.get("/login").await;
        for (name, value) in [("authorization", "Bearer x"), ("x-session", "x")] {
            for path in ["/act", "/form"] {
                let request = || form(path).header(name, value);
                for forged in [
                    request().header("sec-fetch-site", "cross-site"),
                    request().header("origin", "https://evil.example"),
                ] {
                    assert_eq!(ada.send(forged).await.status, StatusCode::FORBIDDEN);
                }
                let answer = ada.send(request()).await;
                assert_eq!(done(&answer), (StatusCode::OK, "- acted"), "nobody's session");
                assert!(answer.sets_no_cookie());
            }
        }
        let handle = sessions.open_token(ada.token()).await.unwrap().unwrap();
        assert_eq!(handle.get::<u32>("n").unwrap(), None, "ada's is untouched");
    }
}
