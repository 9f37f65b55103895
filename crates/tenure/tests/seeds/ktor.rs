//! Ktor's sessions.
//!
//! Not yet: the session in a header of its own, and what CORS must allow for it; the data with the
//! client; its encryption, and reading the older format of that.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use serde::{Deserialize, Serialize};
use tenure::axum::{Auth, Error, Session, Typed};
use tenure::session::{Principal, SessionData};
use tenure::store::MemoryStore;
use tenure::store::simple::{SimpleStore, driver_fn};
use tenure::tower::SessionLayer;
use tenure::transport::{Cookie, SameSite};
use tenure::{Sessions, UserId};

use crate::browser::{Browser, keys};

/// The document's data class: an id, and how many pages were seen.
#[derive(Serialize, Deserialize, Default)]
struct UserSession {
    id: String,
    count: u32,
}

impl SessionData for UserSession {}

impl Principal for UserSession {
    fn of(_user: UserId, session: &tenure::Session) -> tenure::Result<Option<Self>> {
        session.typed().get()
    }
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct CartSession {
    products: Vec<u32>,
}

impl SessionData for CartSession {
    const SESSION: Option<&'static str> = Some("cart_session");
}

/// To set it, to get and change it, and to clear it.
fn routes() -> Router {
    async fn login(user: Typed<UserSession>) -> Result<Redirect, Error> {
        user.set(&UserSession { id: "123abc".into(), count: 0 })?;
        Ok(Redirect::to("/user"))
    }
    async fn user(user: Typed<UserSession>) -> Result<String, Error> {
        if user.get()?.is_none() {
            return Ok("no session".into());
        }
        user.update(|user| user.count += 1)?;
        Ok(user.get()?.map(|user| format!("{}: {}", user.id, user.count)).unwrap_or_default())
    }
    async fn logout(session: Session) -> Result<Redirect, Error> {
        session.destroy()?;
        Ok(Redirect::to("/user"))
    }
    Router::new()
        .route("/login", get(login))
        .route("/user", get(user))
        .route("/logout", get(logout))
}

async fn counts(sessions: &Sessions) {
    let mut browser = Browser::of(routes(), sessions).await;
    assert_eq!(browser.get("/user").await.body, "no session");
    assert_eq!(browser.get("/login").await.status, 303);
    for count in 1..=3 {
        assert_eq!(browser.get("/user").await.body, format!("123abc: {count}"));
    }
    assert_eq!(browser.get("/logout").await.status, 303);
    assert_eq!(browser.get("/user").await.body, "no session");
}

/// X15, K1, K12, P16: a class is set, got, changed and cleared, in memory on the server.
#[tokio::test]
async fn a_class_is_set_got_changed_and_cleared() {
    counts(&Sessions::in_memory().unwrap()).await;
}

/// X15, K3: the cookie's name, path and age, and its attribute `SameSite`.
#[tokio::test]
async fn the_cookies_path_age_and_attributes() {
    let age = Duration::from_secs(10);
    let cookie = Cookie::named("user_session").lifetime(age).same_site(SameSite::Lax);
    let cookie = cookie.path("/").extension("Zone", Some("eu"));
    let sessions = Sessions::builder().store(MemoryStore::new()).cookie(cookie).build().unwrap();
    let mut browser = Browser::of(routes(), &sessions).await;
    let answer = browser.get("/login").await;
    let line = answer.cookie();
    assert!(line.starts_with("user_session="), "{line}");
    for attribute in ["Path=/", "Max-Age=10", "SameSite=Lax", "Secure", "Zone=eu"] {
        assert!(line.split("; ").any(|part| part == attribute), "{attribute} in {line}");
    }
}

/// X15, K6, A3: in files below a folder.
#[cfg(all(feature = "file", unix))]
#[tokio::test]
async fn in_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("build/.sessions");
    std::fs::create_dir(folder.path().join("build")).unwrap();
    let store = tenure::store::connect(&format!("file:{}", path.display())).await.unwrap();
    let sessions = Sessions::builder().store(store).signing_keys(keys()).build().unwrap();
    counts(&sessions).await;
    assert!(path.is_dir());
}

/// X15, K7: a storage of three functions, which write, read and invalidate a text.
#[tokio::test]
async fn a_storage_of_ones_own() {
    type Texts = Arc<Mutex<std::collections::HashMap<String, String>>>;
    let texts = Texts::default();
    let (reads, writes, ends) = (texts.clone(), texts.clone(), texts.clone());
    let store = SimpleStore::new(driver_fn(
        move |id: String| {
            let found = reads.lock().unwrap().get(&id).cloned();
            async { Ok(found) }
        },
        move |id, text: String, _until| {
            writes.lock().unwrap().insert(id, text);
            async { Ok(()) }
        },
        move |id| {
            ends.lock().unwrap().remove(&id);
            async { Ok(()) }
        },
    ));
    let sessions = Sessions::builder().store(store).signing_keys(keys()).build().unwrap();
    let mut browser = Browser::of(routes(), &sessions).await;
    browser.get("/login").await;
    assert_eq!(texts.lock().unwrap().len(), 1);
    browser.get("/logout").await;
    assert!(texts.lock().unwrap().is_empty());
    counts(&sessions).await;
}

/// X15, K13, T-TOK-5: the id is signed, by a key from the configuration; a changed one is nobody's.
#[tokio::test]
async fn a_signed_id_by_a_key_of_the_configuration() {
    let secret = tenure::transform::SecretKey::generate_secret().unwrap();
    let config = |secret: &str| {
        let vars = [("TENURE_STORE", "memory:"), ("TENURE_SECRET", secret)];
        tenure::config::SessionConfig::sources().vars(vars).read()
    };
    assert!(config("in the code").is_err(), "too short to be a key");
    let sessions = config(&secret).unwrap().build().await.unwrap();
    let mut browser = Browser::of(routes(), &sessions).await;
    browser.get("/login").await;
    let token = browser.token();
    let last = if token.ends_with('A') { 'B' } else { 'A' };
    let changed = format!("{}{last}", &token[..token.len() - 1]);
    let loads = sessions.counts().loads;
    assert!(sessions.open_token(&changed).await.unwrap().is_none());
    assert_eq!(sessions.counts().loads, loads, "without a look into the store");
    assert!(sessions.open_token(&token).await.unwrap().is_some());
}

/// X15, K2: two classes, each with a session and a cookie of its own.
#[tokio::test]
async fn several_sessions_side_by_side() {
    async fn add(cart: Typed<CartSession>) -> Result<String, Error> {
        cart.update(|cart| cart.products.push(7))?;
        Ok(cart.get_or_default()?.products.len().to_string())
    }
    async fn end(cart: Typed<CartSession>) -> Result<(), Error> {
        Ok(cart.session().destroy()?)
    }
    let users = Sessions::in_memory().unwrap();
    let cookie = Cookie::named("cart_session");
    let carts = Sessions::builder().store(MemoryStore::new()).cookie(cookie).build().unwrap();
    let routes = routes().route("/add", get(add)).route("/end", get(end));
    // The class that names no session is in the innermost layer's.
    let app = routes.layer(SessionLayer::new(users.clone())).layer(SessionLayer::new(carts));
    let mut browser = Browser::at(app, &users).await;
    browser.get("/login").await;
    assert!(browser.get("/add").await.cookie().starts_with("cart_session="));
    assert_eq!(browser.get("/add").await.body, "2");
    assert_eq!(browser.cookie().split("; ").count(), 2);
    browser.get("/end").await;
    assert_eq!(browser.get("/user").await.body, "123abc: 1", "the other one is there");
    browser.get("/logout").await;
    assert_eq!(browser.cookie(), "");
}

/// X15, K15: the class as the one who is logged in; who is not is turned away.
#[tokio::test]
async fn the_class_is_who_is_logged_in() {
    async fn enter(session: Session) -> Result<(), Error> {
        session.login("123abc")?;
        Ok(session.typed().set(&UserSession { id: "123abc".into(), count: 0 })?)
    }
    let routes = routes()
        .route("/enter", get(enter))
        .route("/mine", get(|Auth(user): Auth<UserSession>| async move { user.id }));
    let mut browser = Browser::of(routes, &Sessions::in_memory().unwrap()).await;
    assert_eq!(browser.get("/mine").await.status, 401);
    browser.get("/login").await;
    assert_eq!(browser.get("/mine").await.status, 401, "data alone are no log-in");
    browser.get("/enter").await;
    assert_eq!(browser.get("/mine").await.body, "123abc");
}
