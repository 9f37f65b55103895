use super::Json;
use crate::error::{Error, ErrorKind, Result};

/// A number that can be incremented: an integer of 64 bits with sign, or a finite float.
///
/// ```
/// use tenure_core::value::Number;
///
/// assert_eq!(Number::parse("41"), Some(Number::Int(41)));
/// assert_eq!(Number::parse("\"41\""), None);
/// assert_eq!(Number::Int(41).plus(Number::Float(0.5))?, Number::Float(41.5));
/// assert!(Number::Int(i64::MAX).plus(Number::Int(1)).is_err());
/// # Ok::<(), tenure_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// An integer; a sum outside its range is refused.
    Int(i64),
    /// A float; a sum that is not finite is refused.
    Float(f64),
}

impl Number {
    /// The longest JSON text of a number, in octets.
    pub(crate) const MAX_LEN: usize = 25;
    /// The greatest magnitude up to which every integer is a float.
    const EXACT: u64 = 1 << f64::MANTISSA_DIGITS;

    /// The number that JSON text is; none for anything else, and for integers beyond 64 bits.
    #[must_use]
    pub fn parse(json: &str) -> Option<Self> {
        // JSON has no `+` before a number.
        match json.parse::<i64>() {
            Ok(int) => (!json.starts_with('+')).then_some(Self::Int(int)),
            Err(_) if json.contains(['.', 'e', 'E']) => {
                let float = serde_json::from_str::<f64>(json).ok()?;
                float.is_finite().then_some(Self::Float(float))
            }
            Err(_) => None,
        }
    }

    /// The sum; a float as soon as one of the two is.
    ///
    /// # Errors
    /// [`ErrorKind::Overflow`] for integers beyond 64 bits, for floats that are not finite, and
    /// for an integer beyond 2^53 that meets a float.
    pub fn plus(self, other: Self) -> Result<Self> {
        let sum = match (self, other) {
            (Self::Int(a), Self::Int(b)) => a.checked_add(b).map(Self::Int),
            (a, b) => a
                .as_float()
                .zip(b.as_float())
                .map(|(a, b)| a + b)
                .filter(|sum| sum.is_finite())
                .map(Self::Float),
        };
        sum.ok_or_else(|| {
            Error::new(
                ErrorKind::Overflow,
                "increment",
                format!("{self:?} + {other:?} is outside the range of its type"),
            )
        })
    }

    /// The JSON text.
    ///
    /// ```
    /// # use tenure_core::value::Number;
    /// assert_eq!(Number::Int(41).to_json().as_str(), "41");
    /// assert_eq!(Number::Float(41.0).to_json().as_str(), "41.0", "it stays a float");
    /// ```
    #[must_use]
    pub fn to_json(self) -> Json {
        match self {
            Self::Int(int) => Json::trusted(itoa::Buffer::new().format(int)),
            Self::Float(float) => Json::trusted(
                &serde_json::Number::from_f64(float)
                    .map_or_else(|| "null".to_owned(), |number| number.to_string()),
            ),
        }
    }

    fn as_float(self) -> Option<f64> {
        match self {
            Self::Int(int) if int.unsigned_abs() > Self::EXACT => None,
            #[expect(clippy::cast_precision_loss, reason = "within the exact range")]
            Self::Int(int) => Some(int as f64),
            Self::Float(float) => Some(float),
        }
    }
}

/// The step of an increment: any integer that fits 64 bits with sign, or a float.
///
/// ```
/// use tenure_core::value::{By, Number};
///
/// assert_eq!(Number::from(By::from(-3_i32)), Number::Int(-3));
/// assert_eq!(Number::from(By::from(0.5)), Number::Float(0.5));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct By(Number);

impl By {
    /// The opposite step.
    ///
    /// ```
    /// # use tenure_core::value::{By, Number};
    /// assert_eq!(Number::from(By::from(3).negated()?), Number::Int(-3));
    /// assert!(By::from(i64::MIN).negated().is_err());
    /// # Ok::<(), tenure_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Overflow`] for `i64::MIN`, whose opposite does not exist.
    pub fn negated(self) -> Result<Self> {
        match self.0 {
            Number::Int(int) => int.checked_neg().map(Number::Int).map(Self).ok_or_else(|| {
                Error::new(ErrorKind::Overflow, "decrement", "i64::MIN cannot be negated")
            }),
            Number::Float(float) => Ok(Self(Number::Float(-float))),
        }
    }
}

impl From<By> for Number {
    fn from(by: By) -> Self {
        by.0
    }
}

impl From<f64> for By {
    fn from(by: f64) -> Self {
        Self(Number::Float(by))
    }
}

macro_rules! by_integers {
    ($($int:ty)*) => {$(
        impl From<$int> for By {
            fn from(by: $int) -> Self {
                Self(Number::Int(by.into()))
            }
        }
    )*};
}
by_integers!(i8 i16 i32 i64 u8 u16 u32);
