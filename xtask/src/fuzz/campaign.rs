//! One target, fuzzed for some time.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::seen::Seen;
use crate::Result;
use crate::cargo::{built, root};

/// An input that takes longer is one that somebody will send a thousand times.
const SLOW: &str = "-timeout=10";

pub(super) struct Campaign<'a> {
    pub(super) target: &'a str,
    pub(super) program: PathBuf,
    /// Inputs that led further, beside the seeds.
    pub(super) corpus: PathBuf,
    pub(super) time: Duration,
    pub(super) seed: u32,
    /// Whether what libFuzzer says is shown as it comes.
    pub(super) shown: bool,
}

impl Campaign<'_> {
    pub(super) fn run(&self) -> Result {
        let found = std::env::temp_dir().join("tenure-fuzz");
        for folder in [&self.corpus, &found] {
            fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        let mut arguments = vec![
            format!("-max_total_time={}", self.time.as_secs()),
            format!("-seed={}", self.seed),
            format!("-artifact_prefix={}/{}-", found.display(), self.target),
            SLOW.to_owned(),
            "-print_final_stats=1".to_owned(),
        ];
        let dictionary = root().join("fuzz/dictionaries").join(format!("{}.dict", self.target));
        if dictionary.exists() {
            arguments.push(format!("-dict={}", dictionary.display()));
        }
        arguments.push(self.corpus.display().to_string());
        let seeds = root().join("fuzz/seeds").join(self.target);
        if seeds.exists() {
            arguments.push(seeds.display().to_string());
        }
        let mut seen = Seen::default();
        let passed = built(&self.program, arguments.iter().map(String::as_str)).errors(|line| {
            if self.shown {
                eprintln!("{line}");
            }
            seen.read(line);
        })?;
        let summary = seen.verdict(self.target, passed)?;
        println!("{summary}");
        Ok(())
    }
}

/// Tries one input.
pub(super) fn repeat(program: &Path, input: &Path) -> Result {
    let file = input.to_str().ok_or_else(|| format!("{} is no UTF-8", input.display()))?;
    if !input.is_file() {
        return Err(format!("{file} is no file"));
    }
    built(program, [SLOW, file]).env("RUST_BACKTRACE", "1").run()
}
