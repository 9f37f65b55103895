//! The credential in a cookie (RFC 6265bis).

mod attributes;
mod check;
mod config;
mod factory;
mod parse;
#[cfg(test)]
mod tests;
mod write;

use std::fmt;
use std::time::SystemTime;

use http::header::{COOKIE, HeaderMap, HeaderName, HeaderValue};

pub use attributes::{Priority, SameSite, Secure};
pub use config::Cookie;
pub use factory::{CookieContext, SetCookie};
pub(crate) use parse::{Candidates, Presented};

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
        let Cookie { name, attributes, factory } = cookie;
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
        })
    }

    /// The name on HTTPS or on plain HTTP.
    pub(crate) fn name(&self, secure: bool) -> &str {
        &self.scheme(secure).name
    }

    /// Whether the cookie outlives the browser session, as far as the configuration says.
    pub(crate) fn is_persistent(&self) -> bool {
        self.attributes.lifetime.is_some() || self.attributes.expires.is_some()
    }

    /// Whether browsers send the cookie to this path (RFC 6265 §5.1.4), as far as the configuration
    /// says.
    pub(crate) fn covers(&self, path: &str) -> bool {
        let scope = self.attributes.path.as_str();
        let below = |rest: &str| rest.is_empty() || scope.ends_with('/') || rest.starts_with('/');
        scope == "/" || self.factory.is_some() || path.strip_prefix(scope).is_some_and(below)
    }

    /// The request header that responses depend on.
    pub(crate) fn vary(&self) -> HeaderName {
        COOKIE
    }

    /// Keeps what the client sent without looking at it.
    pub(crate) fn capture(&self, headers: &HeaderMap) -> Presented {
        Presented::capture(headers)
    }

    /// What may be a credential.
    pub(crate) fn candidates<'p>(&self, presented: &'p Presented, secure: bool) -> Candidates<'p> {
        presented.candidates(self.name(secure))
    }

    /// The line that gives the client this credential.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`] when name and value are over 4096 octets; [`ErrorKind::Config`]
    /// when the factory's cookie is refused, or the configured date has passed.
    pub(crate) fn issue(&self, value: &str, context: &CookieContext<'_>) -> Result<HeaderValue> {
        let Scheme { name, suffix } = self.scheme(context.is_secure());
        let now = context.now();
        if self.factory.is_none() {
            let dates = match context.lifetime() {
                Some(lifetime) => write::lasting(lifetime, now),
                None => self.dates(now).map_err(|fault| refused(name, fault))?,
            };
            return line(name, value, suffix, &dates);
        }
        let made = self.make(name, value, context, false);
        check::cookie(name, &made.attributes, now).map_err(|fault| refused(name, fault))?;
        let (suffix, dates) =
            (write::suffix(&made.attributes), write::dates(&made.attributes, now));
        line(name, &made.value, &suffix, &dates)
    }

    /// The line that takes the credential away from the client: all attributes again, since
    /// browsers ignore a removal that breaks the rules of the name's prefix.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] when the factory's cookie is refused.
    pub(crate) fn remove(&self, context: &CookieContext<'_>) -> Result<HeaderValue> {
        let Scheme { name, suffix } = self.scheme(context.is_secure());
        if self.factory.is_none() {
            return write::line(name, "", suffix, write::REMOVED);
        }
        let mut made = self.make(name, "", context, true);
        made.attributes.lifetime = None;
        made.attributes.expires = None;
        check::cookie(name, &made.attributes, context.now())
            .map_err(|fault| refused(name, fault))?;
        write::line(name, "", &write::suffix(&made.attributes), write::REMOVED)
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
        context: &CookieContext<'_>,
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

/// The line as it is sent over HTTPS, without the value and before a factory.
impl fmt::Display for CookieTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Scheme { name, suffix } = &self.https;
        write!(f, "{name}=…{suffix}")?;
        match (self.attributes.lifetime, self.attributes.expires) {
            (Some(lifetime), _) => write!(f, "; Max-Age={}", lifetime.as_secs()),
            (None, Some(date)) => write!(f, "; Expires={}", httpdate::HttpDate::from(date)),
            (None, None) => Ok(()),
        }
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

fn refused(name: &str, fault: Fault) -> Error {
    Error::new(ErrorKind::Config, "cookie", format!("cookie {name:?} of this response: {fault}"))
}
