//! Where the database is.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderValue, Uri};
use tenure_core::store::{StoreError, StoreErrorKind, StoreResult};

use crate::name;

/// The ports of CouchDB.
const PORT: u16 = 5984;
const TLS_PORT: u16 = 6984;

/// A URL `couchdb://user:password@host:port/database`, taken apart.
pub(crate) struct Url {
    pub(crate) tls: bool,
    /// Scheme, host, port and the path of the database.
    pub(crate) database: String,
    pub(crate) name: String,
    pub(crate) authorization: Option<HeaderValue>,
}

impl Url {
    pub(crate) fn parse(url: &str, name: Option<&str>) -> StoreResult<Self> {
        let (tls, rest) = match url.split_once("://") {
            Some(("couchdb", rest)) => (false, rest),
            Some(("couchdbs", rest)) => (true, rest),
            _ => return Err(refused("the URL does not begin with couchdb:// or couchdbs://")),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if path.contains(['?', '#']) {
            return Err(refused("the URL has parameters; set them by CouchOptions"));
        }
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        let path = path.trim_end_matches('/');
        let (folder, last) = match name {
            Some(name) => (path, name),
            None => path.rsplit_once('/').unwrap_or(("", path)),
        };
        if last.is_empty() {
            return Err(StoreError::new(
                StoreErrorKind::Other,
                "database: none is named; end the URL with one, as in \
                 couchdb://localhost/sessions, or call CouchOptions::database",
            ));
        }
        let name = name::checked(last)?;
        let folder = if folder.is_empty() { String::new() } else { format!("/{folder}") };
        let scheme = if tls { "https" } else { "http" };
        let uri: Uri = format!("{scheme}://{host}{folder}/{name}")
            .parse()
            .map_err(|_| refused("host, port or path cannot be read"))?;
        let Some(host) = uri.host().filter(|host| !host.is_empty()) else {
            return Err(refused("the URL names no host"));
        };
        let port = match uri.port() {
            Some(port) if port.as_u16() > 0 => port.as_u16(),
            Some(_) => return Err(refused("the port cannot be read")),
            None if uri.authority().is_none_or(|authority| authority.as_str() != host) => {
                return Err(refused("the port cannot be read"));
            }
            None if tls => TLS_PORT,
            None => PORT,
        };
        let database = format!("{scheme}://{host}:{port}{}", uri.path());
        let authorization = user.map(basic).transpose()?;
        Ok(Self { tls, database, name, authorization })
    }
}

/// The header of RFC 7617 for `user:password` as a URL has it.
fn basic(user: &str) -> StoreResult<HeaderValue> {
    let (user, password) = user.split_once(':').unwrap_or((user, ""));
    let (Some(user), Some(password)) = (decoded(user), decoded(password)) else {
        return Err(refused("user or password has a broken % escape"));
    };
    if user.contains(&b':') {
        return Err(refused("a user's name cannot have a colon"));
    }
    let credentials = [user.as_slice(), password.as_slice()].join(&b':');
    let mut header =
        HeaderValue::try_from(format!("Basic {}", BASE64_STANDARD.encode(credentials)))
            .map_err(|_| refused("user or password cannot be sent"))?;
    header.set_sensitive(true);
    Ok(header)
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut pieces = text.split('%');
    let mut octets = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let (code, rest) = piece.split_at_checked(2)?;
        if !code.bytes().all(|octet| octet.is_ascii_hexdigit()) {
            return None;
        }
        octets.push(u8::from_str_radix(code, 16).ok()?);
        octets.extend_from_slice(rest.as_bytes());
    }
    Some(octets)
}

/// Nothing of the URL is repeated: it may have a password.
fn refused(what: &str) -> StoreError {
    StoreError::new(
        StoreErrorKind::Other,
        format!(
            "{what}; write one such as couchdb://user:password@localhost:{PORT}/sessions, with % \
             escapes for what is special in a user or password"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> (bool, String, Option<String>) {
        let url = Url::parse(url, None).map_err(|error| error.to_string()).unwrap();
        let header = url.authorization.map(|header| header.to_str().unwrap().to_owned());
        (url.tls, url.database, header)
    }

    #[test]
    fn urls_are_taken_apart() {
        let plain = |database: &str| (false, database.to_owned(), None);
        assert_eq!(parse("couchdb://localhost/a"), plain("http://localhost:5984/a"));
        assert_eq!(parse("couchdb://[::1]:80/a/"), plain("http://[::1]:80/a"));
        assert_eq!(parse("couchdb://h/couch/a"), plain("http://h:5984/couch/a"));
        let header = Some("Basic c2hvcDpnZWg6ZUBp".to_owned());
        assert_eq!(
            parse("couchdbs://shop:geh%3ae%40i@h/a"),
            (true, "https://h:6984/a".to_owned(), header)
        );
        let named = Url::parse("couchdb://h/couch", Some("b")).map(|url| url.database);
        assert_eq!(named.unwrap(), "http://h:5984/couch/b");
    }

    #[test]
    fn what_cannot_be_read_is_refused_without_its_password() {
        for url in [
            "",
            "http://shop:geheim@h/a",
            "couchdb://shop:geheim@/a",
            "couchdb://shop:geheim@h",
            "couchdb://shop:geheim@h/",
            "couchdb://shop:geheim@h:port/a",
            "couchdb://shop:geheim@h:0/a",
            "couchdb://shop:geheim%zz@h/a",
            "couchdb://sh%3aop:geheim@h/a",
            "couchdb://shop:geheim@h/a?x=1",
            "couchdb://shop:geheim@h/A",
            "couchdb://shop:geheim@h/a b",
            "couchdb://shop:geheim@h h/a",
        ] {
            let Err(error) = Url::parse(url, None) else { panic!("{url:?} is taken") };
            let text = format!("{error} {error:?}");
            assert!(!text.contains("geheim"), "{url:?}: {text}");
            assert!(text.contains("couchdb://") || text.contains("choose a name"), "{text}");
        }
    }
}
