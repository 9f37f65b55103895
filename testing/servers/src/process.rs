//! Processes by their id, told apart from others that got the same id later.

use std::fs;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::error::failed;
use crate::{Error, Result, wait};

/// How long a process may take to end when it is asked to.
const PATIENCE: Duration = Duration::from_secs(10);

/// A process as one finds it again: by its id and the moment at which it began.
///
/// ```
/// use tenure_test_servers::Process;
///
/// let me = Process::of(std::process::id()).expect("it runs");
/// assert!(me.is_alive());
/// let another = Process { began: me.began + 1, ..me };
/// assert!(!another.is_alive(), "the same id, but begun at another time");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    /// The process id.
    pub id: u32,
    /// When it began, in the kernel's ticks since the machine was started.
    pub began: u64,
}

impl Process {
    /// The process that has this id now.
    #[must_use]
    pub fn of(id: u32) -> Option<Self> {
        Stat::read(id).filter(Stat::runs).map(|stat| Self { id, began: stat.began })
    }

    /// Whether it still runs. A process that has ended and was not waited for does not.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        Self::of(self.id) == Some(*self)
    }

    /// Ends it with the signal and, after 10 seconds, SIGKILL. One that is frozen is woken for that.
    pub(crate) fn stop(&self, signal: Signal) -> Result {
        self.send(signal)?;
        self.send(Signal::CONT)?;
        self.gone(PATIENCE).or_else(|_| self.kill())
    }

    /// Ends it and all processes that it has started with SIGKILL, as a crash of the machine would.
    ///
    /// # Errors
    /// When one of them is still there.
    pub fn kill(&self) -> Result {
        // Frozen first, or it could start others between the look and the kill.
        self.send(Signal::STOP)?;
        let family = self.family();
        family.iter().try_for_each(|process| process.send(Signal::KILL))?;
        family.iter().try_for_each(|process| process.gone(PATIENCE))
    }

    /// Freezes it and all processes that it has started: their connections stay open and say
    /// nothing.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn pause(&self) -> Result {
        self.send(Signal::STOP)?;
        self.family().iter().try_for_each(|process| process.send(Signal::STOP))
    }

    /// Lets what [`pause`](Self::pause) has frozen run on.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn resume(&self) -> Result {
        self.family().iter().rev().try_for_each(|process| process.send(Signal::CONT))
    }

    /// To nobody when it has ended.
    fn send(&self, signal: Signal) -> Result {
        if !self.is_alive() {
            return Ok(());
        }
        let pid = i32::try_from(self.id).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| Error::new(format!("{} is no process id", self.id)))?;
        match kill_process(pid, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(error) => Err(failed(format_args!("process {}", self.id))(error)),
        }
    }

    fn gone(&self, within: Duration) -> Result {
        let what = format!("the end of process {}", self.id);
        wait::until(&what, within, || Ok(!self.is_alive()))
    }

    /// Itself, its children and theirs.
    fn family(&self) -> Vec<Self> {
        let all: Vec<(Self, u32)> = numbers("/proc")
            .filter_map(|id| {
                let stat = Stat::read(id).filter(Stat::runs)?;
                Some((Self { id, began: stat.began }, stat.parent))
            })
            .collect();
        let mut family = vec![*self];
        let mut next = 0;
        while let Some(parent) = family.get(next).map(|process| process.id) {
            family.extend(all.iter().filter(|(_, of)| *of == parent).map(|(child, _)| *child));
            next += 1;
        }
        family
    }
}

fn numbers(folder: &str) -> impl Iterator<Item = u32> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// What `/proc/<pid>/stat` tells, see proc_pid_stat(5).
struct Stat {
    state: u8,
    parent: u32,
    began: u64,
}

impl Stat {
    fn read(id: u32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{id}/stat")).ok()?)
    }

    /// The name stands in parentheses and may hold anything, so the fields begin after the last.
    fn parse(text: &str) -> Option<Self> {
        let mut fields = text.rsplit_once(") ")?.1.split(' ');
        Some(Self {
            state: *fields.next()?.as_bytes().first()?,
            parent: fields.next()?.parse().ok()?,
            began: fields.nth(17)?.parse().ok()?,
        })
    }

    fn runs(&self) -> bool {
        !matches!(self.state, b'Z' | b'X')
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command};

    use super::*;

    /// A shell that waits for a sleep, which is its child.
    fn shell() -> (Child, Process) {
        let child = Command::new("sh").args(["-c", "sleep 60; true"]).spawn().expect("a shell");
        let process = Process::of(child.id()).expect("it runs");
        // Until its child has become that program the shell waits in the kernel, where it cannot be
        // frozen; and a frozen child never does.
        let name = |one: &Process| fs::read_to_string(format!("/proc/{}/comm", one.id));
        let sleeps = |one: &Process| name(one).is_ok_and(|name| name == "sleep\n");
        let begun = || Ok(process.family().iter().any(sleeps));
        wait::until("the sleep", PATIENCE, begun).expect("a sleep");
        (child, process)
    }

    #[test]
    fn fields_are_found_behind_any_name() {
        let text = "7 (a) S (b) R 1 7 7 0 -1 4194304 1 0 0 0 3 4 0 0 20 0 1 0 4242 9000 100";
        let stat = Stat::parse(text).expect("complete");
        assert_eq!((stat.state, stat.parent, stat.began), (b'R', 1, 4242));
        assert!(Stat::parse("7 (a) S 1").is_none());
    }

    #[test]
    fn a_killed_process_takes_its_children_along() {
        let (mut child, process) = shell();
        let family = process.family();
        process.kill().expect("killed");
        child.wait().expect("ended");
        assert!(family.iter().all(|process| !process.is_alive()));
    }

    #[test]
    fn a_paused_process_is_frozen_until_it_is_resumed() {
        let (mut child, process) = shell();
        let state = |process: &Process| Stat::read(process.id).map(|stat| stat.state);
        let frozen = || Ok(process.family().iter().all(|one| state(one) == Some(b'T')));
        process.pause().expect("paused");
        wait::until("all frozen", PATIENCE, frozen).expect("frozen");
        process.resume().expect("resumed");
        wait::until("none frozen", PATIENCE, || frozen().map(|all| !all)).expect("awake");
        process.kill().expect("killed");
        child.wait().expect("ended");
    }

    #[test]
    fn nothing_is_sent_to_another_process_of_the_same_id() {
        let (mut child, process) = shell();
        Process { began: process.began + 1, ..process }.send(Signal::KILL).expect("nobody");
        assert!(process.is_alive());
        process.kill().expect("killed");
        child.wait().expect("ended");
    }
}
