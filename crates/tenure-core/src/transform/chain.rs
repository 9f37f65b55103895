use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;

use super::{Transform, TransformContext};
use crate::error::{Error, Result};

/// A chain of transforms: applied in order, undone in reverse.
///
/// What they make is octets, and travels as base64url without padding, which has one spelling of
/// each value; or as it is, where the last one makes text ([`as_text`](Self::as_text)).
///
/// ```
/// # use tenure_core::{Result, SystemRandom};
/// # use tenure_core::transform::{Transform, TransformContext};
/// use tenure_core::transform::Transforms;
///
/// # #[derive(Debug)]
/// # struct Reverse;
/// # impl Transform for Reverse {
/// #     fn apply(&self, mut value: Vec<u8>, _: &TransformContext<'_>) -> Result<Vec<u8>> {
/// #         value.reverse();
/// #         Ok(value)
/// #     }
/// #     fn undo(&self, mut value: Vec<u8>, _: &TransformContext<'_>) -> Option<Vec<u8>> {
/// #         value.reverse();
/// #         Some(value)
/// #     }
/// #     fn authenticates(&self) -> bool { false }
/// # }
/// let chain = Transforms::new().then(Reverse); // one of the application's own
/// let cx = TransformContext::new("sid", "session", &SystemRandom);
/// let text = chain.write(b"abc".to_vec(), &cx)?;
/// assert_eq!(text, "Y2Jh");
/// assert_eq!(chain.read(&text, &cx).unwrap(), b"abc");
/// assert!(chain.read("Y2Jh=", &cx).is_none());
/// # Ok::<(), tenure_core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Transforms {
    steps: Vec<Arc<dyn Transform>>,
    text: bool,
}

impl Transforms {
    /// No transform at all.
    #[must_use]
    pub const fn new() -> Self {
        Self { steps: Vec::new(), text: false }
    }

    /// This chain, and then `step`.
    #[must_use]
    pub fn then(mut self, step: impl Transform) -> Self {
        self.steps.push(Arc::new(step));
        self
    }

    /// Lets what the last transform makes travel as it is, since it makes text.
    ///
    /// ```
    /// # use tenure_core::{SystemRandom, transform::{TransformContext, Transforms}};
    /// let cx = TransformContext::new("sid", "session", &SystemRandom);
    /// assert_eq!(Transforms::new().as_text().write(b"abc".to_vec(), &cx)?, "abc");
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    #[must_use]
    pub const fn as_text(mut self) -> Self {
        self.text = true;
        self
    }

    /// Whether there is no transform.
    ///
    /// ```
    /// # use tenure_core::transform::Transforms;
    /// assert!(Transforms::new().is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Whether a value that was made without the keys comes back as none.
    ///
    /// ```
    /// # use tenure_core::transform::Transforms;
    /// assert!(!Transforms::new().authenticates());
    /// ```
    #[must_use]
    pub fn authenticates(&self) -> bool {
        self.steps.iter().any(|step| step.authenticates())
    }

    /// The text that travels.
    ///
    /// # Errors
    /// As [`Transform::apply`]; [`ErrorKind::Config`](crate::ErrorKind::Config) for octets that
    /// are to travel as they are and are no text.
    pub fn write(&self, value: Vec<u8>, cx: &TransformContext<'_>) -> Result<String> {
        let value = self.steps.iter().try_fold(value, |value, step| step.apply(value, cx))?;
        if !self.text {
            return Ok(BASE64.encode(value));
        }
        String::from_utf8(value).map_err(|_| {
            Error::config(
                "transforms: the last one makes octets that are no text; leave out `as_text`",
            )
        })
    }

    /// What was [written](Self::write) as `text`; none, whatever is wrong with it.
    #[must_use]
    pub fn read(&self, text: &str, cx: &TransformContext<'_>) -> Option<Vec<u8>> {
        let value = if self.text { text.as_bytes().to_vec() } else { BASE64.decode(text).ok()? };
        self.steps.iter().rev().try_fold(value, |value, step| step.undo(value, cx))
    }
}
