//! R22: a shared cache between the application and its visitors, as RFC 9111 lets one work, never
//! gives one visitor what was made for another.

use std::collections::HashMap;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{CACHE_CONTROL, COOKIE, HeaderName, SET_COOKIE, VARY};
use http::{Request, StatusCode};
use tenure_core::{ErrorKind, Sessions};
use tenure_tower::SessionLayer;
use tenure_tower::axum::{Error, LazySession, Session};

use crate::client::{Answer, Client};

/// A cache that keeps whatever it may, for as long as it may: what is not forbidden is fresh.
#[derive(Default)]
struct SharedCache {
    stored: HashMap<String, Vec<Stored>>,
    hits: usize,
}

struct Stored {
    /// The headers that `Vary` named, as the request had them.
    selected: Vec<(HeaderName, Option<String>)>,
    status: StatusCode,
    cookies: Vec<String>,
    body: String,
}

/// What a visitor gets to see.
#[derive(Debug)]
struct Seen {
    body: String,
    cookies: Vec<String>,
    from_cache: bool,
}

impl SharedCache {
    async fn get(&mut self, client: &mut Client, path: &str) -> Seen {
        let pairs = client.jar.iter().map(|(name, value)| format!("{name}={value}"));
        let cookie = Some(pairs.collect::<Vec<_>>().join("; ")).filter(|line| !line.is_empty());
        let sent = |name: &HeaderName| cookie.clone().filter(|_| *name == COOKIE);
        let fits =
            |stored: &&Stored| stored.selected.iter().all(|(name, value)| sent(name) == *value);
        if let Some(stored) = self.stored.get(path).and_then(|all| all.iter().find(fits)) {
            self.hits += 1;
            let (body, cookies) = (stored.body.clone(), stored.cookies.clone());
            return Seen { body, cookies, from_cache: true };
        }
        let answer = client.send(Request::get(path)).await;
        let cookies: Vec<_> = answer.all(SET_COOKIE).into_iter().map(str::to_owned).collect();
        if let Some(names) = may_store(&answer) {
            let selected = names.into_iter().map(|name| (name.clone(), sent(&name))).collect();
            let stored = Stored {
                selected,
                status: answer.status,
                cookies: cookies.clone(),
                body: answer.body.clone(),
            };
            assert!(stored.status.is_success() || stored.status.is_redirection());
            self.stored.entry(path.to_owned()).or_default().push(stored);
        }
        Seen { body: answer.body, cookies, from_cache: false }
    }
}

/// The headers that select the response, if a shared cache may store it (RFC 9111 section 3). One
/// without a lifetime of its own it may take for fresh by a guess (section 4.2.2); this one does.
fn may_store(answer: &Answer) -> Option<Vec<HeaderName>> {
    let list = |name| answer.all(name).join(",").to_ascii_lowercase();
    let forbids = |directive: &str| ["no-store", "private", "no-cache"].contains(&directive.trim());
    if list(CACHE_CONTROL).split(',').any(forbids) || answer.status.is_server_error() {
        return None;
    }
    let names = list(VARY);
    let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
    names.map(|name| (name != "*").then(|| name.parse().unwrap())).collect()
}

type Done = Result<Response, Error>;

/// Pages that use the session in every way, none of which says anything to caches by itself.
fn app() -> Router {
    async fn page(session: Session) -> Done {
        let user = session.user().map_or("nobody".to_owned(), |user| user.to_string());
        Ok(format!("for {user}").into_response())
    }
    async fn login(session: Session, path: axum::extract::Path<String>) -> Done {
        session.login(path.as_str())?;
        Ok(format!("for {}", *path).into_response())
    }
    async fn flash(session: Session) -> Done {
        let messages = session.flash_messages()?;
        let count = messages.iter().count();
        let user = session.user().map_or("nobody".to_owned(), |user| user.to_string());
        Ok(format!("{count} messages for {user}").into_response())
    }
    async fn blind(session: LazySession) -> Done {
        session.increment("n", 1)?;
        Ok("counted".into_response())
    }
    async fn refused(session: Session) -> Done {
        session.require_user()?;
        Ok(format!("for {}", session.user().unwrap()).into_response())
    }
    async fn failed(session: Session) -> Done {
        session.set("n", 1)?;
        Err(tenure_core::Error::new(ErrorKind::Other, "page", "it broke").into())
    }
    let sessions = Sessions::in_memory().unwrap();
    Router::new()
        .route("/page", get(page))
        .route("/login/{user}", get(login))
        .route("/flash", get(flash))
        .route("/blind", get(blind))
        .route("/refused", get(refused))
        .route("/failed", get(failed))
        .route("/logout", get(|session: Session| async move { Ok::<_, Error>(session.logout()?) }))
        .route(
            "/say",
            get(|session: Session| async move { Ok::<_, Error>(session.flash("info", 1)?) }),
        )
        .route("/static", get(|| async { "the same for all" }))
        .layer(SessionLayer::new(sessions))
}

#[tokio::test]
async fn r22_nobody_gets_what_was_made_for_another() {
    let app = app();
    let mut cache = SharedCache::default();
    let mut visitors = [("ada", Client::new(&app)), ("eve", Client::new(&app))];
    let paths = ["/page", "/flash", "/blind", "/refused", "/failed", "/static", "/say", "/flash"];
    for round in 0..3 {
        for (user, client) in &mut visitors {
            for path in paths {
                let seen = cache.get(client, path).await;
                let logged_in = round == 1;
                let other = if *user == "ada" { "eve" } else { "ada" };
                assert!(!seen.body.contains(other), "{user} sees {seen:?} at {path}");
                if logged_in && path == "/page" {
                    assert_eq!(seen.body, format!("for {user}"), "it is out of date");
                }
                assert!(seen.cookies.is_empty() || !seen.from_cache, "{user} gets {seen:?}");
            }
            let step = if round == 0 { format!("/login/{user}") } else { "/logout".to_owned() };
            if round < 2 {
                let seen = cache.get(client, &step).await;
                assert!(!seen.from_cache, "{step} was not carried out");
                assert!(!seen.cookies.is_empty(), "{step}");
            }
        }
    }
    assert!(cache.hits > 0, "it stores what may be stored");
    for all in cache.stored.values() {
        assert!(all.iter().all(|stored| stored.cookies.is_empty()), "a cookie is in the cache");
    }
}

/// The cache itself does harm to an application that says nothing: the test can fail.
#[tokio::test]
async fn r22_the_cache_of_the_test_gives_things_away() {
    async fn careless(headers: http::HeaderMap) -> String {
        headers.get(COOKIE).map_or("nobody".into(), |line| line.to_str().unwrap().to_owned())
    }
    let app = Router::new().route("/", get(careless));
    let mut cache = SharedCache::default();
    let [mut ada, mut eve] = ["ada", "eve"].map(|user| {
        let mut client = Client::new(&app);
        client.jar.insert("user".into(), user.into());
        client
    });
    assert_eq!(cache.get(&mut ada, "/").await.body, "user=ada");
    assert_eq!(cache.get(&mut eve, "/").await.body, "user=ada");
}
