//! K4, P3: by which transports sessions travel.

use crate::{json, refused};

/// What `describe` says of the transports.
async fn described(settings: &str) -> Vec<String> {
    let sessions = json(settings).read().unwrap().build().await.unwrap();
    let text = sessions.describe().to_string();
    let lines = text.lines().skip(1).take_while(|line| !line.starts_with("idle_timeout"));
    lines.map(str::to_owned).collect()
}

/// K4, P3: in the order in which they are named; a cookie alone where none is.
#[tokio::test]
async fn k4_p3_transports_by_configuration() {
    let cookie = "cookie: __Host-id=…; Path=/; Secure; HttpOnly; SameSite=Lax";
    assert_eq!(described(r#"{"store": "memory:"}"#).await, [cookie]);
    let settings = r#"{
        "store": "memory:", "transports": ["bearer", "header", "cookie"],
        "header": {"name": "x-session", "longest": 8192},
        "bearer": {"response_header": "x-new-token", "longest": 2048}
    }"#;
    assert_eq!(described(settings).await, ["bearer: x-new-token", "header: x-session", cookie]);
    let settings = r#"{"store": "memory:", "transports": "bearer"}"#;
    assert_eq!(described(settings).await, ["bearer: authorization"]);

    let vars = [
        ("TENURE_STORE", "memory:"),
        ("TENURE_TRANSPORTS", "header, cookie"),
        ("TENURE_HEADER_NAME", "x-session"),
        ("TENURE_COOKIE_NAME", "__Host-shop"),
    ];
    let sessions = json("{}").vars(vars).read().unwrap().build().await.unwrap();
    assert_eq!(sessions.name(), "__Host-shop");
    assert_eq!(sessions.request_headers(), ["x-session"]);
}

/// K4, P3: what is wrong with them is told by its name.
#[tokio::test]
async fn k4_p3_transports_that_are_wrong() {
    for (settings, words) in [
        (r#"{"transports": []}"#, ["transports = []", "one or several"]),
        (
            r#"{"transports": "url"}"#,
            ["transports = \"url\"", "\"cookie\", \"header\", \"bearer\""],
        ),
        (r#"{"transports": ["cookie", "cookie"]}"#, ["transports = ", "each once"]),
        (r#"{"transports": true}"#, ["transports = true", "one or several"]),
        (r#"{"transports": "header"}"#, ["header.name: ", "`x-session`"]),
        (
            r#"{"header": {"name": "x-session"}}"#,
            ["header.name: ", "name \"header\" in `transports`"],
        ),
        (r#"{"bearer": {"longest": 512}}"#, ["bearer.longest: ", "name \"bearer\""]),
        (
            r#"{"transports": "bearer", "clear_with_browser": true, "cookie": {"path": "/"}}"#,
            ["cookie.path, clear_with_browser: ", "name \"cookie\""],
        ),
        (r#"{"bearer": "x"}"#, ["bearer (", "write `[bearer]`"]),
        (
            r#"{"transports": "bearer", "bearer": {"longst": 512}}"#,
            ["bearer.longst (", "is `bearer.longest` meant?"],
        ),
        (
            r#"{"transports": "bearer", "bearer": {"longest": "long"}}"#,
            ["bearer.longest = \"long\"", "whole number"],
        ),
    ] {
        let text = refused(json(settings));
        for word in words {
            assert!(text.contains(word), "{word:?} in {text}");
        }
        assert!(!text.contains("problems:"), "one is told, and no other: {text}");
    }
    for (settings, words) in [
        (
            r#"{"store": "memory:", "transports": "header", "header": {"name": "x session"}}"#,
            ["header \"x session\"", "letters, digits"],
        ),
        (
            r#"{"store": "memory:", "transports": "bearer", "bearer": {"response_header": "x y"}}"#,
            ["`response_header` \"x y\"", "letters, digits"],
        ),
        (
            r#"{"store": "memory:", "transports": "bearer", "bearer": {"longest": 7}}"#,
            ["bearer: `longest` is 7", "16384"],
        ),
    ] {
        let error = json(settings).read().unwrap().build().await.unwrap_err();
        for word in words {
            assert!(error.to_string().contains(word), "{word:?} in {error}");
        }
    }
}
