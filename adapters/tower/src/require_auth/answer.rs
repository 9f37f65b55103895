use std::borrow::Cow;

use http::Uri;
use http::request::Parts;
use tenure_core::Session;
use tenure_core::session::LocalPath;

use super::UriFrom;
use crate::page;

/// How those are answered who are not logged in; an extension of the request, for extractors.
#[derive(Clone, Default)]
pub(crate) struct Answer {
    pub(super) login_page: Option<LocalPath>,
    pub(super) uri_from: Option<UriFrom>,
}

impl Answer {
    /// The page to which this request is redirected, if it is; then where it was going is noted.
    pub(crate) fn redirects(&self, session: &Session, parts: &Parts) -> Option<LocalPath> {
        let login_page = self.login_page.clone().filter(|_| page::is_wanted(parts))?;
        if page::only_reads(parts)
            && let Some(to) = LocalPath::of_request(&self.uri(parts))
            && session.intended_url().ok().flatten().as_ref() != Some(&to)
        {
            // Without it the visitor has a longer way; with an error, none at all.
            let _ = session.set_intended_url(&to);
        }
        Some(login_page)
    }

    pub(super) fn uri<'a>(&self, parts: &'a Parts) -> Cow<'a, Uri> {
        let found = self.uri_from.as_ref().and_then(|find| find(parts));
        found.map_or(Cow::Borrowed(&parts.uri), Cow::Owned)
    }
}
