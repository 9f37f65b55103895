//! X3: what a request may cost the store.

use http::Request;
use http::header::COOKIE;
use tenure_core::id::Handle;

use crate::app::app;
use crate::client::Client;
use crate::store::Spy;

#[tokio::test]
async fn x3_a_request_costs_the_store_no_more_than_it_must() {
    let store = Spy::default();
    let mut client = Client::new(&app(&store.builder().build().unwrap()));
    let steps: [(&str, &[&str], bool); 13] = [
        ("/plain", &[], false),
        ("/get/a", &[], false),
        ("/whoami", &[], false),
        ("/set/a/b", &["create"], true),
        ("/plain", &[], false),
        ("/get/a", &["load"], false),
        ("/whoami", &["load"], false),
        ("/set/a/c", &["load", "apply"], false),
        ("/incr", &["load", "apply"], false),
        ("/regenerate", &["load", "apply"], true),
        ("/login/ada", &["load", "apply"], true),
        ("/logout", &["load", "delete"], true),
        ("/get/a", &[], false),
    ];
    for (path, calls, cookie) in steps {
        let answer = client.get(path).await;
        assert!(answer.status.is_success(), "{path}: {answer:?}");
        assert_eq!(store.calls(), calls, "{path}");
        assert_eq!(!answer.sets_no_cookie(), cookie, "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn x3_r7_what_is_malformed_or_forged_costs_nothing() {
    let (store, other) = (Spy::default(), Spy::default());
    let sessions = store.builder().build().unwrap();
    let app = app(&sessions);
    let mut stranger = Client::new(&crate::app::app(&other.builder().build().unwrap()));
    stranger.get("/set/a/b").await;
    let mut known = Client::new(&app);
    known.get("/set/a/b").await;
    store.calls();

    let valid = known.token().to_owned();
    let mut forged: Vec<String> = ["", " ", "-", "null", "undefined", "%00", "../../etc/passwd"]
        .map(str::to_owned)
        .into_iter()
        .chain([stranger.token().to_owned(), "A".repeat(48), "A".repeat(91), "A".repeat(4000)])
        .chain([valid[..valid.len() - 1].to_owned(), format!("{valid}A"), valid.to_lowercase()])
        .collect();
    for at in 0..valid.len() {
        let other = if valid.as_bytes()[at] == b'A' { "B" } else { "A" };
        forged.push(format!("{}{other}{}", &valid[..at], &valid[at + 1..]));
    }
    for token in forged {
        for path in ["/get/a", "/whoami", "/plain"] {
            let cookie = format!("__Host-id={token}");
            let answer = Client::new(&app).send(Request::get(path).header(COOKIE, cookie)).await;
            assert!(answer.status.is_success(), "{token:?}: {answer:?}");
            assert_ne!(answer.body, "b", "{token:?}");
            assert!(answer.sets_no_cookie(), "{token:?}: {answer:?}");
            assert_eq!(store.calls(), [""; 0], "{token:?}");
        }
    }
    assert_eq!(store.records(), 1);
    assert_eq!(known.get("/get/a").await.body, "b");
}

#[tokio::test]
async fn v13_the_id_that_is_shown_is_the_handle() {
    let store = Spy::default();
    let mut client = Client::new(&app(&store.builder().build().unwrap()));
    assert_eq!(client.get("/handle").await.body, "-");
    client.get("/set/a/b").await;
    let handle = client.get("/handle").await.body;
    assert!(handle.parse::<Handle>().is_ok() && client.token().len() > handle.len());
    client.get("/regenerate").await;
    assert_eq!(client.get("/handle").await.body, handle);
}
