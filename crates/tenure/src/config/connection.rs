//! Named connections, and the URLs of stores.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::keys;
use super::reader::Reader;

/// The URLs of connections by their names; none of one that is wrong.
pub(super) type Urls = BTreeMap<String, Option<String>>;

pub(super) fn urls(reader: &mut Reader, vars: &BTreeMap<String, String>) -> Urls {
    let mut urls = Urls::new();
    for name in names(reader) {
        let url = connection(reader, &name, vars);
        urls.insert(name, url);
    }
    urls
}

/// The URL that a setting gives or names.
pub(super) fn url(reader: &mut Reader, path: &str, urls: &Urls) -> Option<String> {
    let known: Vec<_> = urls.keys().map(|name| format!("`{name}`")).collect();
    let known = if known.is_empty() { "there is none".to_owned() } else { known.join(", ") };
    reader
        .read(path, |entry| {
            let text = entry.value.as_str().ok_or("write a URL, or the name of a connection")?;
            match urls.get(text) {
                // What was wrong with a connection has been told.
                Some(url) => Ok(url.clone()),
                None if text.contains(':') => Ok(Some(text.to_owned())),
                None => Err(format!(
                    "it is no URL, such as `memory:`, and names no connection ({known})"
                )),
            }
        })
        .flatten()
}

fn names(reader: &Reader) -> Vec<String> {
    let paths = reader.below("connections.");
    let names = paths.iter().filter_map(|path| path.split('.').nth(1));
    let mut names: Vec<_> = names.map(str::to_owned).collect();
    names.dedup();
    names
}

fn connection(reader: &mut Reader, name: &str, vars: &BTreeMap<String, String>) -> Option<String> {
    let path = |field: &str| format!("connections.{name}.{field}");
    let parts =
        ["driver", "host", "port", "user", "password", "password_env", "password_file", "db"];
    let has_parts = parts.iter().any(|field| reader.has(&path(field)));
    if reader.has(&path("url")) && has_parts {
        reader.problem(format!("{}: leave it out, or leave out all beside it", path("url")));
    }
    let url = reader.text(&path("url"));
    let driver = reader.text(&path("driver"));
    let host = reader.read(&path("host"), |entry| {
        let host = entry.value.as_str().filter(|host| is_host(host));
        host.map(str::to_owned).ok_or_else(|| "write the name of a host, or an address".to_owned())
    });
    let port = reader.number(&path("port"));
    let user = reader.text(&path("user"));
    let password = keys::password(reader, name, vars);
    let db = reader.read(&path("db"), |entry| match &entry.value {
        serde_json::Value::String(db) => Ok(db.clone()),
        serde_json::Value::Number(db) if db.is_u64() => Ok(db.to_string()),
        _ => Err("write the name or the number of a database".to_owned()),
    });
    if url.is_some() || !has_parts {
        return url;
    }
    if port.is_some_and(|port| !(1..=65_535).contains(&port)) {
        reader.problem(format!("{}: write a number from 1 to 65535", path("port")));
    }
    let Some(host) = host else {
        reader.problem(format!("{}: write the host, or a whole `url`", path("host")));
        return None;
    };
    let mut url = format!("{}://", driver.as_deref().unwrap_or("redis"));
    if user.is_some() || password.is_some() {
        url += &encode(&user.unwrap_or_default());
        if let Some(password) = password {
            url.push(':');
            url += &encode(&password);
        }
        url.push('@');
    }
    // An IPv6 address stands in brackets (RFC 3986, section 3.2.2).
    let bare = host.contains(':') && !host.starts_with('[');
    url += &if bare { format!("[{host}]") } else { host };
    if let Some(port) = port {
        let _ = write!(url, ":{port}");
    }
    if let Some(db) = db {
        url.push('/');
        url += &encode(&db);
    }
    Some(url)
}

fn is_host(host: &str) -> bool {
    let fits = |octet: u8| octet.is_ascii_alphanumeric() || b".-_:[]".contains(&octet);
    !host.is_empty() && host.bytes().all(fits)
}

/// All but what RFC 3986, section 2.3 calls unreserved.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for octet in text.bytes() {
        if octet.is_ascii_alphanumeric() || b"-._~".contains(&octet) {
            encoded.push(char::from(octet));
        } else {
            let _ = write!(encoded, "%{octet:02X}");
        }
    }
    encoded
}
