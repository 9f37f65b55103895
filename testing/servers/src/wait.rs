use std::time::{Duration, Instant};

use crate::{Error, Result};

const STEP: Duration = Duration::from_millis(20);

/// Asks until the answer is yes; the error names what was waited for.
pub(crate) fn until(what: &str, within: Duration, mut ask: impl FnMut() -> Result<bool>) -> Result {
    let began = Instant::now();
    loop {
        if ask()? {
            return Ok(());
        }
        if began.elapsed() > within {
            return Err(Error::new(format!("{what}: not within {} s", within.as_secs())));
        }
        std::thread::sleep(STEP);
    }
}
