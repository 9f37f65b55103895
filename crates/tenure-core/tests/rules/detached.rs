//! Sessions outside of a request, where no response brings the client a new token.

use http::HeaderMap;
use http::header::COOKIE;
use tenure_core::session::Detached;
use tenure_core::{ErrorKind, Result, Session, Sessions};
use tenure_testkit::ManualClock;

use crate::visitor::{NAME, Visitor, minutes, shop};

/// A visitor with a session, and a handle detached from it in a request that is over.
async fn connected() -> (Visitor, Detached, Sessions, ManualClock) {
    let (sessions, clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| {
        session.set("n", 1)?;
        session.login("ada")
    })
    .await;
    let socket = ada.get(Session::detach).await;
    (ada, socket, sessions, clock)
}

/// T-WS-1: the new token would reach nobody, and the old one be dead.
#[tokio::test]
async fn t_ws_1_a_detached_handle_refuses_what_needs_a_new_token() {
    let (mut ada, socket, sessions, _clock) = connected().await;
    let before = ada.token.clone();
    let refused = [
        ("login", socket.login("bob")),
        ("login", socket.login_keeping("bob", &["n"])),
        ("regenerate", socket.regenerate()),
        ("regenerate", socket.regenerate_keeping(&[])),
        ("login", socket.detach().unwrap().login("bob")),
    ];
    for (operation, result) in refused {
        let error = result.unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Misuse, operation));
        assert!(error.to_string().contains("in a request, before"), "{error}");
    }
    assert!(!socket.is_modified() && !socket.is_new());
    socket.increment("n", 1).unwrap();
    socket.commit().await.unwrap();
    assert_eq!((ada.user().await.as_deref(), ada.number("n").await), (Some("ada"), Some(2)));
    assert_eq!(ada.token, before);
    assert_eq!(sessions.counts().rotations, 0);
}

/// T-WS-1: nor does it leave a session behind whose token nobody has.
#[tokio::test]
async fn t_ws_1_a_detached_handle_may_end_the_session() {
    let ends: [fn(&Session) -> Result<()>; 3] =
        [Session::logout, Session::destroy, |session| session.lazy().logout()];
    for end in ends {
        let (mut ada, socket, sessions, _clock) = connected().await;
        end(&socket).unwrap();
        assert_eq!(socket.set("n", 2).unwrap_err().kind(), ErrorKind::Destroyed);
        socket.commit().await.unwrap();
        assert_eq!(ada.user().await, None);
        let counts = sessions.counts();
        assert_eq!((counts.created, counts.destroyed), (1, 1));
    }
}

/// A secret that is prepared and never reaches the client keeps the next one waiting for a minute.
#[tokio::test]
async fn t_life_1_only_requests_renew() {
    let (mut ada, socket, sessions, clock) = connected().await;
    let token = ada.token.clone().unwrap();
    for _ in 0..3 {
        clock.advance(minutes(21));
        for handle in [&socket, &sessions.open_token(&token).await.unwrap().unwrap()] {
            handle.increment("n", 1).unwrap();
            handle.commit().await.unwrap();
        }
    }
    assert_eq!(sessions.counts().rotations, 0);
    assert_eq!(ada.number("n").await, Some(7));
    assert_ne!(ada.token.as_ref(), Some(&token), "the first request that may");
    assert_eq!(sessions.counts().rotations, 1);

    // The second phase is anybody's: whoever shows the new secret has it.
    let next = ada.token.clone().unwrap();
    let session = sessions.open_token(&next).await.unwrap().unwrap();
    session.commit().await.unwrap();
    assert!(sessions.open_token(&token).await.unwrap().is_none());
    assert_eq!(ada.number("n").await, Some(7));
}

/// F9: whoever opened a session outside of a request can ask for its new token.
#[tokio::test]
async fn f9_other_handles_outside_a_request_rotate() {
    let (sessions, _clock) = shop();
    let started = sessions.start().await.unwrap();
    started.login("ada").unwrap();
    started.commit().await.unwrap();
    let first = started.danger_expose_token().unwrap();

    let opened = sessions.open_token(&first).await.unwrap().unwrap();
    opened.login("bob").unwrap();
    opened.commit().await.unwrap();
    let second = opened.danger_expose_token().unwrap();

    let cookie = format!("{NAME}={second}").parse().unwrap();
    let headers = HeaderMap::from_iter([(COOKIE, cookie)]);
    let opened = sessions.open_headers(&headers, true).await.unwrap().unwrap();
    opened.regenerate().unwrap();
    opened.commit().await.unwrap();
    let third = opened.danger_expose_token().unwrap();

    for (token, alive) in [(first, false), (second, false), (third, true)] {
        assert_eq!(sessions.open_token(&token).await.unwrap().is_some(), alive);
    }
    opened.logout().unwrap();
    opened.set("farewell", 1).unwrap();
    opened.commit().await.unwrap();
    assert!(opened.exists(), "a fresh session, whose token the caller may ask for");
}

/// Outside of a request no response commits what `destroy` records.
#[tokio::test]
async fn v11_destroyed_outside_a_request_is_gone_once_committed() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set("n", 1)).await;
    let token = ada.token.clone().unwrap();
    let session = sessions.open_token(&token).await.unwrap().unwrap();
    session.destroy().unwrap();
    session.commit().await.unwrap();
    assert_eq!(ada.number("n").await, None);
    assert_eq!(sessions.counts().destroyed, 1);
    assert_eq!(session.set("n", 2).unwrap_err().kind(), ErrorKind::Destroyed);
    session.commit().await.unwrap();
    assert_eq!(sessions.counts().destroyed, 1);
}
