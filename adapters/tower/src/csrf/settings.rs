use std::sync::Arc;

use http::request::Parts;
use http::{HeaderMap, HeaderName};
use tenure_core::csrf::{HEADER, OriginCheck, Refusal};
use tenure_core::engine::Connection;

use crate::Installed;

pub(super) type Predicate = Arc<dyn Fn(&Parts) -> bool + Send + Sync>;
pub(super) type Hook = Arc<dyn Fn(Refusal, &Parts) + Send + Sync>;

/// What becomes of a request that was taken for a forged one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CsrfAction {
    /// It is refused, with 403.
    #[default]
    Fail,
    /// It passes, and a warning is logged: to see on a running application what would be refused.
    /// The log needs the feature `tracing`; without it there is
    /// [`on_refusal`](super::CsrfLayer::on_refusal).
    InsecureLog,
    /// It passes, since nothing is checked: for tests that post without a browser.
    InsecureNone,
}

/// What a layer was told.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(super) check: OriginCheck,
    pub(super) action: CsrfAction,
    pub(super) header: HeaderName,
    pub(super) requires_token: bool,
    pub(super) https_when: Option<Predicate>,
    pub(super) on_refusal: Option<Hook>,
}

/// How the tokens of a request are to be checked, for an extractor to find; an extension of the
/// request.
#[derive(Clone)]
#[cfg_attr(
    not(feature = "axum"),
    expect(dead_code, reason = "there is no extractor to look at it")
)]
pub(crate) struct Guard {
    pub(super) settings: Arc<Settings>,
    /// Whether the request passes without a token, or has shown it to the layer.
    pub(super) passes: bool,
}

impl Settings {
    pub(super) fn new(check: OriginCheck) -> Self {
        Self {
            check,
            action: CsrfAction::Fail,
            header: HeaderName::from_static(HEADER),
            requires_token: false,
            https_when: None,
            on_refusal: None,
        }
    }

    pub(super) fn check(&self, parts: &Parts) -> Result<(), Refusal> {
        let connection = match &self.https_when {
            Some(when) => Some(Connection::new().secure(when(parts))),
            None if is_https(parts) => Some(Connection::new().secure(true)),
            None => parts.extensions.get().copied(),
        };
        self.check.check(parts, connection)
    }

    /// Reports a refusal, and tells whether it is to be one.
    pub(super) fn refuses(&self, refusal: Refusal, parts: &Parts) -> bool {
        if let Some(hook) = &self.on_refusal {
            hook(refusal, parts);
        }
        let fails = self.action == CsrfAction::Fail;
        #[cfg(feature = "tracing")]
        match (refusal, fails) {
            (Refusal::NoSession, _) => tracing::error!("{refusal}"),
            (_, true) => tracing::debug!(reason = %refusal, "request refused as a forged one"),
            (_, false) => tracing::warn!(
                reason = %refusal, method = %parts.method, path = parts.uri.path(),
                "request let pass that looks like a forged one"
            ),
        }
        fails
    }
}

/// Whether a session layer around this one was told that the request came by HTTPS. That it was not
/// says nothing: behind a proxy nobody may have told it.
fn is_https(parts: &Parts) -> bool {
    Installed::of(&parts.extensions).is_some_and(|installed| installed.session().is_secure())
}

/// Whether the client has put its credential there on purpose, so that no other site can have made
/// it send this request with it.
pub(super) fn is_deliberate(parts: &Parts) -> bool {
    Installed::of(&parts.extensions).is_some_and(|installed| !installed.session().is_ambient())
}

#[cfg(feature = "axum")]
impl Guard {
    /// How the token of this request is to be checked; none if it need not. What a layer says of the
    /// path stands: here it may have lost its beginning.
    pub(crate) fn of(parts: &Parts) -> Option<Self> {
        if is_deliberate(parts) {
            return None;
        }
        if let Some(guard) = parts.extensions.get::<Self>() {
            return (!guard.passes).then(|| guard.clone());
        }
        let check = OriginCheck::new();
        let applies = check.applies_to(&parts.method, parts.uri.path());
        applies.then(|| Self { settings: Arc::new(Settings::new(check)), passes: false })
    }

    pub(crate) fn header(&self) -> &HeaderName {
        &self.settings.header
    }

    pub(crate) fn refuses(&self, refusal: Refusal, parts: &Parts) -> bool {
        self.settings.refuses(refusal, parts)
    }
}

/// The token in a header. One that is there twice is none of ours.
pub(crate) fn header_token<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<&'a str, Refusal> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Err(Refusal::NoToken),
        (Some(value), None) => value.to_str().map_err(|_| Refusal::WrongToken),
        (Some(_), Some(_)) => Err(Refusal::WrongToken),
    }
}
