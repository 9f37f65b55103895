use std::process::Command;

use tenure::config::SessionConfig;
use tenure::engine::Connection;
use tenure::{FromEnv, Sessions};

use crate::{SECRET, json, refused};

const ALL: &str = r#"{
    "store": "memory:",
    "secret": "k7Q2mXv9LrT4wB8nZ1cJ6hY3pD5sF0gAk7Q2mXv9LrT4",
    "namespace": "shop",
    "profile": "aal1",
    "idle_timeout": "2h",
    "absolute_timeout": "30 days",
    "renewal_interval": 900,
    "touch_interval": "45s",
    "touch_every_request": true,
    "rolling": true,
    "save_uninitialized": true,
    "clear_unknown": true,
    "store_timeout": "250ms",
    "when_unavailable": "degrade",
    "undecodable": "reset",
    "max_sessions_per_user": 5,
    "at_limit": "evict_oldest",
    "lock_ip": "/24 /64",
    "lock_user_agent": true,
    "max_session_bytes": 4096,
    "max_session_keys": 16,
    "max_operations": 32,
    "max_flash_bytes": 1024,
    "cookie": {
        "name": "__Secure-shop",
        "path": "/shop",
        "domain": "example.com",
        "secure": true,
        "http_only": false,
        "same_site": "none",
        "partitioned": true,
        "priority": "high",
        "max_age": "7d",
        "extensions": { "X-Zone": "eu", "X-Bare": true }
    }
}"#;

/// A1: one configuration for all that AdonisJS configures, and for the rest.
#[tokio::test]
async fn a1_a_file_sets_everything() {
    let sessions = json(ALL).read().unwrap().build().await.unwrap();
    assert_eq!(
        sessions.describe().to_string(),
        "namespace: shop\n\
         cookie: __Secure-shop=…; Path=/shop; Domain=example.com; Secure; SameSite=None; \
         Partitioned; Priority=High; X-Bare; X-Zone=eu; Max-Age=604800\n\
         profile: AAL1 of NIST SP 800-63B-4: at most 30 days in all\n\
         idle_timeout: 2 hours\n\
         absolute_timeout: 30 days\n\
         renewal_interval: 15 minutes\n\
         touch_interval: 45 seconds\n\
         touch_every_request: yes\n\
         rolling: yes\n\
         save_uninitialized: yes\n\
         clear_unknown: yes\n\
         store_timeout: 250ms\n\
         max_sessions_per_user: 5, then evict_oldest\n\
         lock_ip: /24 /64\n\
         lock_user_agent: yes\n\
         max_session_bytes: 4096\n\
         max_session_keys: 16\n\
         max_operations: 32\n\
         max_flash_bytes: 1024\n"
    );
    let session = sessions.start().await.unwrap();
    session.set("theme", 7).unwrap();
    assert_eq!(session.get::<String>("theme").unwrap(), None, "undecodable");
}

/// A1: each of them is a variable, too, and variables stand above the file.
#[tokio::test]
async fn a1_variables_override_the_file() {
    let vars = [
        ("TENURE_IDLE_TIMEOUT", "1h"),
        ("TENURE_PROFILE", "aal2"),
        ("TENURE_ABSOLUTE_TIMEOUT", "86400"),
        ("TENURE_ROLLING", "no"),
        ("TENURE_MAX_OPERATIONS", "64"),
        ("TENURE_COOKIE_SAME_SITE", "strict"),
        ("TENURE_COOKIE_PARTITIONED", "off"),
        ("TENURE_COOKIE_HTTP_ONLY", "yes"),
        ("TENURE_COOKIE_MAX_AGE", "browser"),
        ("TENURE_NAMESPACE", ""),
        ("TENURE_TEST_REDIS_URL", "of a test"),
        ("HOME", "/root"),
    ];
    let config = json(ALL).vars(vars).read().unwrap();
    let shown = config.to_string();
    assert!(shown.contains("idle_timeout = \"1h\" (TENURE_IDLE_TIMEOUT)\n"), "{shown}");
    assert!(shown.contains("namespace = \"shop\" (the JSON text)\n"), "an empty one is none");
    let text = config.build().await.unwrap().describe().to_string();
    for line in [
        "profile: AAL2 of NIST SP 800-63B-4: at most 24 hours in all, 1 hour idle\n",
        "idle_timeout: 1 hour\n",
        "absolute_timeout: 24 hours\n",
        "max_operations: 64\n",
        "; Secure; HttpOnly; SameSite=Strict; Priority=High; X-Bare; X-Zone=eu\n",
    ] {
        assert!(text.contains(line), "{line:?} in {text}");
    }
    assert!(!text.contains("rolling"), "{text}");

    // A variable also takes the place of the other name of what the file sets.
    let text = json(ALL).vars([("TENURE_AGE", "5m")]).read().unwrap().build().await.unwrap();
    assert!(text.describe().to_string().contains("idle_timeout: 5 minutes\n"));
}

/// A1: all that is wrong is told at once, with the setting, the value, its place and what is allowed.
#[test]
fn a1_unknown_settings_and_bad_values_are_told_at_once() {
    let sources = json(
        r#"{
            "store": "memory:", "enabled": "yes", "idle_timout": "2h", "absolute_timeout": "soon",
            "touch_interval": -5, "max_operations": "many", "profile": "aal4", "weather": "hunter2",
            "cookie": {"samesite": "lax", "same_site": "sideways", "secure": "sometimes",
                       "extensions": {"X-Zone": 7}}
        }"#,
    )
    .vars([("TENURE_COOKIE_HTTPONLY", "hunter2"), ("TENURE_ROLLING", "perhaps")]);
    let text = refused(sources);
    for problem in [
        "configuration: 13 problems:\n",
        "TENURE_COOKIE_HTTPONLY: there is no such setting; is `TENURE_COOKIE_HTTP_ONLY` meant?",
        "enabled = \"yes\" (the JSON text): write true or false",
        "idle_timout (the JSON text): there is no such setting; is `idle_timeout` meant?",
        "absolute_timeout = \"soon\" (the JSON text): write a time such as \"30m\"",
        "touch_interval = -5 (the JSON text): write a time",
        "max_operations = \"many\" (the JSON text): write a whole number",
        "profile = \"aal4\" (the JSON text): write one of \"aal1\", \"aal2\", \"aal3\"",
        "weather (the JSON text): there is no such setting; remove it",
        "cookie.samesite (the JSON text): there is no such setting; is `cookie.same_site` meant?",
        "cookie.same_site = \"sideways\" (the JSON text): write one of \"strict\", \"lax\", \"none\"",
        "cookie.secure = \"sometimes\" (the JSON text): write true, false or \"auto\"",
        "rolling = \"perhaps\" (TENURE_ROLLING): write true or false",
        "cookie.extensions.X-Zone = 7 (the JSON text): write a text",
    ] {
        assert!(text.contains(problem), "{problem:?} in {text}");
    }
    assert!(refused(json(r#"{"cookie": "id"}"#)).contains("write `[cookie]`"));
    assert!(refused(json("[1]")).contains("no table of settings"));
    assert!(refused(json("{")).contains("not JSON"));
    let text = refused(json(r#"{"age": "1h", "idle_timeout": "2h"}"#));
    assert!(text.contains("age, idle_timeout: keep one"), "{text}");
}

/// A1: what contradicts itself is refused when the sessions are built.
#[tokio::test]
async fn a1_contradictions_are_refused() {
    for (settings, words) in [
        (r#"{"store": "memory:", "idle_timeout": "2d"}"#, ["idle_timeout", "shorten"]),
        (r#"{"store": "memory:", "cookie": {"path": "/shop"}}"#, ["__Host-", "path"]),
        (r#"{"store": "memory:", "profile": "aal3", "age": "1h"}"#, ["15 minutes", "AAL3"]),
        (r#"{"store": "carrier:home"}"#, ["carrier", "memory:"]),
        (r#"{"cookie": {"name": "id"}}"#, ["store: none", "TENURE_STORE"]),
    ] {
        let error = json(settings).read().unwrap().build().await.unwrap_err();
        for word in words {
            assert!(error.to_string().contains(word), "{word:?} in {error}");
        }
    }
    let text = refused(json(r#"{"renewal_interval": "1h", "insecure_never_renew": true}"#));
    assert!(text.contains("insecure_never_renew: keep the interval"), "{text}");
    let text = refused(json(r#"{"max_sessions_per_user": 5}"#));
    assert!(text.contains("at_limit: set both"), "{text}");
    let text = refused(json(r#"{"clear_with_browser": false}"#));
    assert!(text.contains("clear_with_browser") && text.contains("idle_timeout"), "{text}");
    let both = r#"{"clear_with_browser": false, "age": "2h", "cookie": {"max_age": "1h"}}"#;
    assert!(refused(json(both)).contains("keep one of them"));
}

/// A1: the age "2h", and a cookie that stays for it.
#[tokio::test]
async fn a1_clear_with_browser() {
    let cookie = async |settings: &str| {
        let sessions = json(settings).read().unwrap().build().await.unwrap();
        sessions.describe().to_string().lines().nth(1).unwrap().to_owned()
    };
    let cleared = cookie(r#"{"store": "memory:", "age": "2h"}"#).await;
    assert!(!cleared.contains("Max-Age"), "T-NIST-2: {cleared}");
    let stays = cookie(r#"{"store": "memory:", "age": "2h", "clear_with_browser": false}"#).await;
    assert!(stays.ends_with("; Max-Age=7200"), "{stays}");
}

/// A1: off, it needs neither store nor secret, and handlers find nothing.
#[tokio::test]
async fn a1_enabled_false_switches_off() {
    let vars = [("TENURE_ENABLED", "false"), ("TENURE_STORE", "carrier:home")];
    let config = SessionConfig::sources().vars(vars).read().unwrap();
    assert!(!config.is_enabled());
    let sessions: Sessions = config.build().await.unwrap();
    let (parts, ()) = http::Request::new(()).into_parts();
    let exchange = sessions.open(&parts, Connection::new().secure(true));
    let session = exchange.session().load().await.unwrap();
    assert!(session.is_empty() && session.set("theme", "dark").is_err());
    let mut response = http::Response::new(());
    exchange.close(response.status(), response.headers_mut()).await.unwrap();
    assert!(response.headers().is_empty());
}

/// F13: express-session's options are answered, those that harm with what to do instead.
#[test]
fn f13_options_of_express_session() {
    for (option, answer) in [
        ("\"resave\": true", "over what other requests have changed"),
        ("\"resave\": true", "`touch_every_request`"),
        ("\"unset\": \"destroy\"", "`Session::destroy`"),
        ("\"proxy\": true", "`trusted_proxies`"),
        ("\"trust proxy\": true", "`trusted_proxies`"),
        ("\"genid\": 1", "`SessionsBuilder::id_generator`"),
        ("\"saveUninitialized\": true", "is `save_uninitialized` meant?"),
        ("\"cookie\": {\"sameSite\": \"lax\"}", "is `cookie.same_site` meant?"),
        ("\"cookie\": {\"maxAge\": 1}", "is `cookie.max_age` meant?"),
        ("\"cookie\": {\"expires\": 1}", "`Cookie::expires`"),
        ("\"name\": \"sid\"", "is `cookie.name` meant?"),
        ("\"cookieName\": \"sid\"", "is `cookie.name` meant?"),
    ] {
        let text = refused(json(&format!("{{{option}}}")));
        assert!(text.contains(answer), "{answer:?} in {text}");
    }
}

/// F13: and the manual says of each what it is here, and what is harmful about its default.
#[test]
fn f13_the_manual_names_what_is_harmful() {
    let manual = include_str!("../../src/config/config.md");
    let row = |option: &str| {
        let row = manual.lines().find(|line| line.starts_with(&format!("| `{option}")));
        row.unwrap_or_else(|| panic!("{option} is not in the manual"))
    };
    for option in ["resave`", "saveUninitialized`", "proxy`", "cookie.secure` | `cookie.secure`"] {
        assert!(row(option).contains("**harmful**"), "{option}");
    }
    for option in ["secret`", "name`", "store`", "cookie.maxAge`", "rolling`", "unset", "genid`"] {
        assert!(!row(option).contains("**harmful**"), "{option}");
    }
}

/// A1: a file by its name, and one that a variable names, below the variables.
#[tokio::test]
async fn a1_files_and_where_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.json");
    std::fs::write(&path, r#"{"store": "memory:", "cookie": {"name": "__Host-shop"}}"#).unwrap();
    let name = path.to_str().unwrap();
    let vars = [
        ("TENURE_CONFIG", name),
        ("TENURE_COOKIE_NAME", "__Host-other"),
        ("TENURE_SECRET", SECRET),
    ];
    let config = SessionConfig::sources().vars(vars).read().unwrap();
    let shown = config.to_string();
    assert!(shown.contains(&format!("store = … ({name})")), "{shown}");
    assert_eq!(config.build().await.unwrap().name(), "__Host-other");
    assert!(SessionConfig::sources().file(&path).read().is_ok());
    let missing = refused(SessionConfig::sources().file(folder.path().join("none.json")));
    assert!(missing.contains("none.json cannot be read"), "{missing}");

    let path = folder.path().join("sessions.toml");
    std::fs::write(&path, "store = 'memory:'\n[cookie]\nname = '__Host-shop'\n").unwrap();
    let read = SessionConfig::sources().file(&path).read();
    if cfg!(feature = "toml") {
        assert_eq!(read.unwrap().build().await.unwrap().name(), "__Host-shop");
    } else {
        assert!(read.unwrap_err().to_string().contains("feature `toml`"));
    }
}

#[cfg(feature = "toml")]
#[test]
fn a1_what_is_no_toml_is_refused_by_its_line() {
    let text = format!("store = 'memory:'\nsecret = {SECRET}\n");
    let error = refused(SessionConfig::sources().toml(&text));
    assert!(error.contains("line 2"), "{error}");
    let error = refused(SessionConfig::sources().toml("store = 'memory:'\nstore = 'hunter2:'\n"));
    assert!(error.contains("line 2"), "{error}");
    let error = refused(SessionConfig::sources().toml("idle_timeout = 1979-05-27"));
    assert!(error.contains("idle_timeout"), "{error}");
}

/// A1: whatever stands in a variable is read or refused, and never a panic.
#[test]
fn a1_odd_values_are_no_panic() {
    for value in ["\0", "💥", "\u{feff}", "=", "a".repeat(1 << 20).as_str(), "-1", "1e9", "[]"] {
        for name in ["TENURE_AGE", "TENURE_COOKIE_NAME", "TENURE_MAX_OPERATIONS", "TENURE_STORE"] {
            match SessionConfig::sources().vars([(name, value)]).read() {
                Ok(config) => assert!(config.to_string().len() < 400),
                Err(error) => assert!(error.to_string().len() < 400, "{error}"),
            }
        }
    }
}

/// A1: the example of the manual is one.
#[cfg(feature = "toml")]
#[test]
fn a1_the_example_of_the_manual_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("session");
    std::fs::write(&path, SECRET).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
    }
    let manual = include_str!("../../src/config/config.md");
    let (_, example) = manual.split_once("```toml\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let example = example.replace("/run/secrets/session", path.to_str().unwrap());
    let vars = [("CACHE_PASSWORD", "hunter2")];
    let config = SessionConfig::sources().toml(&example).vars(vars).read().unwrap();
    assert!(config.to_string().contains("absolute_timeout = \"7 days\" (the TOML text)\n"));
}

/// A1: the environment of a process, which here is a child's.
#[tokio::test]
#[allow(clippy::print_stdout, reason = "the parent reads it")]
async fn a1_sessions_from_the_environment() {
    if std::env::var_os("TENURE_TEST_CONFIGURED").is_some() {
        match Sessions::from_env().await {
            Ok(sessions) => println!("the cookie is {}", sessions.name()),
            Err(error) => println!("refused: {error}"),
        }
        return;
    }
    let child = |configure: &dyn Fn(&mut Command)| {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "settings::a1_sessions_from_the_environment", "--nocapture"]);
        child.env("TENURE_TEST_CONFIGURED", "1").env("TENURE_STORE", "memory:");
        configure(&mut child);
        String::from_utf8(child.output().unwrap().stdout).unwrap()
    };
    let printed = child(&|child| {
        child.env("TENURE_COOKIE_NAME", "__Host-env");
    });
    assert!(printed.contains("the cookie is __Host-env"), "{printed}");
    let printed = child(&|child| {
        child.env("TENURE_AGE", "soon");
    });
    assert!(printed.contains("refused: configuration: age = \"soon\" (TENURE_AGE)"), "{printed}");
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        let odd = std::ffi::OsStr::from_bytes(b"\xff");
        let printed = child(&|child| {
            child.env("TENURE_AGE", odd).env("OTHER", odd);
        });
        assert!(printed.contains("refused: configuration: TENURE_AGE: the value"), "{printed}");
    }
}
