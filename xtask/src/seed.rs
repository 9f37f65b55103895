//! Where the random choices of tests begin.

use crate::cargo::program;

/// What the suites of stores read it from, and what proptest does.
const VARIABLES: [&str; 2] = ["TENURE_SUITE_SEED", "PROPTEST_RNG_SEED"];

/// The seed of a commit, for CI: each commit tries other choices, and the same commit the same, so
/// that what is red stays red. None outside of a git repository, where tests choose by themselves.
pub(crate) fn of_commit() -> Vec<(&'static str, String)> {
    let Some(seed) = program("git", ["rev-parse", "HEAD"]).output().ok().as_deref().and_then(seed)
    else {
        return Vec::new();
    };
    let unset = VARIABLES.into_iter().filter(|name| std::env::var_os(name).is_none());
    let variables: Vec<_> = unset.map(|name| (name, seed.to_string())).collect();
    for (name, seed) in &variables {
        println!("{name}={seed}");
    }
    variables
}

fn seed(commit: &str) -> Option<u64> {
    u64::from_str_radix(commit.get(..16)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_has_one_seed() {
        let commit = "83f0c6bfe2a94fe19ab3ff8ae25ee4ee9dd7b7b5\n";
        assert_eq!(seed(commit), Some(0x83f0_c6bf_e2a9_4fe1));
        assert_eq!(seed(&commit.replace('8', "9")), Some(0x93f0_c6bf_e2a9_4fe1));
    }

    #[test]
    fn what_is_no_commit_has_none() {
        for text in ["", "83f0c6b", "fatal: not a git repository"] {
            assert_eq!(seed(text), None, "{text}");
        }
    }
}
