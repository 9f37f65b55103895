//! Many requests at once.

use std::sync::Arc;

use axum::extract::Path;
use axum::routing::get;
use axum::{Extension, Router};
use http::Request;
use http::header::COOKIE;
use tenure_core::Sessions;
use tenure_tower::SessionLayer;
use tenure_tower::axum::{Error, LazySession, Session};
use tokio::sync::Barrier;
use tokio::task::yield_now;

use crate::app::routes;
use crate::client::Client;

#[tokio::test(flavor = "multi_thread")]
async fn x1_fifty_parallel_requests_lose_nothing() {
    async fn all(
        session: Session,
        Path(index): Path<usize>,
        Extension(loaded): Extension<Arc<Barrier>>,
    ) -> Result<(), Error> {
        // Every request has its copy before the first one writes.
        loaded.wait().await;
        session.set(format!("key{index}"), index)?;
        session.increment("n", 1)?;
        session.push("pushed", index)?;
        Ok(session.update("updated", move |list: &mut Vec<usize>| list.push(index))?)
    }
    async fn sums(session: Session) -> Result<String, Error> {
        let of = |key: &str| session.get::<Vec<usize>>(key).map(|list| list.unwrap_or_default());
        let (mut pushed, mut updated) = (of("pushed")?, of("updated")?);
        pushed.sort_unstable();
        updated.sort_unstable();
        let complete = [pushed, updated].map(|list| list == (0..50).collect::<Vec<_>>());
        Ok(format!("{} {:?} {complete:?}", session.len(), session.get::<u32>("n")?))
    }
    let app = routes()
        .route("/all/{index}", get(all))
        .route("/sums", get(sums))
        .layer(Extension(Arc::new(Barrier::new(50))))
        .layer(SessionLayer::new(Sessions::in_memory().unwrap()));
    let mut client = Client::new(&app);
    client.get("/set/a/b").await;
    let requests: Vec<_> = (0..50)
        .map(|index| {
            let mut client = client.clone();
            tokio::spawn(async move { client.get(&format!("/all/{index}")).await.status })
        })
        .collect();
    for request in requests {
        assert_eq!(request.await.unwrap(), 200);
    }
    assert_eq!(client.get("/sums").await.body, "54 Some(50) [true, true]");
}

/// Each task sends requests of all users in an order of its own, so that those of one user and
/// those of different users meet on the same and on different threads.
#[tokio::test(flavor = "multi_thread")]
async fn r10_interleaved_requests_never_see_anothers_session() {
    const USERS: usize = 200;
    const TASKS: usize = 16;
    const REQUESTS: usize = 100_000;
    async fn me(session: LazySession) -> Result<String, Error> {
        // Other requests run on this thread in between.
        yield_now().await;
        let session = session.load().await?;
        yield_now().await;
        Ok(session.user().map_or_else(|| "-".into(), |user| user.as_str().to_owned()))
    }
    let sessions = Sessions::in_memory().unwrap();
    let app: Router = routes().route("/me", get(me)).layer(SessionLayer::new(sessions.clone()));
    let mut tokens = Vec::with_capacity(USERS);
    for user in 0..USERS {
        let mut client = Client::new(&app);
        client.get(&format!("/login/user{user}")).await;
        tokens.push(client.token().to_owned());
    }
    let tokens = Arc::new(tokens);
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let (app, tokens) = (app.clone(), Arc::clone(&tokens));
            tokio::spawn(async move {
                for round in 0..REQUESTS / TASKS {
                    let user = (round * (2 * task + 1) + task * 31) % USERS;
                    let cookie = format!("__Host-id={}", tokens[user]);
                    let path = if round % 16 == 0 { "/incr" } else { "/me" };
                    let request = Request::get(path).header(COOKIE, cookie);
                    let answer = Client::new(&app).send(request).await;
                    assert!(answer.sets_no_cookie());
                    if path == "/me" {
                        assert_eq!(answer.body, format!("user{user}"));
                    }
                    if round % 8 == 0 {
                        assert_eq!(Client::new(&app).get("/me").await.body, "-");
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let mut increments = 0;
    for token in tokens.iter() {
        let request = Request::get("/incr").header(COOKIE, format!("__Host-id={token}"));
        increments += Client::new(&app).send(request).await.body.parse::<usize>().unwrap() - 1;
    }
    assert_eq!(increments, TASKS * (REQUESTS / TASKS).div_ceil(16));
    assert_eq!(sessions.counts().created, USERS as u64);
}
