use std::fmt;

use crate::clock::Random;
use crate::error::Result;

/// What a [`Transform`] binds a value to, and what it works with.
///
/// A value that was made under another name, or for another purpose, must come back as none
/// (rule T-COOK-8, T-ISO-1).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct TransformContext<'a> {
    /// The name under which the value travels: that of the cookie or the header.
    pub name: &'a str,
    /// What the value is for.
    pub purpose: &'a str,
    /// Where random octets come from.
    pub random: &'a dyn Random,
}

impl<'a> TransformContext<'a> {
    /// A context of this name and purpose.
    ///
    /// ```
    /// # use tenure_core::{SystemRandom, transform::TransformContext};
    /// let cx = TransformContext::new("__Host-id", "session", &SystemRandom);
    /// assert_eq!((cx.name, cx.purpose), ("__Host-id", "session"));
    /// ```
    #[must_use]
    pub const fn new(name: &'a str, purpose: &'a str, random: &'a dyn Random) -> Self {
        Self { name, purpose, random }
    }
}

/// One step in the protection of a value that passes through the client's hands.
///
/// ```
/// use tenure_core::{Result, SystemRandom};
/// use tenure_core::transform::{Transform, TransformContext};
///
/// /// What another system puts before its values.
/// #[derive(Debug)]
/// struct Prefix;
///
/// impl Transform for Prefix {
///     fn apply(&self, value: Vec<u8>, _: &TransformContext<'_>) -> Result<Vec<u8>> {
///         Ok([b"s:", &value[..]].concat())
///     }
///
///     fn undo(&self, value: Vec<u8>, _: &TransformContext<'_>) -> Option<Vec<u8>> {
///         Some(value.strip_prefix(b"s:")?.to_vec())
///     }
///
///     fn authenticates(&self) -> bool {
///         false
///     }
/// }
///
/// let cx = TransformContext::new("sid", "session", &SystemRandom);
/// let value = Prefix.apply(b"abc".to_vec(), &cx)?;
/// assert_eq!(value, b"s:abc");
/// assert_eq!(Prefix.undo(value, &cx).unwrap(), b"abc");
/// assert!(Prefix.undo(b"abc".to_vec(), &cx).is_none());
/// # Ok::<(), tenure_core::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no transform of values",
    note = "implement `apply`, `undo` and `authenticates`, or use `Sign` or `Seal`"
)]
pub trait Transform: fmt::Debug + Send + Sync + 'static {
    /// What travels in place of `value`.
    ///
    /// # Errors
    /// When there is no key, or no randomness.
    fn apply(&self, value: Vec<u8>, cx: &TransformContext<'_>) -> Result<Vec<u8>>;

    /// What [`apply`](Self::apply) was given to make `value`; none, whatever is wrong with it. It
    /// compares secrets in constant time.
    fn undo(&self, value: Vec<u8>, cx: &TransformContext<'_>) -> Option<Vec<u8>>;

    /// Whether [`undo`](Self::undo) gives none for whatever was made without the key. Sessions that
    /// are kept by the client need one such step at least.
    fn authenticates(&self) -> bool;
}
