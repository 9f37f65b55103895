//! A small shop whose visitors have sessions: a log-in by name, a cart, a theme and a counter of
//! visits, without JavaScript. `demo/README.md` says how to run it.

mod config;
mod key_file;
mod problem;
mod routes;
mod serve;
mod shop;
mod view;
mod visitor;
mod watch;

use std::process::ExitCode;

use crate::config::Config;
use crate::watch::Watch;

/// What went wrong and what to do about it, for a human.
type Result<T = ()> = std::result::Result<T, String>;

#[tokio::main]
async fn main() -> ExitCode {
    match start().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            complain(&failure);
            ExitCode::FAILURE
        }
    }
}

async fn start() -> Result {
    let config = Config::from_env()?;
    // First, so that a start that fails for its port makes no files.
    let listener = config.listen().await?;
    let watch = Watch::default();
    let sessions = config.sessions(&watch).await?;
    serve::run(listener, sessions, watch).await
}

#[allow(clippy::print_stderr, reason = "a terminal is its only reader")]
fn complain(failure: &str) {
    eprintln!("error: {failure}");
}
