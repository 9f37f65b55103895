//! P7: locks, trusted proxies and paths without sessions.

use tenure::Sessions;
use tenure::config::{SessionConfig, Sources};
use tenure::engine::Connection;

use crate::{json, refused};

async fn built(sources: Sources) -> Sessions {
    sources.vars([("TENURE_STORE", "memory:")]).read().unwrap().build().await.unwrap()
}

/// P7: from JSON, TOML and the environment.
#[tokio::test]
async fn p7_locks_are_settings() {
    for (lock, described) in [
        ("exact", "lock_ip: exact\n"),
        ("/24 /64", "lock_ip: /24 /64\n"),
        ("/32 /128", "lock_ip: /32 /128\n"),
        ("/1 /1", "lock_ip: /1 /1\n"),
    ] {
        let mut sources = vec![
            json(&format!(r#"{{"lock_ip": "{lock}", "lock_user_agent": true}}"#)),
            json(r#"{"lock_ip": "/8 /8"}"#)
                .vars([("TENURE_LOCK_IP", lock), ("TENURE_LOCK_USER_AGENT", "yes")]),
        ];
        #[cfg(feature = "toml")]
        sources.push(
            SessionConfig::sources().toml(&format!("lock_ip = '{lock}'\nlock_user_agent = true\n")),
        );
        for sources in sources.drain(..) {
            let text = built(sources).await.describe().to_string();
            assert!(text.contains(described), "{text}");
            assert!(text.contains("lock_user_agent: yes\n"), "{text}");
        }
    }
    let off = built(json(r#"{"lock_user_agent": false}"#)).await.describe().to_string();
    assert!(!off.contains("lock_"), "{off}");
}

#[test]
fn p7_what_is_no_lock_is_refused_by_name() {
    for lock in [
        r#""""#,
        r#""Exact""#,
        r#""prefix""#,
        r#""/24""#,
        r#""24 64""#,
        r#""/64 /24 /1""#,
        r#""/0 /64""#,
        r#""/33 /64""#,
        r#""/24 /0""#,
        r#""/24 /129""#,
        r#""/+24 /64""#,
        r#""/24 /""#,
        r#""/24  /64""#,
        "24",
        "true",
        r#"["/24", "/64"]"#,
    ] {
        let text = refused(json(&format!(r#"{{"lock_ip": {lock}}}"#)));
        assert!(text.contains("lock_ip = ") && text.contains("write \"exact\", or"), "{text}");
    }
    let text = refused(json(r#"{"lock_user_agent": "strictly"}"#));
    assert!(text.contains("lock_user_agent = \"strictly\" (the JSON text): write true"), "{text}");
    for (wrong, right) in [
        ("lockIp", "lock_ip"),
        ("lock_ips", "lock_ip"),
        ("trusted_proxy", "trusted_proxies"),
        ("skip_path", "skip_paths"),
    ] {
        let text = refused(json(&format!(r#"{{"{wrong}": 1}}"#)));
        assert!(text.contains(&format!("is `{right}` meant?")), "{text}");
    }
}

/// Where a request comes from, by these settings, that says to come from there by a proxy.
fn from(sources: Sources, header: (&'static str, &'static str), peer: Option<&str>) -> String {
    let settings = sources.read().unwrap().take_layer();
    let mut headers = http::HeaderMap::new();
    headers.insert(header.0, http::HeaderValue::from_static(header.1));
    let mut direct = Connection::new();
    if let Some(peer) = peer {
        direct = direct.peer(peer.parse().unwrap());
    }
    let found = settings.trusted_proxies().resolve(&headers, direct);
    found.ip().map_or_else(String::new, |ip| ip.to_string())
}

#[test]
fn p7_trusted_proxies_are_settings() {
    const LINE: (&str, &str) = ("x-forwarded-for", "203.0.113.1, 192.0.2.7");
    let vars = |proxies| SessionConfig::sources().vars([("TENURE_TRUSTED_PROXIES", proxies)]);
    let peer = Some("10.0.0.2");
    for (sources, found) in [
        (json("{}"), "10.0.0.2"),
        (json(r#"{"trusted_proxies": 1}"#), "192.0.2.7"),
        (json(r#"{"trusted_proxies": 2}"#), "203.0.113.1"),
        (json(r#"{"trusted_proxies": ["10.0.0.0/8", "2001:db8::/32"]}"#), "192.0.2.7"),
        (json(r#"{"trusted_proxies": "10.0.0.2"}"#), "192.0.2.7"),
        (json(r#"{"trusted_proxies": ["10.1.0.0/16"]}"#), "10.0.0.2"),
        (vars("1"), "192.0.2.7"),
        (vars("10.0.0.0/8, 192.0.2.7"), "203.0.113.1"),
        (vars("10.0.0.0/8 192.0.2.0/24"), "203.0.113.1"),
        (json(r#"{"trusted_proxies": 2}"#).vars([("TENURE_TRUSTED_PROXIES", "0")]), "10.0.0.2"),
    ] {
        assert_eq!(from(sources, LINE, peer), found);
    }
    let both = json(r#"{"trusted_proxies": 1, "proxy_headers": "forwarded"}"#);
    assert_eq!(from(both, ("forwarded", "for=192.0.2.7"), None), "192.0.2.7");
    let other = json(r#"{"trusted_proxies": 1, "proxy_headers": "x-forwarded-for"}"#);
    assert_eq!(from(other, ("forwarded", "for=192.0.2.7"), None), "");
    #[cfg(feature = "toml")]
    {
        let text = "trusted_proxies = ['10.0.0.0/8']\nproxy_headers = 'x-forwarded-for'\n";
        assert_eq!(from(SessionConfig::sources().toml(text), LINE, peer), "192.0.2.7");
    }
}

#[test]
fn p7_what_trusts_nobody_or_everybody_is_refused_by_name() {
    for (proxies, why) in [
        (r#"["10.0.0.1/8"]"#, "bits behind the prefix"),
        (r#"["0.0.0.0/0"]"#, "believes everybody"),
        (r#"["10.0.0.0/8", "::/0"]"#, "believes everybody"),
        (r#"["proxy.internal"]"#, "no range of addresses"),
        (r#""""#, "no range of addresses"),
        ("65", "at most 64"),
        ("-1", "write addresses and ranges"),
        ("1.5", "write addresses and ranges"),
        ("true", "write addresses and ranges"),
        ("[1]", "write addresses and ranges"),
    ] {
        let text = refused(json(&format!(r#"{{"trusted_proxies": {proxies}}}"#)));
        assert!(text.starts_with("configuration: trusted_proxies = "), "{text}");
        assert!(text.contains("(the JSON text): ") && text.contains(why), "{why:?} in {text}");
        assert_eq!(text.matches("trusted_proxies").count(), 1, "{text}");
    }
    let text = refused(json(r#"{"proxy_headers": "forwarded"}"#));
    assert!(
        text.contains("proxy_headers: nobody is believed yet; set `trusted_proxies`"),
        "{text}"
    );
    let text = refused(json(r#"{"trusted_proxies": 1, "proxy_headers": "x-real-ip"}"#));
    assert!(text.contains("write one of \"x-forwarded-for\", \"forwarded\""), "{text}");
    let text = refused(SessionConfig::sources().vars([("TENURE_TRUSTED_PROXIES", "ten")]));
    assert!(text.contains("(TENURE_TRUSTED_PROXIES): \"ten\" is no range"), "{text}");
}

#[test]
fn a1_paths_that_no_request_has_are_refused_by_name() {
    let vars = [("TENURE_SKIP_PATHS", "/health, /metrics"), ("TENURE_SKIP_BELOW", "/assets/")];
    let settings = SessionConfig::sources().vars(vars).read().unwrap().take_layer();
    assert_eq!(settings.skip_paths(), ["/health", "/metrics"]);
    assert_eq!(settings.skip_below(), ["/assets/"]);
    for setting in ["skip_paths", "skip_below"] {
        for paths in [
            r#""health""#,
            r#"["/health", "metrics"]"#,
            r#"["/assets/*"]"#,
            r#"["/health?verbose"]"#,
            r##"["/health#top"]"##,
            r#"["/my health"]"#,
            r#"["/sant\u00e9"]"#,
            r#"[""]"#,
            "[1]",
            "true",
        ] {
            let text = refused(json(&format!(r#"{{"{setting}": {paths}}}"#)));
            assert!(text.contains(&format!("{setting} = ")), "{text}");
            assert!(text.contains("write paths that begin with `/`"), "{text}");
        }
    }
}

/// P7: a program that does not know the settings of the layer does not start with them.
#[tokio::test]
async fn p7_settings_of_the_layer_are_never_lost() {
    for (settings, names) in [
        (r#""trusted_proxies": 1"#, "trusted_proxies"),
        (r#""skip_below": ["/assets"]"#, "skip_below"),
        (
            r#""skip_paths": [], "trusted_proxies": 1, "proxy_headers": "forwarded""#,
            "trusted_proxies, proxy_headers, skip_paths",
        ),
    ] {
        for enabled in [true, false] {
            let text = format!(r#"{{"store": "memory:", "enabled": {enabled}, {settings}}}"#);
            let error = json(&text).read().unwrap().build().await.unwrap_err().to_string();
            assert!(error.contains(&format!(": {names}: only the layer")), "{error}");
            assert!(error.contains("`SessionConfig::take_layer`"), "{error}");
            let mut config = json(&text).read().unwrap();
            let _taken = config.take_layer();
            config.build().await.unwrap();
        }
    }
}

/// P7: through HTTP: a lock by network, behind a proxy that is believed.
#[cfg(feature = "axum")]
#[tokio::test]
async fn p7_a_configured_layer_locks_and_skips() {
    use axum::Router;
    use axum::body::Body;
    use axum::routing::get;
    use http::header::{COOKIE, SET_COOKIE};
    use http::{Request, StatusCode};
    use tenure::axum::{Error, Session};
    use tenure::tower::{Installed, SessionLayer};
    use tower::ServiceExt;

    async fn login(session: Session) -> Result<(), Error> {
        Ok(session.login("ada")?)
    }
    async fn home(session: Option<Session>) -> StatusCode {
        if session.is_some() { StatusCode::OK } else { StatusCode::UNAUTHORIZED }
    }
    async fn skipped(request: Request<Body>) -> StatusCode {
        let has = Installed::of(request.extensions()).is_some();
        if has { StatusCode::OK } else { StatusCode::NO_CONTENT }
    }
    let mut config = json(
        r#"{"store": "memory:", "lock_ip": "/24 /64", "trusted_proxies": 1,
            "skip_paths": ["/health"], "skip_below": ["/assets"]}"#,
    )
    .read()
    .unwrap();
    let settings = config.take_layer();
    let layer = settings.apply(SessionLayer::new(config.build().await.unwrap()));
    let app = Router::new()
        .route("/", get(home).post(login))
        .route("/health", get(skipped))
        .route("/assets/logo.svg", get(skipped))
        .route("/health/history", get(skipped))
        .layer(layer);
    let send = async |method: &str, path: &str, from: &str, cookie: &str| {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("x-forwarded-for", from).header(COOKIE, cookie);
        app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    };
    let answer = send("POST", "/", "192.0.2.7", "").await;
    let cookie = answer.headers()[SET_COOKIE].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap();
    for (from, status) in [
        ("192.0.2.200", StatusCode::OK),
        ("198.51.100.1", StatusCode::UNAUTHORIZED),
        ("192.0.2.7", StatusCode::UNAUTHORIZED),
    ] {
        assert_eq!(send("GET", "/", from, cookie).await.status(), status, "{from}");
    }
    for (path, status) in [
        ("/health", StatusCode::NO_CONTENT),
        ("/assets/logo.svg", StatusCode::NO_CONTENT),
        ("/health/history", StatusCode::OK),
    ] {
        assert_eq!(send("GET", path, "192.0.2.7", "").await.status(), status, "{path}");
    }
}
