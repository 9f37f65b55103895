//! Ends servers whose owner was killed before it could.

use std::fs::File;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::error::failed;
use crate::{Process, Result};

/// Waits until its input ends, which it does with the owner, whatever ended that. Field 22 of the
/// file in `/proc`, here the 20th after the name, is when the process began. The folder is gone at
/// once, for whoever starts the same again, but what was killed may still write into it.
const SCRIPT: &str = r#"
read -r word
[ "$word" = leave ] && exit
while read -r pid began; do
    read -r stat <"/proc/$pid/stat" || continue
    set -- ${stat##*) }
    [ "${20}" = "$began" ] && kill -KILL "$pid"
done <"$0/processes"
mv "$0" "$0.gone"
sleep 1
rm -rf "$0.gone"
"#;

/// Dropped it does nothing more: its server must have been stopped by then.
#[derive(Debug)]
pub(crate) struct Guard {
    list: PathBuf,
    watcher: Child,
    input: Option<ChildStdin>,
}

impl Guard {
    pub(crate) fn watch(folder: &Path) -> Result<Self> {
        let mut watcher = Command::new("sh")
            .arg("-c")
            .arg(SCRIPT)
            .arg(folder)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // What the terminal sends to the owner must not end it.
            .process_group(0)
            .spawn()
            .map_err(failed("sh"))?;
        let input = watcher.stdin.take();
        Ok(Self { list: folder.join("processes"), watcher, input })
    }

    /// Adds a process to those that must not survive.
    pub(crate) fn add(&self, process: Process) -> Result {
        File::options()
            .create(true)
            .append(true)
            .open(&self.list)
            .and_then(|mut file| writeln!(file, "{} {}", process.id, process.began))
            .map_err(failed(self.list.display()))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(mut input) = self.input.take() {
            let _ = input.write_all(b"leave\n");
        }
        let _ = self.watcher.wait();
    }
}
