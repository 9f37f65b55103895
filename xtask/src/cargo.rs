//! Other programs, run from the workspace's root.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use crate::Result;

/// A program with its arguments, shown in errors as one would type it.
pub(crate) struct Run {
    command: Command,
    shown: String,
}

/// The cargo that started this program.
pub(crate) fn cargo<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Run {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    Run::new(&cargo, "cargo", arguments)
}

pub(crate) fn program<'a>(name: &str, arguments: impl IntoIterator<Item = &'a str>) -> Run {
    Run::new(OsStr::new(name), name, arguments)
}

/// A program that was built here.
pub(crate) fn built<'a>(path: &Path, arguments: impl IntoIterator<Item = &'a str>) -> Run {
    Run::new(path.as_os_str(), &path.display().to_string(), arguments)
}

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}

/// Whether this is an unattended run, where a warning that nobody reads must fail instead.
pub(crate) fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}

impl Run {
    fn new<'a>(
        executable: &OsStr,
        name: &str,
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let mut command = Command::new(executable);
        let mut shown = name.to_owned();
        for argument in arguments {
            command.arg(argument);
            shown.push(' ');
            shown.push_str(argument);
        }
        // `cargo run` describes this program to its children, and build scripts that watch those
        // variables would run again, with all that depends on them, after every plain `cargo`.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
                command.env_remove(&name);
            }
        }
        command.current_dir(root()).stdin(Stdio::null());
        Self { command, shown }
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self.shown = format!("{name}=\"{value}\" {}", self.shown);
        self
    }

    /// More of them, which are not shown.
    pub(crate) fn envs<N: AsRef<OsStr>, V: AsRef<OsStr>>(
        mut self,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.command.envs(variables);
        self
    }

    /// Runs it with its output on the terminal.
    pub(crate) fn run(mut self) -> Result {
        let status = self.command.status().map_err(|error| self.not_started(&error))?;
        if status.success() { Ok(()) } else { Err(self.failed(status)) }
    }

    /// Whether it runs and succeeds; its output is dropped.
    pub(crate) fn succeeds(mut self) -> bool {
        let quiet = self.command.stdout(Stdio::null()).stderr(Stdio::null());
        quiet.status().is_ok_and(|status| status.success())
    }

    /// Runs it and returns what it printed; its errors go to the terminal.
    pub(crate) fn output(mut self) -> Result<String> {
        let output = self
            .command
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| self.not_started(&error))?;
        if !output.status.success() {
            return Err(self.failed(output.status));
        }
        String::from_utf8(output.stdout).map_err(|_| format!("`{}` printed no UTF-8", self.shown))
    }

    /// Runs it, copies each line to the terminal as it comes, shows it to `seen` too, and tells
    /// whether the program succeeded.
    pub(crate) fn lines(mut self, mut seen: impl FnMut(&str)) -> Result<bool> {
        self.command.stdout(Stdio::piped());
        let mut terminal = std::io::stdout();
        self.read(
            |child| child.stdout.take(),
            |line| {
                seen(String::from_utf8_lossy(line).trim_end());
                terminal.write_all(line).and_then(|()| terminal.flush())
            },
        )
    }

    /// Runs it, shows each line of its errors to `seen` alone, and tells whether the program
    /// succeeded.
    pub(crate) fn errors(mut self, mut seen: impl FnMut(&str)) -> Result<bool> {
        self.command.stderr(Stdio::piped());
        self.read(
            |child| child.stderr.take(),
            |line| {
                seen(String::from_utf8_lossy(line).trim_end());
                Ok(())
            },
        )
    }

    fn read<R: Read>(
        mut self,
        stream: impl FnOnce(&mut Child) -> Option<R>,
        mut seen: impl FnMut(&[u8]) -> std::io::Result<()>,
    ) -> Result<bool> {
        let mut child = self.command.spawn().map_err(|error| self.not_started(&error))?;
        if let Some(stream) = stream(&mut child) {
            let mut reader = BufReader::new(stream);
            let mut line = Vec::new();
            let unreadable = |error| format!("the output of `{}` broke off: {error}", self.shown);
            while reader.read_until(b'\n', &mut line).map_err(unreadable)? > 0 {
                seen(&line).map_err(unreadable)?;
                line.clear();
            }
        }
        Ok(child.wait().map_err(|error| self.not_started(&error))?.success())
    }

    fn not_started(&self, error: &std::io::Error) -> String {
        format!("`{}` could not be run: {error}", self.shown)
    }

    fn failed(&self, status: ExitStatus) -> String {
        format!("`{}` failed ({status})", self.shown)
    }
}
