//! K15, P15, V14: principals, and routes for those alone who are logged in.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::OriginalUri;
use axum::response::IntoResponse;
use axum::routing::get;
use http::header::{ACCEPT, CACHE_CONTROL, LOCATION, VARY};
use http::{Request, StatusCode};
use serde::{Deserialize, Serialize};
use tenure_core::session::{AuthLevel, LocalPath, Principal, SessionData};
use tenure_core::store::StoreErrorKind;
use tenure_core::transport::Cookie;
use tenure_core::{Result as CoreResult, Session as CoreSession, Sessions, UserId};
use tenure_tower::axum::{Auth, Error, Redirect, Session};
use tenure_tower::{PlainText, RequireAuth, SessionLayer};

use crate::app::routes;
use crate::client::Client;
use crate::store::{Fault, Spy};

#[derive(Serialize, Deserialize)]
struct Account {
    name: String,
    admin: bool,
}

impl SessionData for Account {
    const PREFIX: &'static str = "account";
}

impl Principal for Account {
    fn of(_user: UserId, session: &CoreSession) -> CoreResult<Option<Self>> {
        session.typed().get()
    }
}

async fn login(session: Session) -> Result<Redirect, Error> {
    session.typed().set(&Account { name: "Ada".into(), admin: true })?;
    Redirect::login_intended(&session, "ada", LocalPath::ROOT)
}

async fn orders(Auth(user): Auth<UserId>) -> String {
    format!("orders of {user}")
}

async fn admin(Auth(account): Auth<Account>) -> Result<String, StatusCode> {
    if account.admin { Ok(account.name) } else { Err(StatusCode::FORBIDDEN) }
}

async fn greet(user: Option<Auth<UserId>>) -> String {
    user.map_or_else(|| "nobody".into(), |user| user.as_str().to_owned())
}

fn shop() -> Router {
    routes()
        .route("/", get(greet))
        .route("/login", get(|| async { "who are you?" }).post(login))
        .route("/orders", get(orders).post(orders))
        .route("/admin", get(admin))
        .route("/account/orders", get(|| async { "account" }))
        .route("/assets/site.css", get(|| async { "css" }))
}

fn layer() -> SessionLayer {
    SessionLayer::new(Sessions::in_memory().unwrap())
}

async fn post_login(client: &mut Client) -> crate::client::Answer {
    client.send(Request::post("/login")).await
}

#[tokio::test]
async fn k15_v14_the_extractor_answers_401_without_a_principal() {
    let mut client = Client::new(&shop().layer(layer()));
    for path in ["/orders", "/admin"] {
        let answer = client.get(path).await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (StatusCode::UNAUTHORIZED, "Unauthorized")
        );
        assert!(answer.sets_no_cookie());
        assert_eq!(answer.headers[CACHE_CONTROL], "no-store");
        assert!(answer.headers.contains_key(VARY), "another cookie, another answer");
    }
    assert_eq!(client.get("/").await.body, "nobody");
    // Somebody with a session, and with all that a principal is made from, is nobody yet.
    client.get("/set/account.name/Eve").await;
    assert_eq!(client.get("/admin").await.status, StatusCode::UNAUTHORIZED);

    post_login(&mut client).await;
    assert_eq!(client.get("/orders").await.body, "orders of ada");
    assert_eq!(client.get("/admin").await.body, "Ada");
    assert_eq!(client.get("/").await.body, "ada");
    client.get("/remove/account.name").await;
    client.get("/remove/account.admin").await;
    assert_eq!(client.get("/admin").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(client.get("/orders").await.status, StatusCode::OK);
    client.get("/logout").await;
    assert_eq!(client.get("/orders").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn k15_the_401_looks_as_the_application_says() {
    let layer = layer().error_response(|error| {
        (PlainText::status(error), [("x-page", "ours")], "please log in").into_response()
    });
    let app = shop().layer(RequireAuth::new().include("/plain")).layer(layer);
    for path in ["/orders", "/plain"] {
        let answer = Client::new(&app).get(path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.body.as_str()),
            (401, "please log in"),
            "{path}"
        );
        assert_eq!(answer.headers["x-page"], "ours");
    }
}

#[tokio::test]
async fn k15_a_store_that_is_down_makes_nobody_a_stranger() {
    let store = Spy::default();
    let sessions = store.builder().build().unwrap();
    let guarded = RequireAuth::new().exclude("/orders").redirect_to("/login");
    let app = shop().layer(guarded).layer(SessionLayer::new(sessions));
    let mut client = Client::new(&app);
    post_login(&mut client).await;
    store.fail("load", Fault::Fails(StoreErrorKind::Unavailable));
    for path in ["/orders", "/plain", "/"] {
        let answer = client.get(path).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(answer.sets_no_cookie());
    }
    store.heal();
    assert_eq!(client.get("/orders").await.status, StatusCode::OK);
}

#[tokio::test]
async fn k15_the_extractor_redirects_where_a_layer_says_so() {
    let app = shop().layer(RequireAuth::where_asked().redirect_to("/login")).layer(layer());
    let mut client = Client::new(&app);
    assert_eq!(client.get("/plain").await.status, StatusCode::OK, "it asks for nobody");
    let answer = client.get("/orders?page=2").await;
    assert_eq!(
        (answer.status.as_u16(), &answer.headers[LOCATION]),
        (303, &"/login".parse().unwrap())
    );
    assert_eq!(post_login(&mut client).await.headers[LOCATION], "/orders?page=2");
    assert_eq!(client.get("/orders?page=2").await.status, StatusCode::OK);
}

#[tokio::test]
async fn p15_everything_but_exclusions_is_refused_without_a_user() {
    let guarded = RequireAuth::new().exclude("/").exclude("/login").exclude_under("/assets");
    let mut client = Client::new(&shop().layer(guarded).layer(layer()));
    for path in ["/plain", "/orders", "/account/orders", "/nowhere", "/assets/../plain", "//"] {
        assert_eq!(client.get(path).await.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    for path in ["/", "/login", "/assets/site.css"] {
        assert_eq!(client.get(path).await.status, StatusCode::OK, "{path}");
    }
    assert!(client.jar.is_empty(), "nobody has got a session");
    post_login(&mut client).await;
    for path in ["/plain", "/orders", "/account/orders", "/"] {
        assert_eq!(client.get(path).await.status, StatusCode::OK, "{path}");
    }
    assert_eq!(client.get("/nowhere").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn p15_only_inclusions_are_refused() {
    let guarded = RequireAuth::new().include("/plain").include_under("/account");
    let app = shop().layer(guarded).layer(layer());
    let mut client = Client::new(&app);
    for path in ["/plain", "/plain/", "/%70lain", "/account", "/account/orders", "/x/../account"] {
        assert_eq!(client.get(path).await.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    for (path, status) in [("/", 200), ("/keys", 200), ("/accounts", 404)] {
        assert_eq!(client.get(path).await.status, status, "{path}");
    }
    post_login(&mut client).await;
    assert_eq!(client.get("/account/orders").await.body, "account");
}

#[tokio::test]
async fn p15_a_session_without_a_user_is_not_enough() {
    let mut client =
        Client::new(&shop().layer(RequireAuth::new().exclude("/set/a/b")).layer(layer()));
    client.get("/set/a/b").await;
    assert!(!client.jar.is_empty());
    assert_eq!(client.get("/plain").await.status, StatusCode::UNAUTHORIZED);
}

/// Who has shown half of the proof is not logged in, for the layer and the extractors alike; and
/// then a level may be asked for.
#[tokio::test]
async fn p15_k15_half_a_login_is_none_and_levels_count() {
    const FEW: Duration = Duration::from_secs(5 * 60);
    async fn half(session: Session) -> Result<(), Error> {
        Ok(session.keep_intended_url(|session| session.begin_login("ada", FEW))?)
    }
    async fn step_up(session: Session) -> Result<Redirect, Error> {
        session.keep_intended_url(|session| session.step_up(AuthLevel::TWO_FACTORS, FEW))?;
        Redirect::intended(&session, LocalPath::ROOT)
    }
    let app = shop()
        .route("/half", get(half))
        .route("/confirm", get(step_up))
        .layer(
            RequireAuth::new()
                .include("/plain")
                .level(AuthLevel::TWO_FACTORS)
                .redirect_to("/confirm"),
        )
        .layer(RequireAuth::new().exclude("/").exclude("/half").redirect_to("/login"))
        .layer(layer());
    let mut client = Client::new(&app);
    client.get("/orders?page=2").await;
    client.get("/half").await;
    let json = || Request::get("/orders").header(ACCEPT, "application/json");
    assert_eq!(client.send(json()).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(client.get("/").await.body, "nobody", "Option<Auth<_>> finds none");
    assert_eq!(post_login(&mut client).await.headers[LOCATION], "/orders?page=2");
    assert_eq!(client.get("/orders").await.status, StatusCode::OK);
    assert_eq!(client.get("/plain?x=y").await.headers[LOCATION], "/confirm");
    assert_eq!(client.get("/confirm").await.headers[LOCATION], "/plain?x=y");
    assert_eq!(client.get("/plain").await.status, StatusCode::OK);
}

#[tokio::test]
async fn p15_a20_pages_are_redirected_and_come_back_after_the_login() {
    let guarded = RequireAuth::new().redirect_to("/login");
    let mut client = Client::new(&shop().layer(guarded).layer(layer()));
    let answer = client.get("/orders?page=2&x=//y").await;
    assert_eq!(
        (answer.status.as_u16(), &answer.headers[LOCATION]),
        (303, &"/login".parse().unwrap())
    );
    assert_eq!(answer.headers[CACHE_CONTROL], "no-store");
    assert_eq!(client.get("/login").await.body, "who are you?");
    let planted = client.token().to_owned();
    let answer = post_login(&mut client).await;
    assert_eq!(answer.headers[LOCATION], "/orders?page=2&x=//y");
    assert_ne!(client.token(), planted);
    assert_eq!(client.get("/orders?page=2").await.body, "orders of ada");
    client.get("/logout").await;
    assert_eq!(post_login(&mut client).await.headers[LOCATION], "/", "it is forgotten");
}

/// Only what would be read again by following a link is kept, and only what a visitor sees.
#[tokio::test]
async fn p15_a20_what_is_no_page_is_not_where_one_was_going() {
    let app = shop().layer(RequireAuth::new().redirect_to("/login")).layer(layer());
    for (request, status) in [
        (Request::post("/orders"), 303),
        (Request::get("/orders").header(ACCEPT, "application/json"), 401),
        (Request::get("/orders").header("sec-fetch-dest", "image"), 401),
        (Request::get("/orders").header("x-requested-with", "XMLHttpRequest"), 401),
        (Request::get("//evil.test/orders"), 303),
        (Request::get("/a/../orders"), 303),
    ] {
        let mut client = Client::new(&app);
        let what = format!("{request:?}");
        assert_eq!(client.send(request).await.status, status, "{what}");
        assert!(client.jar.is_empty(), "no session is made for it: {what}");
        assert_eq!(post_login(&mut client).await.headers[LOCATION], "/", "{what}");
    }
    let mut client = Client::new(&app);
    client.send(Request::head("/orders")).await;
    assert_eq!(post_login(&mut client).await.headers[LOCATION], "/orders");
}

#[tokio::test]
async fn p15_the_same_page_again_writes_nothing() {
    let store = Spy::default();
    let sessions = store.builder().build().unwrap();
    let guarded = RequireAuth::new().redirect_to("/login");
    let mut client = Client::new(&shop().layer(guarded).layer(SessionLayer::new(sessions)));
    client.get("/orders").await;
    client.get("/orders").await;
    client.get("/plain").await;
    client.get("/login").await;
    assert_eq!(store.calls(), ["create", "load", "load", "apply"]);
}

#[tokio::test]
async fn p15_outside_of_a_session_layer_it_says_so() {
    let wrong = shop().layer(layer()).layer(RequireAuth::new().exclude("/login"));
    let mut client = Client::new(&wrong);
    let answer = client.get("/plain").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(answer.body.contains("SessionLayer"), "{}", answer.body);
    assert_eq!(client.get("/login").await.status, StatusCode::OK);
    let unknown = shop().layer(RequireAuth::new().of_session("__Host-admin")).layer(layer());
    let answer = Client::new(&unknown).get("/plain").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
}

/// K2: of several sessions, the one that it is told to ask.
#[tokio::test]
async fn p15_k2_a_login_in_one_session_is_none_in_another() {
    let admin = Sessions::builder()
        .store(tenure_core::store::MemoryStore::new())
        .cookie(Cookie::named("__Host-admin"))
        .build()
        .unwrap();
    struct Admin;
    impl Principal for Admin {
        const SESSION: Option<&'static str> = Some("__Host-admin");

        fn of(_user: UserId, _session: &CoreSession) -> CoreResult<Option<Self>> {
            Ok(Some(Self))
        }
    }
    async fn begin(
        axum::Extension(installed): axum::Extension<tenure_tower::Installed>,
    ) -> Result<(), Error> {
        let session = installed.named("__Host-admin").unwrap().session().load().await?;
        Ok(session.login("root")?)
    }
    let app = shop()
        .route("/inside", get(|_: Auth<Admin>| async { "inside" }))
        .route("/begin", get(begin))
        .layer(RequireAuth::new().include("/plain").of_session("__Host-admin"))
        .layer(layer())
        .layer(SessionLayer::new(admin));
    let mut client = Client::new(&app);
    post_login(&mut client).await;
    assert_eq!(client.get("/orders").await.status, StatusCode::OK);
    for path in ["/plain", "/inside"] {
        assert_eq!(client.get(path).await.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    client.get("/begin").await;
    for path in ["/plain", "/inside", "/orders"] {
        assert_eq!(client.get(path).await.status, StatusCode::OK, "{path}");
    }
}

/// Inside of a nested router, paths begin after the prefix unless told otherwise.
#[tokio::test]
async fn p15_nested_routers_may_be_told_the_whole_path() {
    let whole = RequireAuth::new()
        .include("/shop/plain")
        .redirect_to("/login")
        .uri_from(|parts| parts.extensions.get::<OriginalUri>().map(|uri| uri.0.clone()));
    let app = Router::new()
        .nest("/shop", routes().layer(whole))
        .nest("/part", routes().layer(RequireAuth::new().include("/plain")))
        .route("/login", get(|| async { "who are you?" }).post(login))
        .layer(layer());
    let mut client = Client::new(&app);
    assert_eq!(client.get("/shop/keys").await.status, StatusCode::OK);
    assert_eq!(client.get("/part/plain").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(client.get("/shop/plain?a=b").await.status, StatusCode::SEE_OTHER);
    assert_eq!(post_login(&mut client).await.headers[LOCATION], "/shop/plain?a=b");
}

/// A service that is no axum router, with a body of its own.
#[tokio::test]
async fn p15_any_tower_service_is_guarded() {
    use tower::{Layer, ServiceExt, service_fn};
    async fn page(_: Request<Body>) -> Result<http::Response<String>, std::convert::Infallible> {
        Ok(http::Response::new("inside".into()))
    }
    let service = layer().layer(RequireAuth::new().exclude("/free").layer(service_fn(page)));
    for (path, status, body) in [("/x", 401, "Unauthorized"), ("/free", 200, "inside")] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = service.clone().oneshot(request).await.unwrap();
        assert_eq!((response.status().as_u16(), response.body().as_str()), (status, body));
    }
}
