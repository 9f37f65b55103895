//! Log-in at an identity provider, which is a second server.

#[path = "../../examples/oauth_pkce.rs"]
#[expect(dead_code, reason = "the example's `main`")]
mod recipe;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Request, StatusCode};
use tenure::Sessions;

use crate::client::{Answer, Client};
use crate::identity_provider::IdentityProvider;

const REDIRECT: &str = "https://shop.test/callback";
const SECRET: &str = "of the back channel";

async fn start() -> (Client, IdentityProvider) {
    let identity = IdentityProvider::start().await;
    let provider = recipe::Provider {
        origin: identity.origin.clone(),
        client_id: "shop",
        redirect_uri: REDIRECT,
        secret: SECRET.into(),
    };
    let app = recipe::router(Sessions::in_memory().unwrap(), provider);
    (Client::new(&app, "https://shop.test"), identity)
}

/// Asks for a page, is sent to the provider, says yes there, and is sent back: to this path.
async fn until_callback(client: &mut Client, identity: &IdentityProvider) -> String {
    assert_eq!(client.get("/account?tab=2").await.location(), "/login");
    let there = client.get("/login").await.location().to_owned();
    let back = identity.visit(there).await;
    back.strip_prefix("https://shop.test").unwrap().to_owned()
}

async fn is_logged_in(client: &mut Client) -> bool {
    client.get("/account").await.body == "The account of ada"
}

fn refused(answer: &Answer) -> bool {
    answer.status == StatusCode::FORBIDDEN
}

#[tokio::test(flavor = "multi_thread")]
async fn x7_a_log_in_at_the_provider_leads_to_the_page_that_was_asked_for() {
    let (mut client, identity) = start().await;
    let callback = until_callback(&mut client, &identity).await;
    let before = client.jar.clone();
    let answer = client.get(&callback).await;
    assert_eq!(answer.location(), "/account?tab=2", "{answer:?}");
    assert_ne!(client.jar, before, "a new secret");
    assert!(is_logged_in(&mut client).await);
    assert!(refused(&client.get(&callback).await), "replayed");
    assert!(is_logged_in(&mut client).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn x7_a_state_that_is_wrong_or_of_another_session_is_refused() {
    let (mut client, identity) = start().await;
    let callback = until_callback(&mut client, &identity).await;
    let mut victim = client.clone();
    victim.jar.clear();
    assert!(refused(&victim.get(&callback).await), "no session at all");
    let own = until_callback(&mut victim, &identity).await;
    assert!(refused(&victim.get(&callback).await), "of another session");
    let (path, _) = own.split_once("state=").unwrap();
    assert!(refused(&victim.get(&format!("{path}state=AAAA")).await), "a wrong one");
    assert_eq!(identity.exchanges(), 0, "nothing was asked of the provider");
    assert!(!is_logged_in(&mut victim).await);
    assert_eq!(victim.get(&own).await.status, StatusCode::SEE_OTHER, "not used up");
}

#[tokio::test(flavor = "multi_thread")]
async fn x7_a_code_of_another_log_in_does_not_fit_the_verifier() {
    let (mut client, identity) = start().await;
    let callback = until_callback(&mut client, &identity).await;
    let mut other = client.clone();
    other.jar.clear();
    let injected = until_callback(&mut other, &identity).await;
    let code = injected.split_once("code=").unwrap().1.split('&').next().unwrap();
    let (_, state) = callback.split_once("state=").unwrap();
    let answer = client.get(&format!("/callback?code={code}&state={state}")).await;
    assert!(refused(&answer), "{answer:?}");
    assert_eq!(identity.exchanges(), 1, "the provider has refused it");
    assert!(!is_logged_in(&mut client).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn r26_x7_of_100_parallel_callbacks_one_wins() {
    let (mut client, identity) = start().await;
    let callback = until_callback(&mut client, &identity).await;
    let requests = (0..100).map(|_| {
        let (mut client, callback) = (client.clone(), callback.clone());
        tokio::spawn(async move { (client.get(&callback).await, client) })
    });
    let requests: Vec<_> = requests.collect();
    let mut winners = Vec::new();
    for request in requests {
        let (answer, client) = request.await.unwrap();
        if answer.status == StatusCode::SEE_OTHER {
            winners.push(client);
        } else {
            assert!(refused(&answer), "{answer:?}");
        }
    }
    assert_eq!((winners.len(), identity.exchanges()), (1, 1));
    assert!(is_logged_in(&mut winners[0]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_back_channel_ends_the_session() {
    let (mut client, identity) = start().await;
    let callback = until_callback(&mut client, &identity).await;
    client.get(&callback).await;
    let sid = identity.sid();
    for (secret, sid, status, stays) in [
        ("a guess", &*sid, StatusCode::UNAUTHORIZED, true),
        (SECRET, "another session there", StatusCode::NO_CONTENT, true),
        (SECRET, &*sid, StatusCode::NO_CONTENT, false),
    ] {
        let request = Request::post("/backchannel")
            .header(AUTHORIZATION, format!("Bearer {secret}"))
            .header(CONTENT_TYPE, "application/json");
        let mut provider = client.clone();
        provider.jar.clear();
        let body = format!(r#"{{"sub":"ada","sid":"{sid}"}}"#);
        assert_eq!(provider.send(request, &body).await.status, status);
        assert_eq!(is_logged_in(&mut client).await, stays);
    }
}
