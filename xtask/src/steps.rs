//! Steps of a longer run: each with a heading and its wall time, stopping at the first failure.

use std::time::{Duration, Instant};

use crate::Result;

pub(crate) struct Steps {
    began: Instant,
}

impl Steps {
    pub(crate) fn begin() -> Self {
        Self { began: Instant::now() }
    }

    /// Runs one step; on failure the error names the step and the remedy.
    pub(crate) fn step<T>(
        &self,
        heading: &str,
        remedy: &str,
        run: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        println!("\n== {heading}");
        let began = Instant::now();
        let outcome = run();
        println!("== {heading}: {}", seconds(began.elapsed()));
        outcome.map_err(|failure| format!("{heading}: {failure}\nwhat to do: {remedy}"))
    }

    pub(crate) fn total(&self) -> String {
        seconds(self.began.elapsed())
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
