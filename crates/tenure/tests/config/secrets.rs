use tenure::Sessions;
use tenure::config::SessionConfig;
use tenure::store::{AnyStore, MemoryStore, Schemes};

use crate::{OTHER_SECRET, SECRET, json, refused};

/// One store for several managers, by the scheme `shared:`.
struct Shared(AnyStore);

impl Shared {
    fn new() -> Self {
        Self(AnyStore::new(MemoryStore::new()))
    }

    async fn build(&self, config: SessionConfig) -> Sessions {
        let store = self.0.clone();
        let open = move |_url: String| std::future::ready(Ok(store.clone()));
        let schemes = Schemes::new().add("shared", open).unwrap();
        config.schemes(schemes).build().await.unwrap()
    }
}

async fn token(sessions: &Sessions) -> String {
    let session = sessions.start().await.unwrap();
    session.login("ada").unwrap();
    session.save().await.unwrap();
    session.danger_expose_token().unwrap()
}

async fn opens(sessions: &Sessions, token: &str) -> bool {
    sessions.open_token(token).await.unwrap().is_some()
}

fn file(folder: &tempfile::TempDir, name: &str, text: &str, mode: u32) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    path.to_str().unwrap().to_owned()
}

/// K13, F1: by value, by a variable and by a file; of several the first signs and all verify.
#[tokio::test]
async fn k13_keys_from_text_environment_and_file() {
    let (store, folder) = (Shared::new(), tempfile::tempdir().unwrap());
    let from_vars = |vars: &[(&str, &str)]| {
        let vars = vars.iter().copied().chain([("TENURE_STORE", "shared:")]);
        SessionConfig::sources().vars(vars).read().unwrap()
    };
    let old = store.build(from_vars(&[("TENURE_SECRET", OTHER_SECRET)])).await;
    let new = store.build(from_vars(&[("TENURE_SECRET", SECRET)])).await;
    let (by_old, by_new) = (token(&old).await, token(&new).await);
    assert!(!opens(&new, &by_old).await && !opens(&old, &by_new).await);

    let path = file(&folder, "secret", &format!("{SECRET}\n\n  {OTHER_SECRET}\n"), 0o600);
    let list = format!(r#"{{"store": "shared:", "secret": ["{SECRET}", "{OTHER_SECRET}"]}}"#);
    let names = [("TENURE_SECRET_ENV", "NEW, OLD"), ("NEW", SECRET), ("OLD", OTHER_SECRET)];
    for config in [
        from_vars(&[("TENURE_SECRET_FILE", &path)]),
        from_vars(&names),
        json(&list).read().unwrap(),
    ] {
        let both = store.build(config).await;
        assert!(opens(&both, &by_old).await && opens(&both, &by_new).await);
        let signed = token(&both).await;
        assert!(opens(&new, &signed).await && !opens(&old, &signed).await, "the first signs");
    }
}

/// K13: a variable takes the place of the file's secret, however that was given.
#[tokio::test]
async fn k13_a_secret_above_another_is_no_contradiction() {
    let store = Shared::new();
    let text = r#"{"store": "shared:", "secret_file": "/nowhere/secret"}"#;
    let config = json(text).vars([("TENURE_SECRET", SECRET)]).read().unwrap();
    let sessions = store.build(config).await;
    assert!(opens(&sessions, &token(&sessions).await).await);
    let signed = json(r#"{"store": "shared:", "insecure_unsigned_tokens": true}"#);
    let vars = [("TENURE_SECRET", SECRET)];
    assert!(refused(signed.vars(vars)).contains("insecure_unsigned_tokens: keep the secret alone"));
    let signed = json(&format!(r#"{{"store": "shared:", "secret": "{SECRET}"}}"#));
    let signed = signed.vars([("TENURE_INSECURE_UNSIGNED_TOKENS", "no")]).read().unwrap();
    assert!(signed.to_string().contains("secret = …"), "it is still there");
    let both = format!(r#"{{"secret": "{SECRET}", "secret_env": "HOME"}}"#);
    assert!(refused(json(&both)).contains("secret, secret_env: keep one"));
}

/// K13: a secret that others can read, or write, is refused with the remedy.
#[cfg(unix)]
#[test]
fn k13_the_mode_of_the_file_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    for mode in [0o600, 0o400, 0o440, 0o640] {
        let path = file(&folder, &format!("{mode:o}"), SECRET, mode);
        assert!(SessionConfig::sources().vars([("TENURE_SECRET_FILE", &path)]).read().is_ok());
    }
    for mode in [0o644, 0o660, 0o604, 0o666, 0o602, 0o777] {
        let path = file(&folder, &format!("{mode:o}"), SECRET, mode);
        let text = refused(SessionConfig::sources().vars([("TENURE_SECRET_FILE", &path)]));
        for word in ["secret_file", "TENURE_SECRET_FILE", &format!("0{mode:o}"), "chmod 600"] {
            assert!(text.contains(word), "{word:?} in {text}");
        }
    }
}

/// F1, K13: secrets that are weak or missing are refused by the name of their setting.
#[tokio::test]
async fn f1_weak_and_missing_secrets_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let empty = file(&folder, "empty", "\n \n", 0o600);
    let weak = file(&folder, "weak", &format!("{SECRET}\nhunter2\n"), 0o600);
    let large = file(&folder, "large", &"hunter2\n".repeat(10_000), 0o600);
    for (name, value, words) in [
        ("TENURE_SECRET", "hunter2", ["secret = … (TENURE_SECRET)", "32"]),
        ("TENURE_SECRET", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", ["secret", "different"]),
        ("TENURE_SECRET_ENV", "NOT_THERE", ["secret_env = \"NOT_THERE\"", "no such variable"]),
        ("TENURE_SECRET_ENV", ",", ["secret_env", "openssl rand"]),
        ("TENURE_SECRET_FILE", &empty, ["secret_file", "openssl rand"]),
        ("TENURE_SECRET_FILE", &weak, ["secret_file", "32"]),
        ("TENURE_SECRET_FILE", &large, ["secret_file", "too large"]),
        ("TENURE_SECRET_FILE", "/nowhere/secret", ["/nowhere/secret", "cannot be read"]),
    ] {
        let text = refused(SessionConfig::sources().vars([(name, value)]));
        for word in words {
            assert!(text.contains(word), "{word:?} in {text}");
        }
    }
    assert!(refused(json(r#"{"secret": 7}"#)).contains("secret = … (the JSON text)"));

    #[cfg(feature = "sqlite")]
    {
        let url = format!("sqlite:{}", folder.path().join("sessions.sqlite").display());
        let vars = [("TENURE_STORE", url.as_str())];
        let error = SessionConfig::sources().vars(vars).read().unwrap().build().await.unwrap_err();
        for word in ["secret: none", "secret_file", "TENURE_SECRET", "openssl rand"] {
            assert!(error.to_string().contains(word), "{error}");
        }
        let vars = [("TENURE_STORE", url.as_str()), ("TENURE_INSECURE_UNSIGNED_TOKENS", "true")];
        assert!(SessionConfig::sources().vars(vars).read().unwrap().build().await.is_ok());
    }
}

/// K13: nothing prints a secret, nor a URL with a password.
#[tokio::test]
async fn k13_secrets_are_never_printed() {
    let settings = format!(
        r#"{{
            "store": "main",
            "secret": "{SECRET}",
            "connections": {{
                "main": {{"host": "localhost", "user": "ada", "password": "hunter2"}},
                "other": {{"url": "redis://:hunter2@localhost"}}
            }}
        }}"#
    );
    let sources = json(&settings);
    let mut printed = format!("{sources:?}");
    let config = sources.read().unwrap();
    printed += &format!("{config} {config:?} {config:#?}");
    assert!(printed.contains("secret = …"), "{printed}");
    assert!(printed.contains("connections.main.password = …"), "{printed}");
    assert!(printed.contains("connections.main.host = \"localhost\""), "{printed}");
    for store in ["redis://ada:hunter2@host", "hunter2", "ada:hunter2"] {
        let config = SessionConfig::sources().vars([("TENURE_STORE", store)]).read();
        printed += &format!("{config:?}");
        if let Ok(config) = config {
            let schemes = Schemes::default();
            let error = config.schemes(schemes).build().await.err();
            printed += &format!("{error:?}");
        }
    }
    for secret in [SECRET, "hunter2"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

/// X8: data is sealed with the keys of the same secrets; without any it is refused.
#[tokio::test]
async fn x8_data_is_sealed_by_configuration() {
    let store = Shared::new();
    let config = |seal: &str| {
        let vars = [("TENURE_STORE", "shared:"), ("TENURE_SECRET", SECRET)];
        SessionConfig::sources().vars(vars).vars([("TENURE_SEAL_AT_REST", seal)]).read().unwrap()
    };
    let sealed = store.build(config("yes")).await;
    let token = token(&sealed).await;
    assert!(opens(&sealed, &token).await);
    let error = store.build(config("no")).await.open_token(&token).await.unwrap_err();
    assert_eq!(error.kind(), tenure::ErrorKind::Corrupt, "it is no empty session");

    let text = refused(json(r#"{"store": "memory:", "seal_at_rest": true}"#));
    assert!(text.contains("seal_at_rest") && text.contains("secret_file"), "{text}");
}

/// F1, K13: a file of secrets is read again.
#[tokio::test]
async fn f1_the_file_of_secrets_is_read_again() {
    let (store, folder) = (Shared::new(), tempfile::tempdir().unwrap());
    let path = file(&folder, "secret", OTHER_SECRET, 0o600);
    let vars = [("TENURE_STORE", "shared:"), ("TENURE_SECRET_FILE", path.as_str())];
    let config = SessionConfig::sources().vars(vars).read().unwrap();
    let watcher = config.key_file_watcher().unwrap();
    let sessions = store.build(config).await;
    let before = token(&sessions).await;
    file(&folder, "secret", &format!("{SECRET}\n# until May\n{OTHER_SECRET}"), 0o600);
    assert!(watcher.check().unwrap());
    let after = token(&sessions).await;
    assert!(opens(&sessions, &before).await && opens(&sessions, &after).await);
    file(&folder, "secret", SECRET, 0o600);
    assert!(watcher.check().unwrap());
    assert!(!opens(&sessions, &before).await && opens(&sessions, &after).await);

    let vars = [("TENURE_STORE", "shared:"), ("TENURE_SECRET", SECRET)];
    let config = SessionConfig::sources().vars(vars).read().unwrap();
    assert!(config.key_file_watcher().is_none());
}
