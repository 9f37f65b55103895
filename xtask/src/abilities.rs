//! Which abilities and rules of `docs/abilities.md` are proven: by tests that carry their id, and
//! that ran and passed.

mod catalogue;
mod ids;
mod proofs;
mod ran;
mod source;

use crate::Result;
use crate::workspace::Workspace;

use self::catalogue::{Catalogue, FILE};
use self::proofs::Proofs;
pub(crate) use self::ran::Ran;

pub(crate) fn run(arguments: &[&str]) -> Result {
    let update = match arguments {
        [] => false,
        ["--update"] => true,
        _ => return Err("only `--update` is understood".into()),
    };
    let workspace = Workspace::load()?;
    let mut catalogue = Catalogue::read()?;
    let proofs = collect(&workspace, &catalogue)?;
    for id in catalogue.ids() {
        println!("{}", proofs.line(id));
    }
    println!();
    verdict(&catalogue, &proofs)?;
    if update {
        let added = catalogue.mark(|id| proofs.passed(id) > 0);
        catalogue.write()?;
        println!("{FILE}: {} more are proven", added.len());
    }
    Ok(())
}

/// Compares what is proven with what the page says is proven, after the tests have run.
pub(crate) fn check(workspace: &Workspace) -> Result {
    let catalogue = Catalogue::read()?;
    verdict(&catalogue, &collect(workspace, &catalogue)?)
}

fn collect(workspace: &Workspace, catalogue: &Catalogue) -> Result<Proofs> {
    let ran = Ran::read(&workspace.target)?;
    let proofs = Proofs::of(&ran, &source::read(workspace)?);
    let unknown = proofs.beside(catalogue);
    if unknown.is_empty() {
        return Ok(proofs);
    }
    Err(format!("tests are named after what {FILE} does not have:{}", list(&unknown)))
}

/// A skipped test proves nothing, and loses nothing: where none may be skipped, that fails before.
fn verdict(catalogue: &Catalogue, proofs: &Proofs) -> Result {
    let (mut lost, mut new, mut none) = (Vec::new(), Vec::new(), Vec::new());
    for id in catalogue.ids() {
        let (passed, skipped) = (proofs.passed(id) > 0, proofs.skipped(id) > 0);
        match (catalogue.is_proven(id), passed) {
            (true, false) if !skipped => lost.push(id),
            (false, true) => new.push(id),
            (false, false) => none.push(id),
            _ => {}
        }
    }
    println!("without a test that passed:{}", list(&none));
    if !new.is_empty() {
        println!("newly proven:{}", list(&new));
        println!("`cargo xtask abilities --update` says so in {FILE}");
    }
    if !lost.is_empty() {
        return Err(format!("no test that passed proves any more:{}", list(&lost)));
    }
    let all = catalogue.ids().count();
    println!("{} of {all} have a test", all - none.len());
    Ok(())
}

fn list<T: AsRef<str>>(ids: &[T]) -> String {
    let mut text = String::new();
    for id in ids {
        text.push(' ');
        text.push_str(id.as_ref());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The verdict on a page with V1 proven and V2 not, after these lines of `cargo test`.
    fn after(lines: &[&str]) -> Result {
        let page = "| V1 | yes | one |\n| V2 | no | two |\n".to_owned();
        let mut ran = Ran::default();
        lines.iter().for_each(|line| ran.read_line(line));
        verdict(&Catalogue::parse(page).expect("a page"), &Proofs::of(&ran, &[]))
    }

    #[test]
    fn a_proven_id_must_not_lose_its_last_test() {
        let lost = Err("no test that passed proves any more: V1".to_owned());
        assert_eq!(after(&["test v2_two ... ok"]), lost);
        assert_eq!(after(&["test v1_one ... FAILED"]), lost);
        assert_eq!(after(&["test v1_one ... ok", "test v2_two ... ok"]), Ok(()));
    }

    #[test]
    fn a_skipped_test_loses_nothing() {
        assert_eq!(after(&["test v1_one ... ignored"]), Ok(()));
    }
}
