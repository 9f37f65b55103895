//! Servers that tests need: where they are, and what happens when one is not there.
//!
//! A test that needs a server asks for its URL, which stands in an environment variable. Without
//! one the test cannot run. Then it says so on standard error, is counted, and passes; but in CI,
//! where the environment says `CI=true`, it fails.
//!
//! ```no_run
//! use tenure_testkit::server;
//!
//! let Some(url) = server::url("remote") else { return };
//! println!("the test runs against {url}");
//! ```
//!
//! A suite takes the harness that there may be: see [`store_suite!`](crate::store_suite).

use std::env;
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

/// With what every line about a test that did not run begins.
pub const MARKER: &str = "tenure: skipped: ";

/// The environment variable that may name a file, to which a line is added for each test that did
/// not run: whoever starts the tests reads there how many those were.
pub const SKIPS_VARIABLE: &str = "TENURE_TEST_SKIPS";

/// The URL of a service: what `TENURE_TEST_<SERVICE>_URL` holds, `TENURE_TEST_REDIS_TLS_URL` for
/// `redis-tls`. If it is not set, the calling test is counted as skipped, and is to return.
///
/// ```no_run
/// // TENURE_TEST_REDIS_TLS_URL is rediss://127.0.0.1:6380
/// let url = tenure_testkit::server::url("redis-tls");
/// assert_eq!(url.as_deref(), Some("rediss://127.0.0.1:6380"));
/// ```
///
/// # Panics
/// In CI, when it is not set.
#[must_use]
pub fn url(service: &str) -> Option<String> {
    let found = env::var(variable(service)).ok().filter(|url| !url.is_empty());
    if found.is_none() {
        missing(&format!("no {service}: {} is not set", variable(service)));
    }
    found
}

/// The file with the certificate of the authority by which the servers of the tests have theirs:
/// what `TENURE_TEST_CA_FILE` names.
///
/// ```
/// if let Some(file) = tenure_testkit::server::ca_file() {
///     assert!(file.is_absolute());
/// }
/// ```
#[must_use]
pub fn ca_file() -> Option<PathBuf> {
    env::var_os("TENURE_TEST_CA_FILE").map(PathBuf::from)
}

/// Counts the calling test as skipped, and says why.
///
/// ```no_run
/// let Some(program) = std::env::var_os("OTHER_IMPLEMENTATION") else {
///     return tenure_testkit::server::missing("no other implementation");
/// };
/// ```
///
/// # Panics
/// In CI.
pub fn missing(why: &str) {
    let thread = std::thread::current();
    let line = line(why, thread.name());
    // Straight to the stream: the test harness would swallow what a passing test prints.
    let _ = writeln!(io::stderr(), "{line}");
    if let Some(file) = env::var_os(SKIPS_VARIABLE) {
        let added = File::options()
            .create(true)
            .append(true)
            .open(&file)
            .and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
        added.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
    let ci = env::var("CI").is_ok_and(|value| value == "true" || value == "1");
    assert!(!ci, "{why}: in CI every test must run");
}

fn variable(service: &str) -> String {
    format!("TENURE_TEST_{}_URL", service.to_uppercase().replace('-', "_"))
}

/// The thread of a test has its name.
fn line(why: &str, thread: Option<&str>) -> String {
    let binary = env::current_exe().ok();
    let binary = binary.as_ref().and_then(|path| path.file_stem()?.to_str()).unwrap_or("?");
    // Cargo adds a hash to the name, which says nothing.
    let binary = binary.rsplit_once('-').map_or(binary, |(name, _)| name);
    format!("{MARKER}{why}: {binary} {}", thread.unwrap_or("?"))
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Output};

    use super::*;

    /// Tells a child that it is one.
    const CHILD: &str = "TENURE_SERVER_CHILD";

    /// The children run this test, each in an environment of its own.
    #[test]
    fn a_missing_server_is_counted_and_fails_in_ci() {
        if env::var_os(CHILD).is_some() {
            assert_eq!(url("odd-store"), env::var("TENURE_TEST_ODD_STORE_URL").ok());
            return;
        }
        let folder = env::temp_dir().join(format!("tenure-skips-{}", std::process::id()));
        let skips = folder.to_str().expect("a name").to_owned();
        let count = |skips| std::fs::read_to_string(skips).map_or(0, |text| text.lines().count());

        let there = child(&skips, &[("TENURE_TEST_ODD_STORE_URL", "odd://here"), ("CI", "true")]);
        assert!(there.status.success());
        assert_eq!(count(&skips), 0);

        let skipped = child(&skips, &[]);
        assert!(skipped.status.success());
        assert!(String::from_utf8_lossy(&skipped.stderr).contains("skipped: no odd-store: "));
        assert_eq!(count(&skips), 1);

        let failed = child(&skips, &[("CI", "true")]);
        assert!(!failed.status.success());
        assert!(String::from_utf8_lossy(&failed.stdout).contains("TENURE_TEST_ODD_STORE_URL"));
        assert_eq!(count(&skips), 2);
        std::fs::remove_file(&skips).expect("removed");
    }

    fn child(skips: &str, variables: &[(&str, &str)]) -> Output {
        let test = concat!(module_path!(), "::a_missing_server_is_counted_and_fails_in_ci");
        let (_crate, test) = test.split_once("::").expect("a path");
        Command::new(env::current_exe().expect("this binary"))
            .args(["--exact", test])
            .env_remove("CI")
            .envs([(CHILD, "1"), (SKIPS_VARIABLE, skips)])
            .envs(variables.iter().copied())
            .output()
            .expect("it runs")
    }

    #[test]
    fn a_line_names_the_test() {
        let line = line("no redis", Some("laws::one"));
        assert!(line.starts_with("tenure: skipped: no redis: tenure_testkit laws::one"), "{line}");
    }
}
