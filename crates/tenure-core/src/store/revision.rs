use std::fmt;

/// Which version of a record: opaque to all but the store that made it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Revision(Repr);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Repr {
    Number(u64),
    Text(Box<str>),
}

impl Revision {
    /// A revision that is a number.
    ///
    /// ```
    /// # use tenure_core::store::Revision;
    /// let revision = Revision::number(7);
    /// assert_eq!((revision.as_number(), revision.as_text()), (Some(7), None));
    /// ```
    #[must_use]
    pub const fn number(number: u64) -> Self {
        Self(Repr::Number(number))
    }

    /// A revision that is text.
    ///
    /// ```
    /// # use tenure_core::store::Revision;
    /// let revision = Revision::text("W/\"7\""); // an entity tag, say
    /// assert_eq!((revision.as_number(), revision.as_text()), (None, Some("W/\"7\"")));
    /// ```
    #[must_use]
    pub fn text(text: impl Into<Box<str>>) -> Self {
        Self(Repr::Text(text.into()))
    }

    /// The number, if it is one.
    ///
    /// See the example of [`number`](Self::number).
    #[must_use]
    pub const fn as_number(&self) -> Option<u64> {
        match self.0 {
            Repr::Number(number) => Some(number),
            Repr::Text(_) => None,
        }
    }

    /// The text, if it is one.
    ///
    /// See the example of [`text`](Self::text).
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.0 {
            Repr::Number(_) => None,
            Repr::Text(text) => Some(text),
        }
    }
}

impl fmt::Debug for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Number(number) => write!(f, "Revision({number})"),
            Repr::Text(text) => write!(f, "Revision({text})"),
        }
    }
}
