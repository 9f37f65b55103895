//! The attributes of a cookie, configured or about to be sent.

use std::time::{Duration, SystemTime};

/// When the cookie has the `Secure` attribute, that is, travels over HTTPS only.
///
/// ```
/// use tenure_core::transport::{Cookie, Secure};
///
/// // `__Host-id` with `Secure` on HTTPS, `id` without on http://localhost.
/// let cookie = Cookie::named("__Host-id").secure(Secure::Auto);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Secure {
    /// On every response; browsers make an exception from HTTPS for `localhost` at most.
    #[default]
    Always,
    /// By the scheme of the request.
    ///
    /// On HTTPS as with [`Secure::Always`]. On plain HTTP the cookie is sent without `Secure`, its
    /// name without a prefix such as `__Host-`, `SameSite=None` falls to `Lax`, and `Partitioned`
    /// is left out, since browsers accept none of these without `Secure`. Each scheme reads only
    /// its own name.
    ///
    /// # Deployment caveat
    /// Behind a proxy that ends TLS every request looks like plain HTTP, until the proxy is
    /// trusted to tell the scheme. A name without a prefix is the same on both schemes: whoever
    /// controls the network can then plant a cookie on plain HTTP that HTTPS reads.
    Auto,
    /// Never: the credential travels in clear text, and whoever is on the network can take over
    /// the session. For tests and for networks that are trusted entirely.
    InsecureNever,
}

/// Which requests from other sites carry the cookie; always written.
///
/// A cookie without the attribute would be sent with cross-site POST requests in its first two
/// minutes (RFC 6265bis §5.6.7.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SameSite {
    /// None at all; a visitor who follows a link from elsewhere arrives without a session.
    Strict,
    /// Top-level navigation by a safe method only.
    #[default]
    Lax,
    /// All of them; needs `Secure`, and protection from request forgery by other means.
    None,
}

/// Which cookies a browser that knows this attribute (Chromium) gives up last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Priority {
    /// Given up first.
    Low,
    /// What a cookie without the attribute has.
    Medium,
    /// Given up last.
    High,
}

/// All that a cookie has beside its name and value.
#[derive(Clone, Debug)]
pub(super) struct Attributes {
    pub(super) path: String,
    pub(super) domain: Option<String>,
    pub(super) lifetime: Option<Duration>,
    pub(super) expires: Option<SystemTime>,
    pub(super) secure: Secure,
    pub(super) http_only: bool,
    pub(super) same_site: SameSite,
    pub(super) partitioned: bool,
    pub(super) priority: Option<Priority>,
    pub(super) extensions: Vec<(String, Option<String>)>,
}

impl Attributes {
    /// Sets an extension attribute, or replaces the one of that name.
    pub(super) fn extend(&mut self, name: String, value: Option<String>) {
        self.extensions.retain(|(known, _)| !known.eq_ignore_ascii_case(&name));
        self.extensions.push((name, value));
    }

    /// Replaces [`Secure::Auto`] by what it means on this scheme; checks and writing see only
    /// attributes that went through here.
    pub(super) fn settle(mut self, https: bool) -> Self {
        if self.secure == Secure::Auto && https {
            self.secure = Secure::Always;
        } else if self.secure == Secure::Auto {
            self.secure = Secure::InsecureNever;
            self.partitioned = false;
            if self.same_site == SameSite::None {
                self.same_site = SameSite::Lax;
            }
        }
        self
    }
}

impl Default for Attributes {
    fn default() -> Self {
        Self {
            path: "/".to_owned(),
            domain: None,
            lifetime: None,
            expires: None,
            secure: Secure::default(),
            http_only: true,
            same_site: SameSite::default(),
            partitioned: false,
            priority: None,
            extensions: Vec::new(),
        }
    }
}
