use std::fmt;
use std::marker::PhantomData;

/// A key with the type of its value, made once as a constant.
///
/// ```
/// use tenure_core::{ErrorKind, Key, Sessions};
///
/// const THEME: Key<String> = Key::new("theme");
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> tenure_core::Result<()> {
/// let sessions = Sessions::in_memory()?;
/// let session = sessions.start().await?;
/// session.set(THEME, "dark".to_owned())?;
/// assert_eq!(session.get(THEME)?.as_deref(), Some("dark"));
/// assert_eq!(session.get::<u8>("theme").unwrap_err().kind(), ErrorKind::Type);
/// # Ok(())
/// # }
/// ```
///
/// A value of another type does not compile:
///
/// ```compile_fail
/// # const THEME: tenure_core::Key<String> = tenure_core::Key::new("theme");
/// # fn wrong(session: tenure_core::Session) {
/// session.set(THEME, 3).unwrap();
/// # }
/// ```
pub struct Key<T> {
    name: &'static str,
    value: PhantomData<fn(T) -> T>,
}

impl<T> Key<T> {
    /// The key of this name.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, value: PhantomData }
    }

    /// The name.
    ///
    /// ```
    /// # use tenure_core::Key;
    /// const CART: Key<Vec<String>> = Key::new("cart");
    /// assert_eq!(CART.name(), "cart");
    /// ```
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Key<T> {}

impl<T> fmt::Debug for Key<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?})", self.name)
    }
}

/// What names a key: text, or a [`Key`] of any type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name a session key",
    note = "write a string such as \"cart\", or a constant `Key<T>`"
)]
pub trait AsName {
    /// The name.
    ///
    /// ```
    /// use tenure_core::{Key, session::AsName};
    ///
    /// const CART: Key<Vec<String>> = Key::new("cart");
    /// fn audit(key: impl AsName) -> String {
    ///     format!("{} was changed", key.as_name())
    /// }
    /// assert_eq!(audit(CART), audit("cart"));
    /// ```
    fn as_name(&self) -> &str;
}

/// What names a key whose value is a `T`: text, or a [`Key<T>`](Key).
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name a session key of type `{T}`",
    note = "a `Key<{T}>` or a string such as \"cart\" does; a `Key` of another type does not"
)]
pub trait AsKey<T>: AsName {}

/// What names a key whose value counts: text, or a [`Key`] of a number.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name a counter",
    note = "write a string such as \"visits\", or a `Key` of an integer or a float"
)]
pub trait CounterKey: AsName {}

macro_rules! text_names {
    ($($text:ty)*) => {$(
        impl AsName for $text {
            fn as_name(&self) -> &str {
                self
            }
        }
        impl<T> AsKey<T> for $text {}
        impl CounterKey for $text {}
    )*};
}
text_names!(&str String &String);

impl<T> AsName for Key<T> {
    fn as_name(&self) -> &str {
        self.name
    }
}

impl<T> AsName for &Key<T> {
    fn as_name(&self) -> &str {
        self.name
    }
}

impl<T> AsKey<T> for Key<T> {}
impl<T> AsKey<T> for &Key<T> {}

macro_rules! counters {
    ($($number:ty)*) => {$(
        impl CounterKey for Key<$number> {}
        impl CounterKey for &Key<$number> {}
    )*};
}
counters!(i8 i16 i32 i64 u8 u16 u32 u64 f32 f64);
