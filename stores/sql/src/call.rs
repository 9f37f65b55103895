//! A statement with its parameters, before a driver binds them.

use std::borrow::Cow;
use std::sync::Arc;

/// One parameter. A driver binds it as what its columns are.
pub(crate) enum Param<'a> {
    Int(i64),
    /// A whole number, or NULL.
    MaybeInt(Option<i64>),
    /// Octets, or NULL.
    Octets(Option<Cow<'a, [u8]>>),
    /// Text in UTF-8, or NULL: text where columns keep text, octets elsewhere. A record may be no
    /// text; its column keeps both.
    Text(Option<&'a [u8]>),
}

/// A statement with all its parameters, in order.
pub(crate) struct Call<'a> {
    pub(crate) sql: &'a Arc<str>,
    pub(crate) params: Vec<Param<'a>>,
    /// Whether it may run again when nobody knows whether it ran: the outcome is the same, or the
    /// caller finds out.
    pub(crate) repeatable: bool,
}

impl<'a> Call<'a> {
    pub(crate) fn new(sql: &'a Arc<str>) -> Self {
        Self { sql, params: Vec::with_capacity(26), repeatable: true }
    }

    /// The outcome of this one is what it has counted, so it runs only once.
    pub(crate) fn once(mut self) -> Self {
        self.repeatable = false;
        self
    }

    pub(crate) fn int(self, value: i64) -> Self {
        self.with(Param::Int(value))
    }

    pub(crate) fn maybe_int(self, value: Option<i64>) -> Self {
        self.with(Param::MaybeInt(value))
    }

    pub(crate) fn octets(self, value: Option<&'a [u8]>) -> Self {
        self.with(Param::Octets(value.map(Cow::Borrowed)))
    }

    pub(crate) fn owned(self, value: Vec<u8>) -> Self {
        self.with(Param::Octets(Some(Cow::Owned(value))))
    }

    pub(crate) fn text(self, value: impl Into<Option<&'a str>>) -> Self {
        self.with(Param::Text(value.into().map(str::as_bytes)))
    }

    pub(crate) fn utf8(self, value: &'a [u8]) -> Self {
        self.with(Param::Text(Some(value)))
    }

    fn with(mut self, param: Param<'a>) -> Self {
        self.params.push(param);
        self
    }
}
