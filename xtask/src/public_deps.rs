//! The core's public API may name the types of very few crates: a new major version of one of
//! them forces a new major version of ours.

use crate::Result;
use crate::rustdoc::{Descriptions, Mention, mentions};
use crate::workspace::Workspace;

const PACKAGE: &str = "tenure-core";

/// `serde` defines its traits in `serde_core` and its macros in `serde_derive`.
const ALLOWED: &[&str] = &["std", "core", "alloc", "http", "serde", "serde_core", "serde_derive"];

pub(crate) fn run(arguments: &[&str]) -> Result {
    crate::no_arguments(arguments)?;
    check(&Descriptions::write(&Workspace::load()?)?)
}

pub(crate) fn check(descriptions: &Descriptions) -> Result {
    let summary = judge(&mentions(&descriptions.of(PACKAGE)?))?;
    println!("{summary}");
    Ok(())
}

/// The allowed crates that are named, or what is wrong.
fn judge(mentions: &[Mention]) -> Result<String> {
    let foreign: String = mentions
        .iter()
        .filter(|mention| !ALLOWED.contains(&mention.krate.as_str()))
        .map(|mention| {
            let Mention { item, named, krate } = mention;
            format!("\n  {item} names `{named}` of the crate {krate}")
        })
        .collect();
    if !foreign.is_empty() {
        return Err(format!("the public API of {PACKAGE} names other crates:{foreign}"));
    }
    let mut named: Vec<&str> = mentions.iter().map(|mention| mention.krate.as_str()).collect();
    named.sort_unstable();
    named.dedup();
    // Even an empty struct implements something of the standard library, so nothing at all means
    // that the description was not understood.
    if named.is_empty() {
        return Err("nothing was found in rustdoc's JSON: has its format changed?".into());
    }
    Ok(format!("the public API of {PACKAGE} names only {}", named.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mention(krate: &str) -> Mention {
        Mention { item: "function `f`".into(), named: format!("{krate}::T"), krate: krate.into() }
    }

    #[test]
    fn allowed_crates_pass() {
        let summary = judge(&[mention("http"), mention("core"), mention("http")]).expect("allowed");
        assert!(summary.ends_with("names only core, http"), "{summary}");
    }

    #[test]
    fn another_crate_is_named_in_the_error() {
        let failure = judge(&[mention("core"), mention("leak")]).expect_err("not allowed");
        assert!(failure.contains("function `f` names `leak::T` of the crate leak"), "{failure}");
        assert!(!failure.contains("core::T"), "{failure}");
    }

    #[test]
    fn an_empty_description_is_suspicious() {
        judge(&[]).expect_err("nothing found");
    }
}
