//! F9, A11: a session outside of a request, from a raw token or from headers.

use http::HeaderMap;
use http::header::COOKIE;
use tenure_core::transform::{Keyring, SecretKey};
use tenure_core::transport::{Cookie, SameSite, Secure};
use tenure_core::{ErrorKind, Sessions};

use crate::app::app;
use crate::client::Client;
use crate::store::Spy;

#[tokio::test]
async fn f9_a11_a_raw_token_opens_the_session() {
    let sessions = Sessions::in_memory().unwrap();
    let mut client = Client::new(&app(&sessions));
    client.get("/set/a/b").await;
    let session = sessions.open_token(client.token()).await.unwrap().unwrap();
    assert_eq!(session.get::<String>("a").unwrap().as_deref(), Some("b"));
    session.set("job", "done").unwrap();
    session.commit().await.unwrap();
    assert_eq!(client.get("/get/job").await.body, "done");

    let reading = session.read_only();
    assert_eq!(reading.set("a", "c").unwrap_err().kind(), ErrorKind::ReadOnly);
    for token in ["", "nonsense", &client.token()[1..]] {
        assert!(sessions.open_token(token).await.unwrap().is_none(), "{token:?}");
    }
    client.get("/logout").await;
    assert_eq!(session.reload().await.unwrap_err().kind(), ErrorKind::Gone);
}

#[tokio::test]
async fn f9_a11_headers_open_the_session_with_other_cookie_options_too() {
    let (store, secret) = (Spy::default(), SecretKey::generate_secret().unwrap());
    let with = |cookie| {
        let keys = Keyring::from_secrets([&secret]).unwrap();
        Sessions::builder().store(store.clone()).signing_keys(keys).cookie(cookie).build().unwrap()
    };
    let auto = || Cookie::default().secure(Secure::Auto);
    let sessions = with(auto());
    let mut https = Client::new(&app(&sessions));
    let mut plain = Client::plain(&app(&sessions));
    https.get("/set/a/https").await;
    plain.get("/set/a/plain").await;
    let headers = |client: &Client| {
        let (name, value) = client.jar.first_key_value().unwrap();
        HeaderMap::from_iter([(COOKIE, format!("a=1; {name}={value}").parse().unwrap())])
    };
    for sessions in [sessions, with(auto().same_site(SameSite::Strict).extension("X", None))] {
        for (client, secure, value) in [(&https, true, "https"), (&plain, false, "plain")] {
            let found = sessions.open_headers(&headers(client), secure).await.unwrap().unwrap();
            assert_eq!(found.get::<String>("a").unwrap().as_deref(), Some(value));
            assert!(sessions.open_headers(&headers(client), !secure).await.unwrap().is_none());
        }
        assert!(sessions.open_headers(&HeaderMap::new(), true).await.unwrap().is_none());
    }
}
