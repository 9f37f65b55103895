//! Ports that nobody else takes.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use crate::error::failed;
use crate::{Error, Result, wait};

/// Below the range from which the system takes the ports of clients: one that keeps connecting to
/// a dead server's port in that range would in the end be connected to itself.
const FIRST: u32 = 20_000;
const COUNT: u32 = 12_000;
/// How long a port may take to be free.
const PATIENCE: Duration = Duration::from_secs(10);

/// Reserved as long as it lives, also against other processes that ask here, and also while its
/// server is down.
#[derive(Debug)]
pub(crate) struct Port {
    number: u16,
    _lock: File,
}

impl Port {
    pub(crate) fn number(&self) -> u16 {
        self.number
    }

    /// Any that is free.
    fn any() -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let nanos = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |time| time.subsec_nanos());
        let begin = nanos.wrapping_add(std::process::id().wrapping_mul(7919));
        for _ in 0..COUNT {
            let offset = begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT;
            let number = u16::try_from(FIRST + offset).map_err(failed("a port"))?;
            if let Some(port) = Self::reserve(number)? {
                return Ok(port);
            }
        }
        Err(Error::new("no port is free"))
    }

    fn reserve(number: u16) -> Result<Option<Self>> {
        let uid = rustix::process::getuid().as_raw();
        let folder = std::env::temp_dir().join(format!("tenure-ports-{uid}"));
        let file = folder.join(number.to_string());
        let lock = fs::create_dir_all(&folder)
            .and_then(|()| File::options().create(true).append(true).open(&file))
            .map_err(failed(format_args!("{} cannot be written", file.display())))?;
        let free =
            lock.try_lock().is_ok() && TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok();
        Ok(free.then_some(Self { number, _lock: lock }))
    }
}

/// So many ports, the wanted ones first.
pub(crate) fn ports<const N: usize>(wanted: &[u16]) -> Result<[Port; N]> {
    let mut ports = Vec::with_capacity(N);
    for number in wanted.iter().take(N) {
        ports.extend(Port::reserve(*number)?);
    }
    while ports.len() < N {
        ports.push(Port::any()?);
    }
    ports.try_into().map_err(|_| Error::new("no port is free"))
}

/// Waits until all of these are free. A process that is just being started holds whatever its parent
/// had open, for a moment.
pub(crate) fn free(ports: &[u16]) -> Result {
    wait::until("ports to be free", PATIENCE, || {
        ports.iter().try_fold(true, |free, port| Ok(free && Port::reserve(*port)?.is_some()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_differ_and_are_free() {
        let ports = ports::<8>(&[]).expect("free ports");
        let mut numbers: Vec<u16> = ports.iter().map(Port::number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 8);
        for number in numbers {
            TcpListener::bind((Ipv4Addr::LOCALHOST, number)).expect("free");
        }
    }

    #[test]
    fn a_wanted_port_is_had_unless_it_is_taken() {
        let [first] = ports::<1>(&[]).expect("a free port");
        let [other] = ports::<1>(&[first.number()]).expect("a free port");
        assert_ne!(other.number(), first.number(), "still reserved");
        let number = first.number();
        drop(first);
        let [again] = ports::<1>(&[number]).expect("a free port");
        assert_eq!(again.number(), number);
    }
}
