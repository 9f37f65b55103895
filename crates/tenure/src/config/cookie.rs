//! The settings of the cookie.

use std::time::Duration;

use serde_json::Value;
use tenure_core::transport::{Cookie, Priority, SameSite, Secure};

use super::reader::{DURATION, Reader};

const EXTENSIONS: &str = "cookie.extensions.";

/// `age` is how long a session lives without use, if that was said.
pub(super) fn cookie(reader: &mut Reader, age: Option<Duration>) -> Cookie {
    let name = reader.text("cookie.name");
    let mut cookie = name.map_or_else(Cookie::default, Cookie::named);
    if let Some(path) = reader.text("cookie.path") {
        cookie = cookie.path(path);
    }
    if let Some(domain) = reader.text("cookie.domain") {
        cookie = cookie.domain(domain);
    }
    let secure = reader.read("cookie.secure", |entry| match entry.as_bool() {
        Some(true) => Ok(Secure::Always),
        Some(false) => Ok(Secure::InsecureNever),
        None if entry.value.as_str() == Some("auto") => Ok(Secure::Auto),
        None => Err("write true, false or \"auto\"".to_owned()),
    });
    cookie = cookie.secure(secure.unwrap_or_default());
    if reader.switch("cookie.http_only") == Some(false) {
        cookie = cookie.insecure_allow_scripts();
    }
    let sites = [("strict", SameSite::Strict), ("lax", SameSite::Lax), ("none", SameSite::None)];
    cookie = cookie.same_site(reader.choice("cookie.same_site", &sites).unwrap_or_default());
    cookie = cookie.partitioned(reader.is_on("cookie.partitioned"));
    let priorities =
        [("low", Priority::Low), ("medium", Priority::Medium), ("high", Priority::High)];
    if let Some(priority) = reader.choice("cookie.priority", &priorities) {
        cookie = cookie.priority(priority);
    }
    for path in reader.below(EXTENSIONS) {
        let value = reader.read(&path, |entry| match &entry.value {
            Value::Bool(true) => Ok(None),
            Value::String(text) => Ok(Some(text.clone())),
            _ => Err("write a text, or true for an attribute without a value".to_owned()),
        });
        if let Some(value) = value {
            cookie = cookie.extension(&path[EXTENSIONS.len()..], value.as_deref());
        }
    }
    lifetime(reader, cookie, age)
}

fn lifetime(reader: &mut Reader, cookie: Cookie, age: Option<Duration>) -> Cookie {
    let has_both = reader.has("clear_with_browser") && reader.has("cookie.max_age");
    let stays = reader.switch("clear_with_browser") == Some(false);
    let max_age = reader.read("cookie.max_age", |entry| {
        if entry.value.as_str() == Some("browser") {
            return Ok(None);
        }
        let max_age = entry.as_duration();
        max_age.map(Some).ok_or_else(|| format!("{DURATION}, or \"browser\""))
    });
    if has_both {
        reader.problem("clear_with_browser, cookie.max_age: keep one of them");
    }
    match max_age.flatten() {
        Some(max_age) => cookie.lifetime(max_age),
        None if !stays => cookie,
        None => match age {
            Some(age) => cookie.lifetime(age),
            None => {
                reader.problem("clear_with_browser = false: say for how long, by `idle_timeout`");
                cookie
            }
        },
    }
}
