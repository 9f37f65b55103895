//! The settings, all from the environment, and what is made of them.

use std::env;
use std::error::Error;
use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use tenure::transform::Keyring;
use tenure::transport::{Cookie, Secure};
use tenure::{Sessions, store};
use tokio::net::TcpListener;

use crate::watch::Watch;
use crate::{Result, complain, key_file};

const DEFAULT_PORT: u16 = 3000;
const DEFAULT_STORE: &str = "sqlite:tenure-demo.sqlite";
/// Long enough for whoever wants to be remembered; the others are logged out after half an hour
/// without a visit.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const KEY_FILE: &str = "tenure-demo.key";

/// `PORT`, `TENURE_STORE` and `TENURE_SECRET`.
pub(crate) struct Config {
    port: u16,
    store: String,
    secret: Option<String>,
}

impl Config {
    pub(crate) fn from_env() -> Result<Self> {
        let port = match variable("PORT")? {
            None => DEFAULT_PORT,
            Some(port) => port.parse().map_err(|_| {
                format!("PORT: {port:?} is not a port; write a number up to 65535, such as 3000")
            })?,
        };
        Ok(Self {
            port,
            store: variable("TENURE_STORE")?.unwrap_or_else(|| DEFAULT_STORE.to_owned()),
            secret: variable("TENURE_SECRET")?,
        })
    }

    /// Listens for this machine alone.
    pub(crate) async fn listen(&self) -> Result<TcpListener> {
        let port = self.port;
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| match error.kind() {
            ErrorKind::AddrInUse => {
                format!("PORT: {port} is in use; set PORT to another one, such as {}", port ^ 1)
            }
            _ => format!("PORT: cannot listen on {port}: {error}; set PORT to another one"),
        })
    }

    pub(crate) async fn sessions(&self, watch: &Watch) -> Result<Sessions> {
        let keys = self.keys()?;
        let store = store::connect(&self.store)
            .await
            .map_err(|error| format!("TENURE_STORE: {}", with_causes(&error)))?;
        let watch = watch.clone();
        let sessions = Sessions::builder()
            .store(store)
            .cookie(Cookie::named("__Host-id").secure(Secure::Auto))
            .absolute_timeout(LONGEST)
            .on_event(move |event| watch.hear(event))
            .on_error(|error| complain(&with_causes(error)));
        let sessions = match keys {
            Some(keys) => sessions.signing_keys(keys),
            None => sessions,
        };
        sessions.build().map_err(|error| error.to_string())
    }

    /// What signs the tokens; none for sessions that end with the process, since their store brings
    /// a key that does so too.
    fn keys(&self) -> Result<Option<Keyring>> {
        let (origin, secret) = match &self.secret {
            Some(secret) => ("TENURE_SECRET", secret.clone()),
            None if self.store.starts_with("memory:") => return Ok(None),
            None => (KEY_FILE, key_file::read_or_make(Path::new(KEY_FILE))?),
        };
        Keyring::from_secrets([secret]).map(Some).map_err(|error| format!("{origin}: {error}"))
    }
}

fn variable(name: &str) -> Result<Option<String>> {
    match env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(format!("{name}: the value is not UTF-8")),
    }
}

fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        // Some errors repeat their cause's words.
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}
