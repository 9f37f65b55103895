//! Settings from files and from the environment.

mod client;
mod connections;
#[cfg(feature = "messagepack")]
mod format;
mod guards;
mod near_cache;
mod secrets;
mod settings;
mod transports;

use tenure::ErrorKind;
use tenure::config::{SessionConfig, Sources};

/// 44 characters, as `openssl rand -base64 33` prints.
const SECRET: &str = "k7Q2mXv9LrT4wB8nZ1cJ6hY3pD5sF0gAk7Q2mXv9LrT4";
const OTHER_SECRET: &str = "Zp0,Yq1 Xr2-Ws3_Vt4.Uu5;Tv6:Sw7!Rx8?Qy9/Pz0=";

fn json(text: &str) -> Sources {
    SessionConfig::sources().json(text)
}

/// What is said of settings that are refused; never a secret.
fn refused(sources: Sources) -> String {
    let error = sources.read().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    let text = format!("{error} {error:?}");
    for secret in [SECRET, OTHER_SECRET, "hunter2"] {
        assert!(!text.contains(secret), "{text}");
    }
    error.to_string()
}
