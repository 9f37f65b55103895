//! Replicas of Redis, which have what they have later than their master.

use std::time::Duration;

use crate::server::Server;
use crate::{Error, Node, Result, redis_command, wait};

/// A replica that is sent its first copy straight from memory says that its link is up up to a
/// second before it gets what was written after that copy: its master waits for the next of the
/// replica's reports, one each second, if the first was too early. With a file it follows at once.
pub(super) const FROM_A_FILE: &str = "repl-diskless-sync no\nrdb-del-sync-files yes\n";

/// Replicas report once a second how far they are.
const PATIENCE: Duration = Duration::from_secs(10);

impl Server {
    /// Waits until the replicas of Redis have all that their masters have taken so far, which is
    /// acknowledged before, and lost if its master dies before.
    ///
    /// # Errors
    /// When a master has no replica, or one that stays behind.
    pub fn replicated(&self) -> Result {
        let mut masters = 0;
        for node in self.nodes() {
            let info = replication(node)?;
            if info.contains("role:master") {
                masters += 1;
                let taken = offset(&info, "master_repl_offset:")?;
                let what = format!("the replicas of {} to have all", node.name());
                wait::until(&what, PATIENCE, || have(&replication(node)?, taken))?;
            }
        }
        if masters == 0 { Err(Error::new("no master of Redis runs here")) } else { Ok(()) }
    }
}

/// Whether the replicas that a master lists are this far, and there is one: each has a line
/// `slave0:ip=…,port=…,state=online,offset=42,lag=0`.
fn have(master: &str, taken: u64) -> Result<bool> {
    let replicas = master.lines().filter(|line| line.contains(",offset="));
    let offsets: Vec<u64> = replicas.map(|line| offset(line, ",offset=")).collect::<Result<_>>()?;
    Ok(offsets.iter().min().is_some_and(|least| *least >= taken))
}

/// What a node says about its part in replication.
pub(super) fn replication(node: &Node) -> Result<String> {
    Ok(redis_command(node.port(), &["INFO", "replication"])?.text().to_owned())
}

fn offset(text: &str, before: &str) -> Result<u64> {
    let rest = text.split_once(before).map_or("", |(_, rest)| rest);
    let digits = rest.split(|end: char| !end.is_ascii_digit()).next().unwrap_or_default();
    digits.parse().map_err(|_| Error::new(format!("no {before} in {text}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_replica_counts() {
        let info = |offsets: [u64; 2]| {
            let [first, second] = offsets;
            format!(
                "role:master\r\nslave0:ip=::1,port=7,state=online,offset={first},lag=0\r\n\
                 slave1:ip=::1,port=8,state=online,offset={second},lag=1\r\n\
                 master_repl_offset:42\r\n"
            )
        };
        assert_eq!(offset(&info([42, 41]), "master_repl_offset:").expect("it is there"), 42);
        assert!(have(&info([42, 42]), 42).expect("numbers"));
        assert!(!have(&info([42, 41]), 42).expect("numbers"));
        assert!(!have("role:master\r\nmaster_repl_offset:0\r\n", 0).expect("none"), "no replica");
        assert!(offset("role:master", "master_repl_offset:").is_err());
    }
}
