use std::fmt;

/// What every call here returns.
pub type Result<T = ()> = std::result::Result<T, Error>;

/// Why a server could not be had, and what to do about it.
#[derive(Debug)]
pub struct Error {
    message: String,
    missing: bool,
}

impl Error {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), missing: false }
    }

    /// A program that is not installed, and what would install it.
    pub(crate) fn missing(program: &str, remedy: &str) -> Self {
        Self { message: format!("{program} is not installed: {remedy}"), missing: true }
    }

    /// Whether a program is not installed; everything else is a failure.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.missing
    }

    /// The same with what was being done before it.
    pub(crate) fn context(mut self, what: &str) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }
}

/// Turns an error of the system into one of ours.
pub(crate) fn failed<E: fmt::Display>(what: impl fmt::Display) -> impl FnOnce(E) -> Error {
    move |error| Error::new(format!("{what}: {error}"))
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
