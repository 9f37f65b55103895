//! Everything that must hold before a merge, in the order in which failures are cheapest.

use crate::Result;
use crate::cargo::{cargo, in_ci};
use crate::report::Report;
use crate::rustdoc::Descriptions;
use crate::services::Running;
use crate::steps::Steps;
use crate::workspace::Workspace;
use crate::{
    abilities, deny, dependencies, examples, faults, floor, fuzz, pace, package, public_deps, seed,
    semver, tool,
};

pub(crate) fn run(arguments: &[&str]) -> Result {
    let raise = match arguments {
        [] => false,
        ["--update-floor"] => true,
        _ => return Err("only `--update-floor` is understood".into()),
    };
    let steps = Steps::begin();
    let mut report = None;
    let outcome = all(&steps, &mut report, raise);
    println!("\ntotal: {}", steps.total());
    match report {
        Some(report) => println!("{}{report}", report.failures),
        None => println!("no test was run"),
    }
    outcome
}

fn all(steps: &Steps, report: &mut Option<Report>, raise: bool) -> Result {
    let remedy = "run `cargo fmt --all`, and `cargo fmt` in `fuzz`";
    steps.step("formatting", remedy, || {
        tool::ensure_component("rustfmt", "fmt")?;
        cargo(["fmt", "--all", "--check"]).run()?;
        fuzz::formatted()
    })?;
    steps.step("clippy", "mend what it names; a lint is allowed only with its reason", clippy)?;
    steps.step("rustdoc", "mend the documentation that it names", || {
        cargo(["doc", "--workspace", "--all-features", "--no-deps"])
            .env("RUSTDOCFLAGS", "-D warnings")
            .run()
    })?;
    let workspace = Workspace::load()?;
    let running =
        steps.step("servers for the tests", "see what `cargo xtask services up` says", || {
            Running::start(&workspace)
        })?;
    steps.step(
        "tests",
        "mend what failed above, or give the skipped tests what they need",
        || tests(&workspace, &running, report, raise),
    )?;
    drop(running);
    steps.step(
        "abilities",
        "mend or rename the test that proved it; what is given up loses its mark in docs/abilities.md",
        || abilities::check(&workspace),
    )?;
    steps.step(
        "audit of dependencies",
        "replace the dependency, or allow it in deny.toml with the reason",
        || deny::check(&workspace),
    )?;
    let descriptions =
        steps.step("descriptions of libraries", "mend what rustdoc says above", || {
            Descriptions::write(&workspace)
        })?;
    steps.step(
        "public dependencies of the core",
        "hide the type behind one of ours; the list of allowed crates is a promise",
        || public_deps::check(&descriptions),
    )?;
    steps.step(
        "examples of public functions",
        "give each function that is named an example of its own, or use it in that of its type",
        || examples::check(&workspace, &descriptions),
    )?;
    steps.step(
        "number of dependencies",
        "drop the dependency that is new, or state the number in README.md",
        || dependencies::check(&workspace, Some("README.md")),
    )?;
    steps.step("packages", "complete what is named in the crate's Cargo.toml or folder", || {
        package::check(&workspace)
    })?;
    steps.step(
        "semver",
        "keep the API, or raise the version and say so in CHANGELOG.md",
        || semver::check(&workspace),
    )?;
    steps.step("fuzz", "mend what the input shows, and keep it among the seeds in fuzz", || {
        fuzz::check(&workspace)
    })
}

fn clippy() -> Result {
    tool::ensure_component("clippy", "clippy")?;
    let mut command = vec!["clippy", "--workspace", "--all-targets", "--all-features"];
    // The first step that resolves dependencies: a Cargo.lock that was not committed stops here.
    if in_ci() {
        command.push("--locked");
        fuzz::locked()?;
    }
    cargo(command.into_iter().chain(["--", "-D", "warnings"])).run()
}

/// Runs all tests, also after one failed, so that the counts are whole.
fn tests(
    workspace: &Workspace,
    running: &Running,
    report: &mut Option<Report>,
    raise: bool,
) -> Result {
    let report = report.insert(Report::default());
    // Tests whose server is missing say so there: what they print is caught when they pass.
    let skips = workspace.target.join(format!("skips-{}", std::process::id()));
    let passed = cargo(["test", "--workspace", "--all-features", "--no-fail-fast"])
        .envs(running.variables.iter().map(|(name, value)| (name, value)))
        .envs([("TENURE_TEST_SKIPS", &skips)])
        .envs(if in_ci() { seed::of_commit() } else { Vec::new() })
        .envs(pace::scale())
        .lines(|line| report.read(line))?;
    // By themselves, since they mostly wait, and measure how long.
    let (survived, seen) = faults::run_tests(workspace, running, &skips, report)?;
    let skipped = std::fs::read_to_string(&skips).unwrap_or_default();
    report.read_skips(&skipped, in_ci());
    // There is none when nothing was skipped.
    let _ = std::fs::remove_file(&skips);
    report.ran.write(&workspace.target)?;
    for name in &report.skipped_names {
        println!("skipped: {name}");
    }
    for server in running.lost() {
        println!("server: {server}");
    }
    if !passed || !survived || report.failed > 0 {
        return Err(format!("{report}; a test failed or did not compile"));
    }
    if report.skipped > 0 && in_ci() {
        return Err(format!("{} skipped: in CI every test must run", report.skipped));
    }
    seen.check()?;
    floor::check(report.passed + report.unserved, raise)
}
