//! A comparison server, and the processor time that it has taken.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Result;

const PATIENCE: Duration = Duration::from_secs(30);

/// With the memory store; it ends with the value.
pub(super) struct Server {
    process: Child,
    pub(super) address: SocketAddr,
}

impl Server {
    pub(super) fn start(program: &Path) -> Result<Self> {
        let failed = |error| format!("{}: {error}", program.display());
        let address = free_address().map_err(failed)?;
        let process = on_one_processor(program)
            .env("PORT", address.port().to_string())
            .env("STORE", "memory")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let server = Self { process, address };
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            if began.elapsed() > PATIENCE {
                return Err(format!("{} does not answer", program.display()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// What all of its threads have taken, of the user's and of the system's time.
    pub(super) fn cpu(&self) -> Result<Duration> {
        let tasks = format!("/proc/{}/task", self.process.id());
        let unreadable = |error| format!("{tasks}: {error}; this command needs Linux");
        let mut nanos = 0;
        for task in fs::read_dir(&tasks).map_err(unreadable)? {
            let path = task.map_err(unreadable)?.path().join("schedstat");
            nanos += ran(&fs::read_to_string(path).map_err(unreadable)?)
                .ok_or_else(|| format!("{tasks}: the kernel keeps no times of threads"))?;
        }
        Ok(Duration::from_nanos(nanos))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail when it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The time on a processor is the first of three numbers, in nanoseconds.
fn ran(schedstat: &str) -> Option<u64> {
    schedstat.split(' ').next()?.parse().ok()
}

/// Where `taskset` is: threads that move between processors cost now more and now less.
fn on_one_processor(program: &Path) -> Command {
    let has_taskset = Command::new("taskset")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !has_taskset.is_ok_and(|status| status.success()) {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", "0"]).arg(program);
    command
}

fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_on_a_processor_comes_first() {
        assert_eq!(ran("175671 930914 10\n"), Some(175_671));
        assert_eq!(ran(""), None);
    }
}
