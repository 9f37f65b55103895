//! The comparison server of two commits.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::cargo::{cargo, program};
use crate::workspace::Workspace;

const PACKAGE: &str = "tenure-bench-server";

/// That of the commit, and that of the files as they are.
pub(super) fn both(workspace: &Workspace, commit: &str) -> Result<[PathBuf; 2]> {
    let folder = workspace.target.join("bench-against");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let tree = Tree::of(folder.join("tree"), commit)?;
    // In a folder of its own: cargo tells two trees of one workspace apart by the times of their
    // files alone, and would take what it has built from one for the other's.
    let before = build(&tree.manifest(), &folder.join("build"), &folder.join("before"))?;
    let manifest = crate::cargo::root().join("Cargo.toml");
    let now = build(&manifest, &workspace.target, &folder.join("now"))?;
    let read = |program| fs::read(program).map_err(|error| format!("{program:?}: {error}"));
    if read(&before)? == read(&now)? {
        println!("both are the same program, octet by octet: what differs is noise");
    }
    Ok([before, now])
}

/// Builds the server, and copies it from where the next build would overwrite it.
fn build(manifest: &Path, target: &Path, copy: &Path) -> Result<PathBuf> {
    let what = ["build", "--release", "--package", PACKAGE, "--target-dir", text(target)?];
    cargo(what.into_iter().chain(["--manifest-path", text(manifest)?])).run()?;
    let built = target.join("release").join(PACKAGE);
    fs::copy(&built, copy).map_err(|error| format!("{}: {error}", built.display()))?;
    Ok(copy.to_path_buf())
}

/// The files of a commit; gone with the value.
struct Tree(PathBuf);

impl Tree {
    fn of(folder: PathBuf, commit: &str) -> Result<Self> {
        let found = program("git", ["rev-parse", "--verify", &format!("{commit}^{{commit}}")]);
        if !found.succeeds() {
            return Err(format!("`{commit}` is no commit here: see `git log`"));
        }
        let tree = Self(folder);
        // Of a run that was killed.
        if tree.0.exists() {
            tree.remove()?;
        }
        let shown = text(&tree.0)?;
        program("git", ["worktree", "add", "--quiet", "--detach", shown, commit]).run()?;
        Ok(tree)
    }

    fn manifest(&self) -> PathBuf {
        self.0.join("Cargo.toml")
    }

    fn remove(&self) -> Result {
        program("git", ["worktree", "remove", "--force", text(&self.0)?]).run()
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        if let Err(failure) = self.remove() {
            eprintln!("{} must be removed by hand: {failure}", self.0.display());
        }
    }
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| format!("{} is no UTF-8", path.display()))
}
