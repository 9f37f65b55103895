//! Log-in by password, with the tokens of its forms.

#[path = "../../examples/login_argon2.rs"]
#[expect(dead_code, reason = "the example's `main`")]
mod recipe;

use std::time::{Duration, Instant};

use http::StatusCode;
use http::header::SET_COOKIE;
use tenure::Sessions;
use tenure::store::MemoryStore;
use tenure_testkit::ManualClock;

use crate::client::{Answer, Client};

const COOKIE: &str = "__Host-id";

fn visitor(clock: &ManualClock) -> Client {
    let builder = Sessions::builder().store(MemoryStore::new()).clock(clock.clone());
    let app = recipe::router(recipe::sessions(builder).unwrap()).unwrap();
    Client::new(&app, "https://shop.test")
}

/// Sends a form with the token that its page has.
async fn submit(client: &mut Client, path: &str, fields: &str) -> Answer {
    let page = client.get("/").await.body;
    let token = page.split_once(r#"name="_csrf" value=""#).unwrap().1.split('"').next().unwrap();
    client.post(path, &format!("{fields}&_csrf={token}")).await
}

async fn is_logged_in(client: &mut Client) -> bool {
    client.get("/").await.body.contains("You are logged in.")
}

const ADA: &str = "user=ada&password=difference+engine";

#[tokio::test]
async fn r1_a_log_in_gives_a_new_secret_and_a_log_out_clears_the_site() {
    let mut client = visitor(&ManualClock::new());
    assert_eq!(submit(&mut client, "/register", ADA).await.location(), "/");
    assert!(is_logged_in(&mut client).await);
    let answer = submit(&mut client, "/logout", "").await;
    assert_eq!(answer.header("clear-site-data"), r#""cache", "cookies", "storage""#);
    assert!(!is_logged_in(&mut client).await);

    let before = client.jar[COOKIE].clone();
    let answer = submit(&mut client, "/login", ADA).await;
    assert!(
        !answer.header(SET_COOKIE).contains("Max-Age"),
        "for this run of the browser: {answer:?}"
    );
    assert_ne!(client.jar[COOKIE], before);
    assert!(is_logged_in(&mut client).await);

    submit(&mut client, "/logout", "").await;
    let answer = submit(&mut client, "/login", &format!("{ADA}&remember=on")).await;
    assert!(answer.header(SET_COOKIE).contains("Max-Age=2592000"), "{answer:?}");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_user_are_answered_alike() {
    let mut client = visitor(&ManualClock::new());
    submit(&mut client, "/register", ADA).await;
    submit(&mut client, "/logout", "").await;
    let mut answers = Vec::new();
    for fields in ["user=ada&password=wrong+password", "user=eve&password=wrong+password"] {
        let begin = Instant::now();
        let answer = submit(&mut client, "/login", fields).await;
        answers.push((begin.elapsed(), answer.status, answer.body));
        assert!(!is_logged_in(&mut client).await);
    }
    assert_eq!(answers[0].1, StatusCode::FORBIDDEN);
    assert_eq!((answers[0].1, &answers[0].2), (answers[1].1, &answers[1].2));
    let (known, unknown) = (answers[0].0, answers[1].0);
    assert!(unknown > known / 10, "a hash was computed, too: {known:?}, {unknown:?}");
}

#[tokio::test]
async fn a_form_without_its_token_does_nothing() {
    let mut client = visitor(&ManualClock::new());
    for path in ["/register", "/login", "/password", "/logout"] {
        let answer = client.post(path, &format!("{ADA}&old=a&new=b")).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
    }
    submit(&mut client, "/register", ADA).await;
    client.post("/logout", "_csrf=AAAA").await;
    assert!(is_logged_in(&mut client).await);
}

#[tokio::test]
async fn a_new_password_needs_a_recent_log_in_and_ends_the_other_sessions() {
    let clock = ManualClock::new();
    let mut client = visitor(&clock);
    submit(&mut client, "/register", ADA).await;
    let mut other = client.clone();
    other.jar.clear();
    let taken = submit(&mut other, "/register", "user=ada&password=of+somebody+else").await;
    assert_eq!(taken.status, StatusCode::CONFLICT);
    submit(&mut other, "/login", ADA).await;
    clock.advance(Duration::from_secs(6 * 60));
    let change = "old=difference+engine&new=analytical+engine";
    assert_eq!(submit(&mut client, "/password", change).await.status, StatusCode::UNAUTHORIZED);

    submit(&mut client, "/login", ADA).await;
    let wrong = submit(&mut client, "/password", "old=wrong&new=analytical+engine").await;
    assert_eq!(wrong.status, StatusCode::FORBIDDEN);
    assert!(is_logged_in(&mut other).await);
    assert_eq!(submit(&mut client, "/password", change).await.location(), "/");
    assert!(is_logged_in(&mut client).await && !is_logged_in(&mut other).await);

    submit(&mut client, "/logout", "").await;
    assert_eq!(submit(&mut client, "/login", ADA).await.status, StatusCode::FORBIDDEN);
    let new = "user=ada&password=analytical+engine";
    assert_eq!(submit(&mut client, "/login", new).await.location(), "/");
}
