//! A20: where a visitor was going, and where they came from.

use tenure_core::session::{AuthLevel, LocalPath};
use tenure_core::{Result, Session};

use crate::visitor::{Visitor, minutes, shop};

const ORDERS: LocalPath = LocalPath::from_static("/orders?page=2");

fn both(session: &Session) -> Result<[Option<String>; 2]> {
    let text = |path: LocalPath| path.to_string();
    Ok([session.intended_url()?.map(text), session.previous_url()?.map(text)])
}

#[tokio::test]
async fn a20_intended_and_previous_url_are_set_read_taken_and_cleared() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| {
        assert_eq!(both(session)?, [None, None]);
        assert_eq!((session.take_intended_url()?, session.take_previous_url()?), (None, None));
        assert!(!session.is_modified());
        session.set_intended_url(&ORDERS)?;
        session.set_previous_url(&LocalPath::ROOT)
    })
    .await;
    ada.get(|session| {
        assert!(session.is_empty(), "they are no keys of the application");
        assert_eq!(both(session)?, [Some("/orders?page=2".into()), Some("/".into())]);
        assert_eq!(session.take_intended_url()?, Some(ORDERS));
        assert_eq!(both(session)?, [None, Some("/".into())]);
        session.clear_previous_url()
    })
    .await;
    ada.get(|session| {
        assert_eq!(both(session)?, [None, None]);
        session.set_intended_url(&ORDERS)?;
        session.clear()?;
        assert_eq!(session.intended_url()?, Some(ORDERS), "which a clear leaves alone");
        session.clear_intended_url()?;
        assert_eq!(both(session)?, [None, None]);
        Ok(())
    })
    .await;
}

/// A login forgets what may have been planted; `login_intended` asks first.
#[tokio::test]
async fn a20_a_login_forgets_both_and_login_intended_tells_before() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    let plant = |session: &Session| {
        session.set_intended_url(&ORDERS)?;
        session.set_previous_url(&LocalPath::ROOT)
    };
    ada.get(plant).await;
    ada.get(|session| session.login("ada")).await;
    assert_eq!(ada.get(both).await, [None, None]);

    ada.get(Session::logout).await;
    ada.get(plant).await;
    let to = ada.get(|session| session.login_intended("ada")).await;
    assert_eq!(to, Some(ORDERS));
    assert_eq!(ada.get(both).await, [None, None]);
    assert_eq!(ada.user().await.as_deref(), Some("ada"));
    assert_eq!(ada.get(|session| session.login_intended("ada")).await, None);
}

/// A log-in in two steps, and a step up, go back to where the visitor was going.
#[tokio::test]
async fn a20_the_intended_url_is_kept_through_what_forgets_it() {
    let (sessions, _clock) = shop();
    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.set_intended_url(&ORDERS)).await;
    ada.get(|session| session.keep_intended_url(|s| s.begin_login("ada", minutes(5)))).await;
    assert_eq!(ada.get(|session| session.login_intended("ada")).await, Some(ORDERS));

    let high = AuthLevel::TWO_FACTORS;
    ada.get(|session| session.set_intended_url(&ORDERS)).await;
    ada.get(|session| session.keep_intended_url(|s| s.step_up(high, minutes(1)))).await;
    assert_eq!(ada.get(Session::take_intended_url).await, Some(ORDERS));
    ada.get(|session| session.keep_intended_url(|s| s.login("ada"))).await;
    assert_eq!(ada.get(Session::take_intended_url).await, None);
}

#[tokio::test]
async fn a20_a_read_only_handle_only_reads() {
    let (sessions, _clock) = shop();
    let session = sessions.start().await.unwrap();
    session.set_intended_url(&ORDERS).unwrap();
    let view = session.read_only();
    assert_eq!(view.intended_url().unwrap(), Some(ORDERS));
    assert!(view.take_intended_url().is_err());
    assert!(view.set_previous_url(&ORDERS).is_err());
    assert!(view.login_intended("ada").is_err());
}
