//! The audit of all dependencies by cargo-deny; what is allowed stands in `deny.toml`.

use crate::Result;
use crate::cargo::cargo;
use crate::tool::Tool;
use crate::workspace::Workspace;

const TOOL: Tool = Tool { name: "deny", version: (0, 20, 2) };

pub(crate) fn check(workspace: &Workspace) -> Result {
    TOOL.ensure(workspace)?;
    cargo(["deny", "--all-features", "check", "bans", "licenses", "sources"]).run()?;
    // The database of advisories is fetched anew: a test must not fail because a site is down,
    // nor pass or fail by what was published since the last commit.
    if std::env::var("TENURE_ADVISORIES").is_ok_and(|value| value == "1") {
        cargo(["deny", "--all-features", "check", "advisories"]).run()
    } else {
        println!("advisories not checked: TENURE_ADVISORIES=1 does, and needs the network");
        Ok(())
    }
}
