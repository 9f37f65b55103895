//! The scripts, each of which is a whole operation.

use std::sync::LazyLock;

/// A script.
pub(crate) struct Script {
    pub(crate) source: &'static str,
    /// By what a server knows it.
    pub(crate) hash: String,
    /// How each call of it begins, after the number of its arguments.
    pub(crate) begin: String,
}

macro_rules! scripts {
    ($($name:ident = $($file:literal)+;)*) => {$(
        pub(crate) static $name: LazyLock<Script> =
            LazyLock::new(|| Script::new(concat!($(include_str!($file)),+)));
    )*};
}

scripts! {
    APPLY = "scripts/epochs.lua" "scripts/record.lua" "scripts/apply.lua";
    CREATE = "scripts/epochs.lua" "scripts/record.lua" "scripts/create.lua";
    DELETE = "scripts/epochs.lua" "scripts/record.lua" "scripts/delete.lua";
    INDEX = "scripts/index.lua";
    LOAD = "scripts/epochs.lua" "scripts/load.lua";
    REVOKE = "scripts/revoke.lua";
    SWAP = "scripts/epochs.lua" "scripts/record.lua" "scripts/swap.lua";
    SWEEP = "scripts/sweep.lua";
    TOUCH = "scripts/epochs.lua" "scripts/record.lua" "scripts/touch.lua";
}

impl Script {
    fn new(source: &'static str) -> Self {
        let hash = redis::Script::new(source).get_hash().to_owned();
        let begin = format!("$7\r\nEVALSHA\r\n${}\r\n{hash}\r\n", hash.len());
        Self { source, hash, begin }
    }
}

#[cfg(test)]
mod tests {
    use tenure_core::store::{FORMER_GRACE, PENDING_GRACE, RETRY_HORIZON};

    use super::*;
    use crate::hash::MAX_LEN;

    #[test]
    fn scripts_have_the_limits_of_the_core() {
        let times = [RETRY_HORIZON, FORMER_GRACE, PENDING_GRACE].map(|time| time.as_millis());
        let [horizon, former, pending] = times;
        for line in [
            format!("HORIZON, FORMER_GRACE, PENDING_GRACE = {horizon}, {former}, {pending}\n"),
            format!("LONGEST = {MAX_LEN}\n"),
        ] {
            assert!(APPLY.source.contains(&line), "{line}");
        }
    }
}
