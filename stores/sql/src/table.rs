//! The names of the tables.

use tenure_core::store::{StoreError, StoreErrorKind, StoreResult};

use crate::dialect::Dialect;

/// The name of the sessions' table, from which the names of the others follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table(Box<str>);

impl Table {
    pub(crate) const DEFAULT: &'static str = "tenure_sessions";
    /// Leaves room for what is appended, within the 63 octets of PostgreSQL.
    const MAX_LEN: usize = 48;

    pub(crate) fn new(name: &str) -> StoreResult<Self> {
        let fits = (1..=Self::MAX_LEN).contains(&name.len())
            && !name.as_bytes()[0].is_ascii_digit()
            && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'_');
        if fits {
            return Ok(Self(name.into()));
        }
        Err(StoreError::new(
            StoreErrorKind::Other,
            format!(
                "table: {name:?} is not 1 to {} ASCII letters, digits and underscores that begin \
                 with no digit; choose a name such as {:?}",
                Self::MAX_LEN,
                Self::DEFAULT
            ),
        ))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The sessions.
    pub(crate) fn sessions(&self, dialect: &Dialect) -> String {
        self.with("", dialect)
    }

    /// How often all sessions of a namespace or of a user were ended.
    pub(crate) fn epochs(&self, dialect: &Dialect) -> String {
        self.with("_epochs", dialect)
    }

    /// The version of these tables.
    pub(crate) fn meta(&self, dialect: &Dialect) -> String {
        self.with("_meta", dialect)
    }

    /// The name with something appended, quoted.
    pub(crate) fn with(&self, suffix: &str, dialect: &Dialect) -> String {
        let quote = dialect.quote;
        format!("{quote}{}{suffix}{quote}", self.0)
    }
}

impl Default for Table {
    fn default() -> Self {
        Self(Self::DEFAULT.into())
    }
}
