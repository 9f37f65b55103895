//! How large sessions are in each store, and how fast they are created, read and swept, up to a
//! million of them. `cargo xtask scale` runs it.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a terminal is its only reader")]

mod arguments;
mod phases;
mod place;
mod report;
mod session;

use std::error::Error;
use std::process::ExitCode;

use tokio::runtime::Runtime;

use self::arguments::Arguments;
use self::report::{HEAD, Report};

type Result<T = ()> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    match run() {
        Ok(report) => {
            print!("{report}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<Report> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    let runtime = Runtime::new()?;
    let mut report = Report::default();
    println!("{HEAD}");
    for &kind in &arguments.kinds {
        for sessions in arguments.sizes() {
            // A new server each time: what one filling leaves behind is no burden to the next.
            let place = kind.start()?;
            let measured = runtime.block_on(async {
                let opened = place.open().await?;
                Ok::<_, Box<dyn Error + Send + Sync>>((
                    opened.version().await?,
                    phases::measure(&opened, kind.name(), sessions).await?,
                ))
            });
            let (version, figures) =
                measured.map_err(|error| format!("{}, {sessions}: {error}", kind.name()))?;
            // At once: a run of many minutes may be broken off.
            println!("{}", report.add(kind, version, figures));
        }
    }
    Ok(report)
}
