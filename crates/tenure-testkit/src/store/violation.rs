use std::fmt;
use std::panic::Location;

use tenure_core::store::StoreError;

/// What a law function answers.
pub type Outcome<T = Finding> = Result<T, Violation>;

/// What a law found when nothing was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// The store keeps the law.
    Kept,
    /// The store does not have the capability that the law is about.
    NotOffered(&'static str),
}

/// How a store broke a law, and where in the suite that was seen.
///
/// ```
/// use tenure_testkit::store::Violation;
///
/// let violation = Violation::new("the session came back");
/// assert!(violation.to_string().starts_with("the session came back (seen at "));
/// ```
pub struct Violation {
    what: String,
    at: &'static Location<'static>,
}

impl Violation {
    /// A violation that is described by `what`, seen by the caller.
    #[must_use]
    #[track_caller]
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), at: Location::caller() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (seen at {})", self.what, self.at)
    }
}

impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Violation {}

impl From<StoreError> for Violation {
    #[track_caller]
    fn from(error: StoreError) -> Self {
        Self::new(format!("the store failed: {:?}: {error}", error.kind()))
    }
}

impl From<tenure_core::Error> for Violation {
    #[track_caller]
    fn from(error: tenure_core::Error) -> Self {
        Self::new(error.to_string())
    }
}

/// Ends a law with a violation unless the condition holds.
macro_rules! check {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err($crate::store::Violation::new(format!($($message)+)));
        }
    };
}
pub(crate) use check;
