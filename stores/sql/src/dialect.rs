//! What differs between databases in the text of statements.

/// The spellings of one database. What it does beyond them, such as its column types, is in its
/// own module.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dialect {
    /// What stands on both sides of a name.
    pub(crate) quote: char,
    /// Whether parameters are `$1`, `$2`; else each is `?`.
    pub(crate) numbered: bool,
    /// The function for the least of its arguments.
    pub(crate) least: &'static str,
    /// The function for the greatest of its arguments.
    pub(crate) greatest: &'static str,
    /// The operator of an equality for which NULL equals NULL.
    pub(crate) same: &'static str,
    /// Whether an insertion can replace a row that has its key, where a condition holds. Else it
    /// fails: `ON DUPLICATE KEY UPDATE` knows no condition.
    pub(crate) replaces: bool,
    /// Whether the sweep goes by a column of its own, never later than the deadline: a touch leaves
    /// it where it is, and a sweep that meets it puts it right. Else it goes by the deadline, whose
    /// index every touch writes to.
    pub(crate) bound: bool,
}

impl Dialect {
    /// The statement `sql`, whose parameters are written as `?`, in this dialect.
    pub(crate) fn parameters(&self, sql: &str) -> String {
        if !self.numbered {
            return sql.to_owned();
        }
        let mut pieces = sql.split('?');
        let mut numbered = pieces.next().unwrap_or_default().to_owned();
        for (before, piece) in pieces.enumerate() {
            numbered += &format!("${}{piece}", before + 1);
        }
        numbered
    }
}

#[cfg(test)]
mod tests {
    use super::Dialect;

    #[test]
    fn parameters_are_numbered_where_the_database_wants_it() {
        let dialect = Dialect {
            quote: '"',
            numbered: true,
            least: "least",
            greatest: "greatest",
            same: "=",
            replaces: true,
            bound: true,
        };
        assert_eq!(dialect.parameters("a = ? AND b IN (?, ?)"), "a = $1 AND b IN ($2, $3)");
        assert_eq!(dialect.parameters("a = 1"), "a = 1");
    }
}
