//! K18: the format of records.

use tenure::{ErrorKind, Sessions, UserId};

use crate::{SECRET, json};

async fn sessions(path: &str, format: &str) -> tenure::Result<Sessions> {
    let text = format!(r#"{{"store": "{path}", "format": "{format}", "secret": "{SECRET}"}}"#);
    json(&text).read()?.build().await
}

/// K18: the setting changes, and nobody is logged out.
#[tokio::test]
async fn k18_the_format_is_a_setting() {
    let folder = tempfile::tempdir().unwrap();
    let paths = [
        ("file", format!("file:{}", folder.path().join("sessions").display())),
        ("sqlite", format!("sqlite:{}", folder.path().join("sessions.sqlite").display())),
    ];
    for (scheme, path) in paths {
        let json = match sessions(&path, "json").await {
            Err(error) if error.to_string().contains("needs the feature") => continue,
            opened => opened.unwrap(),
        };
        let session = json.start().await.unwrap();
        session.login("ada").unwrap();
        session.save().await.unwrap();
        let token = session.danger_expose_token().unwrap();
        let packed = sessions(&path, "messagepack").await.unwrap();
        for sessions in [&packed, &json, &packed] {
            let session = sessions.open_token(&token).await.unwrap().expect(scheme);
            assert_eq!(session.user().as_ref().map(UserId::as_str), Some("ada"));
            session.increment("visits", 1).unwrap();
            session.save().await.unwrap();
        }
        let session = json.open_token(&token).await.unwrap().expect(scheme);
        assert_eq!(session.get("visits").unwrap(), Some(3));
    }
}

/// K18: a store that would not heed the setting does not get it.
#[tokio::test]
async fn k18_stores_without_a_format_refuse_the_setting() {
    let error = sessions("memory:", "messagepack").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("format: the store of `memory:`"), "{error}");
    let error = sessions("carrier:home", "messagepack").await.unwrap_err();
    assert!(error.to_string().contains("names no store"), "{error}");
    let error = sessions("memory:", "cbor").await.unwrap_err();
    assert!(error.to_string().contains("\"messagepack\""), "{error}");
}
