//! The credential in a cookie (RFC 6265bis).

mod attributes;
mod check;
mod chunks;
mod config;
mod encoding;
mod factory;
mod parse;
#[cfg(test)]
mod tests;
mod write;

use std::fmt;
use std::time::SystemTime;

use http::header::{COOKIE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE};

pub use attributes::{Priority, SameSite, Secure};
pub use config::Cookie;
pub use encoding::CookieEncoding;
pub use factory::SetCookie;

use super::{Candidates, Presented, ResponseContext, Transport};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use attributes::Attributes;
use check::Fault;
use factory::Factory;

/// A checked [`Cookie`], ready to read and write.
#[derive(Clone)]
pub(crate) struct CookieTransport {
    https: Scheme,
    plain: Scheme,
    attributes: Attributes,
    factory: Option<Factory>,
    encoding: CookieEncoding,
    /// Whether a value that one cookie cannot hold takes several.
    chunked: bool,
}

/// What is known of the cookie on one scheme before any response.
#[derive(Clone)]
struct Scheme {
    name: String,
    suffix: String,
}

impl CookieTransport {
    /// Checks the configuration, once for each scheme that it serves.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] when a browser would refuse or cut off what the settings ask for.
    pub(crate) fn new(cookie: Cookie, now: Timestamp) -> Result<Self> {
        let Cookie { name, attributes, factory, encoding } = cookie;
        let auto = attributes.secure == Secure::Auto;
        let plain = if auto { check::without_prefix(&name) } else { &name }.to_owned();
        let wrong = |fault: Fault| Error::config(format!("cookie {name:?}: {fault}"));
        if let Some(date) = attributes.expires {
            check::check_expires(date, now.into()).map_err(wrong)?;
        }
        let suffix = |name: &str, https: bool| {
            let settled = attributes.clone().settle(https);
            check::cookie(name, &settled, now.into()).map_err(wrong)?;
            Ok::<_, Error>(write::suffix(&settled))
        };
        let https_suffix = suffix(&name, true)?;
        let plain_suffix = suffix(&plain, false)?;
        Ok(Self {
            https: Scheme { name, suffix: https_suffix },
            plain: Scheme { name: plain, suffix: plain_suffix },
            attributes,
            factory,
            encoding,
            chunked: false,
        })
    }

    /// Lets a value take several cookies.
    pub(crate) fn chunked(mut self) -> Self {
        self.chunked = true;
        self
    }

    /// The line that gives the client this value under this name.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`] when name and value are over 4096 octets; [`ErrorKind::Config`]
    /// when the factory's cookie is refused, or the configured date has passed.
    fn line(&self, name: &str, value: &str, context: &ResponseContext<'_>) -> Result<HeaderValue> {
        let Scheme { name: whole, suffix } = self.scheme(context.is_secure());
        let now = context.now();
        if self.factory.is_none() {
            let dates = match context.lifetime() {
                Some(lifetime) => write::lasting(lifetime, now),
                None => self.dates(now).map_err(|fault| refused(name, fault))?,
            };
            return line(name, value, suffix, &dates);
        }
        let made = self.make(name, value, context, false);
        // A part's name is held to what its whole is: it may be longer than a configured one.
        check::cookie(whole, &made.attributes, now).map_err(|fault| refused(name, fault))?;
        let (suffix, dates) =
            (write::suffix(&made.attributes), write::dates(&made.attributes, now));
        line(name, &made.value, &suffix, &dates)
    }

    /// The line that takes this cookie away from the client: all attributes again, since
    /// browsers ignore a removal that breaks the rules of the name's prefix.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] when the factory's cookie is refused.
    fn removal(&self, name: &str, context: &ResponseContext<'_>) -> Result<HeaderValue> {
        let Scheme { name: whole, suffix } = self.scheme(context.is_secure());
        if self.factory.is_none() {
            return write::line(name, "", suffix, write::REMOVED);
        }
        let mut made = self.make(name, "", context, true);
        made.attributes.lifetime = None;
        made.attributes.expires = None;
        check::cookie(whole, &made.attributes, context.now())
            .map_err(|fault| refused(name, fault))?;
        write::line(name, "", &write::suffix(&made.attributes), write::REMOVED)
    }

    /// What takes away the parts from `kept` on that the client has of an earlier value.
    fn stale(&self, name: &str, kept: usize, cx: &ResponseContext<'_>) -> Result<Vec<HeaderValue>> {
        match cx.presented() {
            Some(presented) if self.chunked => {
                let stale = chunks::stale(presented, name, kept);
                stale.map(|part| self.removal(&part, cx)).collect()
            }
            _ => Ok(Vec::new()),
        }
    }

    /// What the values say; one in no spelling of this encoding says nothing.
    fn decoded<'p>(&self, found: &Candidates<'_>) -> Candidates<'p> {
        if let Some(refusal) = found.refusal() {
            return Candidates::refused(refusal);
        }
        let mut decoded = Candidates::default();
        for value in found.iter().filter_map(|value| self.encoding.decode(value)) {
            // Never more than were found.
            let _ = decoded.add(value.into_owned());
        }
        decoded
    }

    fn scheme(&self, secure: bool) -> &Scheme {
        if secure { &self.https } else { &self.plain }
    }

    /// The configured dates, checked again: a fixed one may have passed since.
    fn dates(&self, now: SystemTime) -> Result<String, Fault> {
        if let (None, Some(date)) = (self.attributes.lifetime, self.attributes.expires) {
            check::check_expires(date, now)?;
        }
        Ok(write::dates(&self.attributes, now))
    }

    /// What the factory makes of a cookie, settled for the request's scheme.
    ///
    /// Callers take nothing from it but value and attributes: a factory might have kept a cookie
    /// of another call.
    fn make(
        &self,
        name: &str,
        value: &str,
        context: &ResponseContext<'_>,
        removal: bool,
    ) -> SetCookie {
        let mut cookie = SetCookie {
            name: name.to_owned(),
            value: value.to_owned(),
            removal,
            attributes: self.attributes.clone(),
        };
        if let Some(lifetime) = context.lifetime() {
            cookie.attributes.lifetime = Some(lifetime);
        }
        if let Some(factory) = &self.factory {
            cookie = factory(context, cookie);
        }
        cookie.attributes = cookie.attributes.settle(context.is_secure());
        cookie
    }
}

impl Transport for CookieTransport {
    fn name(&self, secure: bool) -> &str {
        &self.scheme(secure).name
    }

    fn request_header(&self) -> &HeaderName {
        static NAME: HeaderName = COOKIE;
        &NAME
    }

    fn response_header(&self) -> Option<&HeaderName> {
        None
    }

    fn find<'p>(&self, presented: &'p Presented, secure: bool) -> Candidates<'p> {
        let name = self.name(secure);
        let found = parse::candidates(presented, name);
        let found = if self.chunked { chunks::join(presented, name, found) } else { found };
        if self.encoding == CookieEncoding::Plain { found } else { self.decoded(&found) }
    }

    fn issue(&self, value: &str, cx: &ResponseContext<'_>, headers: &mut HeaderMap) -> Result<()> {
        let name = self.name(cx.is_secure());
        let value = &*self.encoding.encode(value);
        if !self.chunked || chunks::is_one(name, value) {
            let line = self.line(name, value, cx)?;
            let stale = self.stale(name, 1, cx)?;
            headers.append(SET_COOKIE, line);
            append(headers, stale);
            return Ok(());
        }
        let Some(parts) = chunks::split(name, value) else {
            return Err(Error::new(
                ErrorKind::TooLarge,
                "cookie",
                format!(
                    "the value for `{name}` has {} octets; {} cookies hold {}",
                    value.len(),
                    chunks::MAX_CHUNKS,
                    chunks::capacity(name)
                ),
            ));
        };
        let mut lines = Vec::with_capacity(parts.len());
        for (index, part) in parts.iter().enumerate() {
            let part_name =
                if index == 0 { name.to_owned() } else { chunks::part_name(name, index) };
            lines.push(self.line(&part_name, part, cx)?);
        }
        lines.extend(self.stale(name, parts.len(), cx)?);
        append(headers, lines);
        Ok(())
    }

    fn remove(&self, cx: &ResponseContext<'_>, headers: &mut HeaderMap) -> Result<()> {
        let name = self.name(cx.is_secure());
        let mut lines = vec![self.removal(name, cx)?];
        if self.chunked {
            // Whatever the request had: a parallel one may have brought the client more since.
            for part in chunks::further_names(name) {
                lines.push(self.removal(&part, cx)?);
            }
        }
        append(headers, lines);
        Ok(())
    }

    fn capacity(&self, secure: bool) -> usize {
        let name = self.name(secure);
        if self.chunked {
            chunks::capacity(name)
        } else {
            write::MAX_PAIR.saturating_sub(name.len())
        }
    }

    fn is_ambient(&self) -> bool {
        true
    }

    fn is_dated(&self) -> bool {
        self.attributes.lifetime.is_some() || self.attributes.expires.is_some()
    }

    fn covers(&self, path: &str) -> bool {
        // RFC 6265 §5.1.4, as far as the configuration says.
        let scope = self.attributes.path.as_str();
        let below = |rest: &str| rest.is_empty() || scope.ends_with('/') || rest.starts_with('/');
        scope == "/" || self.factory.is_some() || path.strip_prefix(scope).is_some_and(below)
    }

    /// The line as it is sent over HTTPS, without the value and before a factory.
    fn describe(&self) -> String {
        let Scheme { name, suffix } = &self.https;
        let dates = match (self.attributes.lifetime, self.attributes.expires) {
            (Some(lifetime), _) => format!("; Max-Age={}", lifetime.as_secs()),
            (None, Some(date)) => format!("; Expires={}", httpdate::HttpDate::from(date)),
            (None, None) => String::new(),
        };
        format!("cookie: {name}=…{suffix}{dates}")
    }
}

impl fmt::Debug for CookieTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CookieTransport")
            .field("name", &self.https.name)
            .field("attributes", &self.attributes)
            .field("factory", &self.factory.is_some())
            .finish_non_exhaustive()
    }
}

/// A line with a value; an empty one would be no credential.
fn line(name: &str, value: &str, suffix: &str, dates: &str) -> Result<HeaderValue> {
    if value.is_empty() {
        return Err(refused(name, "the value is empty; give one, or leave it as it was".into()));
    }
    write::line(name, value, suffix, dates)
}

/// All lines, once none has failed.
fn append(headers: &mut HeaderMap, lines: Vec<HeaderValue>) {
    headers.extend(lines.into_iter().map(|line| (SET_COOKIE, line)));
}

fn refused(name: &str, fault: Fault) -> Error {
    Error::new(ErrorKind::Config, "cookie", format!("cookie {name:?} of this response: {fault}"))
}
