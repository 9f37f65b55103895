use std::fmt;

/// Why a request was taken for a forged one. It is for the log: the client need not know more than
/// that it was refused.
///
/// ```
/// use tenure_core::csrf::{OriginCheck, Refusal};
///
/// let request = http::Request::put("/").header("origin", "null").body(())?;
/// let refusal = OriginCheck::new().check(&request.into_parts().0, None).unwrap_err();
/// assert_eq!(refusal, Refusal::NullOrigin);
/// assert!(refusal.to_string().contains("null"));
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// `Sec-Fetch-Site` says that another origin sent it, of another site or of the same.
    CrossOrigin,
    /// `Origin` names another host or port than the request.
    OtherHost,
    /// `Origin` names the request's host with another scheme.
    OtherScheme,
    /// `Origin` is `null`, as from a sandboxed frame, and nothing else tells where it came from.
    NullOrigin,
    /// `Origin`, `Sec-Fetch-Site` or `Host` is malformed or there twice, or the host is missing.
    Malformed,
    /// Nothing tells where the request came from, which [strict](super::OriginCheck::strict) mode
    /// does not let pass.
    NoOrigin,
    /// It has no token.
    NoToken,
    /// Its token is not one of the session that it came with, or no longer.
    WrongToken,
    /// A token is asked for where no session is: a mistake in the application, not of the client.
    NoSession,
}

impl Refusal {
    /// Whether it is the token that the request was refused for, so that the same form, loaded
    /// anew, may pass.
    ///
    /// ```
    /// use tenure_core::csrf::Refusal;
    ///
    /// assert!(Refusal::WrongToken.is_of_token());
    /// assert!(!Refusal::CrossOrigin.is_of_token());
    /// ```
    #[must_use]
    pub const fn is_of_token(self) -> bool {
        matches!(self, Self::NoToken | Self::WrongToken)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CrossOrigin => {
                "`Sec-Fetch-Site` says that another origin sent the request; if it may, add it by \
                 `trusted_origin`"
            }
            Self::OtherHost => {
                "`Origin` names another host than the request; if it may send this, or a proxy \
                 changes `Host`, add it by `trusted_origin`"
            }
            Self::OtherScheme => {
                "`Origin` names the request's host with another scheme; if a proxy ends TLS, say by \
                 the connection that the request came over HTTPS"
            }
            Self::NullOrigin => "`Origin` is null, and there is no `Sec-Fetch-Site`",
            Self::Malformed => {
                "`Origin`, `Sec-Fetch-Site` or `Host` is malformed or there twice, or there is no \
                 host"
            }
            Self::NoOrigin => "neither `Sec-Fetch-Site` nor `Origin` is there, and strict mode is on",
            Self::NoToken => "there is no request forgery token",
            Self::WrongToken => "the request forgery token is not one of this session, or no longer",
            Self::NoSession => {
                "a request forgery token is asked for where there is no session: put the layer that \
                 asks for it inside of the session's"
            }
        })
    }
}

impl std::error::Error for Refusal {}
