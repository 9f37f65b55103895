//! A23: testing an application: a visitor arrives with a session, and what is left is looked at.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Redirect;
use axum::routing::{get, post};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use tenure_core::session::Level;
use tenure_core::transport::{Cookie, Secure};
use tenure_core::{Key, Sessions};
use tenure_testkit::app::{self, Snapshot, Visitor, VisitorBuilder};
use tenure_tower::SessionLayer;
use tenure_tower::axum::{Error, Session};

const CART: Key<Vec<String>> = Key::new("cart");

/// An application as somebody writes it who knows nothing of these tests.
fn shop(sessions: &Sessions) -> Router {
    Router::new()
        .route("/order", post(order))
        .route("/messages", get(messages))
        .route("/whoami", get(whoami))
        .route("/logout", post(|session: Session| async move { done(session.logout()) }))
        .layer(SessionLayer::new(sessions.clone()))
}

fn done(result: tenure_core::Result<()>) -> Result<(), Error> {
    Ok(result?)
}

async fn order(session: Session) -> Result<Redirect, Error> {
    let ordered = session.take(CART)?.unwrap_or_default().len();
    session.increment("orders", 1)?;
    session.flash(Level::Success, format!("{ordered} things are on their way."))?;
    Ok(Redirect::to("/messages"))
}

async fn messages(session: Session) -> Result<String, Error> {
    let messages = session.flash_messages()?;
    Ok(messages.levels().map(|(level, text)| format!("{level}: {text}")).collect())
}

async fn whoami(session: Session) -> String {
    session.user().map_or_else(|| "nobody".into(), |user| user.to_string())
}

fn to(method: &str, path: &str) -> Request<Body> {
    Request::builder().method(method).uri(path).body(Body::empty()).unwrap()
}

async fn body(answer: Response<Body>) -> String {
    let octets = axum::body::to_bytes(answer.into_body(), 1 << 16).await.unwrap();
    String::from_utf8(octets.to_vec()).unwrap()
}

fn ada(sessions: &Sessions) -> VisitorBuilder {
    app::visitor(sessions).logged_in_as("ada").with(CART, vec!["tea".into(), "milk".into()])
}

async fn left(builder: VisitorBuilder) -> Snapshot {
    builder.arrive().await.session().await
}

fn sessions() -> Sessions {
    Sessions::in_memory().unwrap()
}

#[tokio::test]
async fn a23_a_request_begins_with_data_user_and_messages() {
    let sessions = sessions();
    let shop = shop(&sessions);
    let mut ada = ada(&sessions).with_flash(Level::Info, "Welcome.").arrive().await;
    assert_eq!(body(ada.send(&shop, to("GET", "/whoami")).await).await, "ada");
    assert_eq!(body(ada.send(&shop, to("GET", "/messages")).await).await, "info: Welcome.");
    assert_eq!(body(ada.send(&shop, to("GET", "/messages")).await).await, "", "shown once");

    let answer = ada.send(&shop, to("POST", "/order")).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    ada.session()
        .await
        .assert_session()
        .assert_user("ada")
        .assert_missing(CART)
        .assert_eq("orders", 1)
        .assert_flash("success", "2 things are on their way.");
}

/// To look is not to take, to touch or to change.
#[tokio::test]
async fn a23_looking_leaves_everything_as_it_is() {
    let (builder, clock) = app::in_memory();
    let sessions = builder.build().unwrap();
    let shop = shop(&sessions);
    let mut ada = ada(&sessions).with_flash("success", "Saved.").arrive().await;
    let before = ada.session().await.session().last_seen().unwrap();
    clock.advance(Duration::from_secs(29 * 60));
    for _ in 0..2 {
        ada.session().await.assert_flash("success", "Saved.");
    }
    assert_eq!(ada.session().await.session().last_seen(), Some(before));
    assert_eq!(sessions.counts().commits + sessions.counts().touches, 0);
    let refused = ada.session().await.session().set("n", 1).unwrap_err();
    assert_eq!(refused.kind(), tenure_core::ErrorKind::ReadOnly);
    assert_eq!(body(ada.send(&shop, to("GET", "/messages")).await).await, "success: Saved.");
    clock.advance(Duration::from_secs(29 * 60));
    ada.session().await.assert_user("ada");
    clock.advance(Duration::from_secs(60));
    ada.session().await.assert_no_session().assert_no_user();
}

#[tokio::test]
async fn a23_cookies_are_kept_and_removed_as_in_a_browser() {
    let sessions = sessions();
    let shop = shop(&sessions);
    let mut visitor = app::visitor(&sessions).arrive().await;
    assert_eq!((visitor.cookie(), sessions.counts().created), (None, 0));
    visitor.send(&shop, to("GET", "/whoami")).await;
    assert_eq!(visitor.cookie(), None);
    visitor.send(&shop, to("POST", "/order")).await;
    let first = visitor.cookie().unwrap();
    assert!(first.is_sensitive() && !format!("{visitor:?} {first:?}").contains("__Host-id="));
    visitor.arrange(|session| session.login("ada")).await;
    assert_ne!(visitor.cookie().unwrap(), first, "a login rotates");
    visitor.session().await.assert_user("ada").assert_eq("orders", 1);

    let theme = HeaderValue::from_static("theme=dark; Path=/");
    visitor.keep(&HeaderMap::from_iter([(http::header::SET_COOKIE, theme)]));
    visitor.send(&shop, to("POST", "/logout")).await;
    assert_eq!(visitor.cookie().unwrap(), "theme=dark", "the other cookie stays");
    visitor.session().await.assert_no_session().assert_no_flash().assert_missing("orders");
}

#[tokio::test]
async fn a23_two_visitors_and_two_tabs() {
    let sessions = sessions();
    let shop = shop(&sessions);
    let (mut ada, mut eve) =
        (ada(&sessions).arrive().await, app::visitor(&sessions).arrive().await);
    let mut tab: Visitor = ada.clone();
    ada.send(&shop, to("POST", "/order")).await;
    tab.send(&shop, to("POST", "/order")).await;
    eve.send(&shop, to("POST", "/order")).await;
    ada.session()
        .await
        .assert_eq("orders", 2)
        .assert_flash("success", "0 things are on their way.");
    eve.session().await.assert_eq("orders", 1).assert_no_user();
}

#[tokio::test]
async fn a23_plain_http_has_the_cookie_of_plain_http() {
    let cookie = Cookie::default().secure(Secure::Auto);
    let sessions = app::in_memory().0.cookie(cookie).build().unwrap();
    let shop = shop(&sessions);
    for (builder, name) in [(ada(&sessions), "__Host-id="), (ada(&sessions).plain_http(), "id=")] {
        let mut visitor = builder.arrive().await;
        assert!(visitor.cookie().unwrap().to_str().unwrap().starts_with(name));
        assert_eq!(body(visitor.send(&shop, to("GET", "/whoami")).await).await, "ada");
        visitor.send(&shop, to("POST", "/logout")).await;
        assert_eq!(visitor.cookie(), None);
    }
}

#[tokio::test]
async fn a23_values_are_compared_as_json() {
    let sessions = sessions();
    let point = |x, y| serde_json::json!({ "x": x, "y": y });
    let visitor = app::visitor(&sessions)
        .with("point", point(1, 2))
        .with("none", None::<u8>)
        .arrange(|session| session.flash_errors([("title", "is missing"), ("title", "is long")]));
    let left = left(visitor).await;
    left.assert_eq("point", std::collections::BTreeMap::from([("y", 2), ("x", 1)]))
        .assert_has("none")
        .assert_eq("none", ())
        .assert_flash("errors", serde_json::json!({ "title": ["is missing", "is long"] }))
        .assert_flash("errors.title.1", "is long");
    assert_eq!(left.session().len(), 2);
}

#[tokio::test]
#[should_panic(
    expected = r#"there is nothing under "theme"; the session has "cart", the user "ada""#
)]
async fn a23_assert_has_says_what_there_is() {
    left(ada(&sessions())).await.assert_has("theme");
}

#[tokio::test]
#[should_panic(expected = r#""cart" should be missing, and is ["tea","milk"]"#)]
async fn a23_assert_missing_says_what_it_is() {
    left(ada(&sessions())).await.assert_missing(CART);
}

#[tokio::test]
#[should_panic(expected = r#""cart" should be ["tea"], and is ["tea","milk"]"#)]
async fn a23_assert_eq_says_both_values() {
    left(ada(&sessions())).await.assert_eq("cart", ["tea"]);
}

#[tokio::test]
#[should_panic(expected = r#""orders" should be 1, and there is nothing; the session has "cart""#)]
async fn a23_assert_eq_says_that_there_is_none() {
    left(ada(&sessions())).await.assert_eq("orders", 1);
}

#[tokio::test]
#[should_panic(expected = r#""eve" should be logged in, and "ada" is"#)]
async fn a23_assert_user_says_who_is_logged_in() {
    left(ada(&sessions())).await.assert_user("eve");
}

#[tokio::test]
#[should_panic(expected = r#""ada" should be logged in, and nobody is; there is no session"#)]
async fn a23_assert_user_says_that_nobody_is() {
    left(app::visitor(&sessions())).await.assert_user("ada");
}

#[tokio::test]
#[should_panic(expected = r#"nobody should be logged in, and "ada" is"#)]
async fn a23_assert_no_user_says_who_is() {
    left(ada(&sessions())).await.assert_no_user();
}

#[tokio::test]
#[should_panic(expected = r#"message "success" should be "Saved.", and is "Sent.", "Gone.""#)]
async fn a23_assert_flash_says_what_waits() {
    let builder = app::visitor(&sessions()).with_flash("success", "Sent.");
    left(builder.with_flash("success", "Gone.")).await.assert_flash("success", "Saved.");
}

#[tokio::test]
#[should_panic(
    expected = r#"message "error" should be "No.", and there is none; the session has no key, no user, the message "success": "Sent.""#
)]
async fn a23_assert_flash_says_that_there_is_none() {
    let builder = app::visitor(&sessions()).with_flash("success", "Sent.");
    left(builder).await.assert_flash("error", "No.");
}

#[tokio::test]
#[should_panic(
    expected = r#"no message should wait to be shown; the session has no key, no user, the message "success": "Sent.""#
)]
async fn a23_assert_no_flash_says_what_waits() {
    left(app::visitor(&sessions()).with_flash("success", "Sent.")).await.assert_no_flash();
}

#[tokio::test]
#[should_panic(expected = "there is no session")]
async fn a23_assert_session_fails_for_a_stranger() {
    left(app::visitor(&sessions())).await.assert_session();
}

#[tokio::test]
#[should_panic(expected = r#"there is a session; the session has "cart", the user "ada""#)]
async fn a23_assert_no_session_says_what_there_is() {
    left(ada(&sessions())).await.assert_no_session();
}

#[tokio::test]
#[should_panic(expected = "the session refused it")]
async fn a23_what_the_session_refuses_is_said() {
    left(app::visitor(&sessions()).with("essay", "x".repeat(1 << 20))).await;
}

/// A panic points at the line of the test, not into the testkit.
#[test]
fn a23_a_failed_assertion_names_the_line_of_the_test() {
    let places = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let sink = std::sync::Arc::clone(&places);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let left = runtime.block_on(left(ada(&sessions())));
    let usual = std::panic::take_hook();
    let here = std::thread::current().id();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().id() == here {
            sink.lock().unwrap().push(panic.location().unwrap().file().to_owned());
        } else {
            usual(panic);
        }
    }));
    let failing: [fn(&Snapshot); 8] = [
        |left| _ = left.assert_has("theme"),
        |left| _ = left.assert_missing("cart"),
        |left| _ = left.assert_eq("cart", 1),
        |left| _ = left.assert_user("eve"),
        |left| _ = left.assert_no_user(),
        |left| _ = left.assert_flash("success", 1),
        |left| _ = left.assert_no_session(),
        |left| _ = left.assert_eq("orders", 1),
    ];
    for fails in failing {
        let left = std::panic::AssertUnwindSafe(&left);
        assert!(std::panic::catch_unwind(move || fails(*left)).is_err());
    }
    assert_eq!(*places.lock().unwrap(), [file!(); 8]);
}
