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
    println!("{} of {all} are proven", all - none.len());
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
