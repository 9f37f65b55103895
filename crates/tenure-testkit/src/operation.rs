use std::fmt;

/// The operations of a store, those of its capabilities included.
///
/// ```
/// use tenure_testkit::Operation;
///
/// assert_eq!(Operation::Load.to_string(), "load");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// [`Store::load`](tenure_core::store::Store::load)
    Load,
    /// [`Store::create`](tenure_core::store::Store::create)
    Create,
    /// [`Store::swap`](tenure_core::store::Store::swap)
    Swap,
    /// [`Store::delete`](tenure_core::store::Store::delete)
    Delete,
    /// [`Store::sweep`](tenure_core::store::Store::sweep)
    Sweep,
    /// [`Store::apply`](tenure_core::store::Store::apply)
    Apply,
    /// [`Store::touch`](tenure_core::store::Store::touch)
    Touch,
    /// [`UserIndex::list`](tenure_core::store::UserIndex::list)
    List,
    /// [`UserIndex::revoke`](tenure_core::store::UserIndex::revoke)
    Revoke,
    /// [`Epoch::revoke_everybody`](tenure_core::store::Epoch::revoke_everybody)
    RevokeEverybody,
    /// [`Inspect::record`](tenure_core::store::Inspect::record)
    Inspect,
    /// [`Store::close`](tenure_core::store::Store::close)
    Close,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Load => "load",
            Self::Create => "create",
            Self::Swap => "swap",
            Self::Delete => "delete",
            Self::Sweep => "sweep",
            Self::Apply => "apply",
            Self::Touch => "touch",
            Self::List => "list",
            Self::Revoke => "revoke",
            Self::RevokeEverybody => "revoke_everybody",
            Self::Inspect => "inspect",
            Self::Close => "close",
        })
    }
}
