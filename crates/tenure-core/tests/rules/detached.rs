use tenure_core::ErrorKind;

use crate::visitor::{Visitor, shop};

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
