//! One process of a server.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::Signal;

use crate::error::failed;
use crate::guard::Guard;
use crate::port::Port;
use crate::probe::Probe;
use crate::tools::User;
use crate::{Error, Process, Result, wait};

/// How long a process may take until it answers, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many lines of a log tell why a process ended.
const LAST_WORDS: usize = 20;

/// What was started, and how it is started again.
pub(crate) struct Launch {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    /// Whom it runs as, if not as we do.
    pub(crate) user: Option<User>,
    /// Where it runs.
    pub(crate) folder: PathBuf,
    /// What ends it in order.
    pub(crate) stop: Signal,
}

impl Launch {
    /// The command, with an environment that is the same everywhere.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).current_dir(&self.folder).stdin(Stdio::null()).env_clear();
        command.envs([("LC_ALL", "C.UTF-8"), ("PATH", "/usr/local/bin:/usr/bin:/bin")]);
        // MariaDB removes what it takes for its own of former runs, another's of now, too.
        command.env("HOME", &self.folder).env("TMPDIR", &self.folder);
        if let Some(user) = &self.user {
            command.uid(user.uid).gid(user.gid);
        }
        command
    }

    /// Runs it to its end; what it prints is in the error.
    pub(crate) fn run(&self) -> Result {
        self.run_with("")
    }

    /// The same with something to read.
    pub(crate) fn run_with(&self, input: &str) -> Result {
        let mut command = self.command();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let output = command.spawn().and_then(|mut child| {
            if let Some(mut stdin) = child.stdin.take() {
                // One that ends without reading says why itself.
                let _ = stdin.write_all(input.as_bytes());
            }
            child.wait_with_output()
        });
        let output = output.map_err(failed(self.program.display()))?;
        if output.status.success() {
            return Ok(());
        }
        let printed = [output.stdout, output.stderr].concat();
        let printed = String::from_utf8_lossy(&printed);
        Err(Error::new(format!("{} ({}): {printed}", self.program.display(), output.status)))
    }
}

/// One process of a [`Server`](crate::Server), which has one or several. It keeps its port and its
/// data when it is killed and started again.
pub struct Node {
    name: String,
    port: Port,
    /// A second one, which must stay reserved, too.
    more: Option<Port>,
    launch: Launch,
    probe: Probe,
    log: PathBuf,
    child: Mutex<Option<Child>>,
}

impl Node {
    pub(crate) fn new(name: &str, port: Port, folder: &Path, launch: Launch, probe: Probe) -> Self {
        let log = folder.join(format!("{name}.log"));
        let child = Mutex::default();
        Self { name: name.to_owned(), port, more: None, launch, probe, log, child }
    }

    pub(crate) fn with_port(mut self, port: Port) -> Self {
        self.more = Some(port);
        self
    }

    /// What it is within its server: `server` or the like.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The port at 127.0.0.1 on which it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    pub(crate) fn ports(&self) -> impl Iterator<Item = u16> {
        [Some(&self.port), self.more.as_ref()].into_iter().flatten().map(Port::number)
    }

    /// What it printed, all starts in one file.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Its process, while that runs.
    #[must_use]
    pub fn process(&self) -> Option<Process> {
        self.child().as_mut().and_then(process_of)
    }

    /// Kills it with all its children, by SIGKILL. Nothing happens if it does not run.
    ///
    /// # Errors
    /// When it is still there.
    pub fn kill(&self) -> Result {
        self.end(Process::kill)
    }

    /// Stops it in order. Nothing happens if it does not run.
    ///
    /// # Errors
    /// When it is still there.
    pub fn stop(&self) -> Result {
        self.end(|process| process.stop(self.launch.stop))
    }

    /// Freezes it by SIGSTOP: connections stay open, and nothing is answered.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn pause(&self) -> Result {
        self.process().map_or(Ok(()), |process| process.pause())
    }

    /// Ends a [`pause`](Self::pause).
    ///
    /// # Errors
    /// When the system refuses.
    pub fn resume(&self) -> Result {
        self.process().map_or(Ok(()), |process| process.resume())
    }

    /// Starts it unless it runs, without waiting until it answers.
    pub(crate) fn spawn(&self, guard: Option<&Guard>) -> Result {
        let mut slot = self.child();
        if slot.as_mut().is_some_and(runs) {
            return Ok(());
        }
        let child = self.output().and_then(|log| {
            let mut command = self.launch.command();
            // What the terminal sends to a test must not end it: its guard does.
            command.stdout(log.try_clone()?).stderr(log).process_group(0).spawn()
        });
        let child = slot.insert(child.map_err(|error| self.failed(&error))?);
        match Process::of(child.id()) {
            Some(process) => guard.map_or(Ok(()), |guard| guard.add(process)),
            None => Ok(()),
        }
    }

    /// Waits until it answers; fails at once when it ends instead.
    pub(crate) fn ready(&self) -> Result {
        wait::until(&format!("{} to answer", self.name), PATIENCE, || {
            if self.ended() {
                return Err(self.failed(&"it ended"));
            }
            Ok((self.probe)(self.port()))
        })
        .map_err(|error| error.context(&format!("see {}", self.log.display())))
    }

    fn end(&self, how: impl FnOnce(&Process) -> Result) -> Result {
        let mut slot = self.child();
        let Some(child) = slot.as_mut() else { return Ok(()) };
        if let Some(process) = process_of(child) {
            how(&process)?;
        }
        child.wait().map_err(failed(&self.name))?;
        *slot = None;
        Ok(())
    }

    fn ended(&self) -> bool {
        !self.child().as_mut().is_some_and(runs)
    }

    fn output(&self) -> io::Result<File> {
        File::options().create(true).append(true).open(&self.log)
    }

    /// How it ended, with its last words, if nobody here ended it.
    pub(crate) fn lost(&self) -> Option<String> {
        let status = self.child().as_mut()?.try_wait().ok().flatten()?;
        Some(format!("{} ended by itself ({status}):\n{}", self.name, self.last_words()))
    }

    /// With its last words, where programs say why they did not start.
    fn failed(&self, error: &dyn std::fmt::Display) -> Error {
        let program = self.launch.program.display();
        Error::new(format!("{program} could not be started: {error}\n{}", self.last_words()))
    }

    /// The end of the log.
    fn last_words(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let mut lines: Vec<&str> = log.lines().rev().take(LAST_WORDS).collect();
        lines.reverse();
        lines.join("\n")
    }

    fn child(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn runs(child: &mut Child) -> bool {
    matches!(child.try_wait(), Ok(None))
}

/// The process of a child that runs. The id of one that has ended may be another's by now.
fn process_of(child: &mut Child) -> Option<Process> {
    if runs(child) { Process::of(child.id()) } else { None }
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, port, .. } = self;
        f.debug_struct("Node").field("name", name).field("port", port).finish_non_exhaustive()
    }
}
