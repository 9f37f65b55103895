//! The settings of transports: which there are, in which order.

use std::time::Duration;

use tenure_core::SessionsBuilder;
use tenure_core::transport::{Bearer, Header};

use super::cookie;
use super::reader::Reader;

/// How sessions may travel, by the name of the table with the settings.
const KINDS: [&str; 3] = ["cookie", "header", "bearer"];

/// `age` is how long a session lives without use, if that was said.
pub(super) fn transports(
    mut builder: SessionsBuilder,
    reader: &mut Reader,
    age: Option<Duration>,
) -> SessionsBuilder {
    let kinds = kinds(reader);
    if let Some(kinds) = &kinds {
        unnamed(reader, kinds);
    }
    // All are read, since what is not read counts as unknown.
    let (cookie, header, bearer) = (cookie::cookie(reader, age), header(reader), bearer(reader));
    let kinds = kinds.unwrap_or_default();
    if kinds.contains(&"header") && header.is_none() {
        reader.problem("header.name: name the header, such as `x-session`");
    }
    for kind in kinds {
        builder = match kind {
            "cookie" => builder.cookie(cookie.clone()),
            "bearer" => builder.bearer(bearer.clone()),
            _ => match &header {
                Some(header) => builder.header(header.clone()),
                None => builder,
            },
        };
    }
    builder
}

/// The cookie alone, unless others are named; none if they could not be read.
fn kinds(reader: &mut Reader) -> Option<Vec<&'static str>> {
    if !reader.has("transports") {
        return Some(vec!["cookie"]);
    }
    reader.read("transports", |entry| {
        let names = entry.as_list().unwrap_or_default();
        let kind = |name: &String| KINDS.into_iter().find(|kind| kind == name);
        let kinds: Option<Vec<_>> = names.iter().map(kind).collect();
        let mut once = kinds.clone().unwrap_or_default();
        once.sort_unstable();
        once.dedup();
        kinds.filter(|kinds| !kinds.is_empty() && kinds.len() == once.len()).ok_or_else(|| {
            "write one or several of \"cookie\", \"header\", \"bearer\", each once".to_owned()
        })
    })
}

/// Reports settings of transports that are not named.
fn unnamed(reader: &mut Reader, kinds: &[&str]) {
    for kind in KINDS.into_iter().filter(|kind| !kinds.contains(kind)) {
        let mut settings = reader.below(&format!("{kind}."));
        if kind == "cookie" && reader.has("clear_with_browser") {
            settings.push("clear_with_browser".to_owned());
        }
        if !settings.is_empty() {
            let settings = settings.join(", ");
            reader.problem(format!("{settings}: name {kind:?} in `transports`, or leave it out"));
        }
    }
}

fn header(reader: &mut Reader) -> Option<Header> {
    let (name, longest) = (reader.text("header.name"), reader.number("header.longest"));
    let header = Header::named(name?);
    Some(match longest {
        Some(octets) => header.longest(octets),
        None => header,
    })
}

fn bearer(reader: &mut Reader) -> Bearer {
    let mut bearer = Bearer::new();
    if let Some(name) = reader.text("bearer.response_header") {
        bearer = bearer.response_header(name);
    }
    if let Some(octets) = reader.number("bearer.longest") {
        bearer = bearer.longest(octets);
    }
    bearer
}
