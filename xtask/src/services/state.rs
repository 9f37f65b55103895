//! What was started, written down for the next command.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use tenure_test_servers::{Process, Server};

use super::kinds::Kind;
use crate::Result;

/// The file with all services.
#[derive(Debug)]
pub(super) struct State {
    file: PathBuf,
    folder: Option<PathBuf>,
    entries: Vec<(Kind, Entry)>,
}

/// One service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) version: String,
    pub(super) url: String,
    pub(super) tls_url: Option<String>,
    ports: Vec<u16>,
    /// All that were started, whether they still run or not.
    processes: Vec<Process>,
}

impl State {
    pub(super) fn read(file: PathBuf) -> Result<Self> {
        let value = match fs::read_to_string(&file) {
            Ok(text) => text.parse().map_err(|_| unreadable(&file))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => json!({}),
            Err(error) => return Err(format!("{}: {error}", file.display())),
        };
        Self::parse(file.clone(), &value).ok_or_else(|| unreadable(&file))
    }

    fn parse(file: PathBuf, value: &Value) -> Option<Self> {
        let folder = value["folder"].as_str().map(PathBuf::from);
        let mut entries = Vec::new();
        for kind in Kind::ALL {
            if let Some(entry) = value["services"].get(kind.name()) {
                entries.push((kind, Entry::parse(entry)?));
            }
        }
        Some(Self { file, folder, entries })
    }

    /// Replaces the file in one step.
    pub(super) fn write(&self) -> Result {
        let services: Map<String, Value> =
            self.entries.iter().map(|(kind, entry)| (kind.name().into(), entry.json())).collect();
        let value = json!({ "folder": self.folder, "services": services });
        let new = self.file.with_extension("new");
        fs::write(&new, format!("{value:#}\n"))
            .and_then(|()| fs::rename(&new, &self.file))
            .map_err(|error| format!("{}: {error}", self.file.display()))
    }

    pub(super) fn entry(&self, kind: Kind) -> Option<&Entry> {
        self.entries.iter().find(|(of, _)| *of == kind).map(|(_, entry)| entry)
    }

    pub(super) fn set(&mut self, kind: Kind, entry: Entry) {
        self.entries.retain(|(of, _)| *of != kind);
        self.entries.push((kind, entry));
    }

    /// Where the data is, if anything was ever started.
    pub(super) fn known_folder(&self) -> Option<&Path> {
        self.folder.as_deref().filter(|folder| folder.is_dir())
    }

    /// Where the data goes: beside the tools, unless root's databases, which run as other users,
    /// could not get there. Then it is in the system's temporary folder.
    pub(super) fn folder(&mut self, services: &Path) -> Result<PathBuf> {
        if let Some(folder) = self.known_folder() {
            return Ok(folder.to_path_buf());
        }
        let folder = if is_root() && !is_passable(services) {
            let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
            let name = format!("tenure-services-{}-{}", std::process::id(), since.as_nanos());
            std::env::temp_dir().join(name)
        } else {
            services.join("run")
        };
        fs::create_dir(&folder)
            .and_then(|()| fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)))
            .map_err(|error| format!("{}: {error}", folder.display()))?;
        self.folder = Some(folder.clone());
        // Written before anything is in it: whoever is interrupted leaves nothing unknown.
        self.write()?;
        Ok(folder)
    }

    /// Ends what is left of a service, and gives the folder, now absent, in which it begins anew.
    pub(super) fn make_room(&self, kind: Kind) -> Result<PathBuf> {
        let folder = self.folder.as_ref().ok_or("no folder was chosen")?.join(kind.name());
        if let Some(entry) = self.entry(kind) {
            entry.kill()?;
        }
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(format!("{}: {error}", folder.display()))
            }
            _ => Ok(folder),
        }
    }

    /// Ends all services and deletes their data. Which ports they had stays known.
    pub(super) fn stop(&mut self) -> Result {
        for (_, entry) in &mut self.entries {
            entry.kill()?;
            entry.processes.clear();
        }
        if let Some(folder) = self.folder.take().filter(|folder| folder.is_dir()) {
            fs::remove_dir_all(&folder)
                .map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        self.write()
    }
}

impl Entry {
    pub(super) fn of(server: &Server) -> Self {
        Self {
            version: server.version().to_owned(),
            url: server.url().to_owned(),
            tls_url: server.tls_url().map(str::to_owned),
            ports: server.ports(),
            processes: server.processes(),
        }
    }

    pub(super) fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// Those of its processes that run.
    pub(super) fn alive(&self) -> Vec<Process> {
        self.processes.iter().copied().filter(Process::is_alive).collect()
    }

    /// Whether all of it runs.
    pub(super) fn is_up(&self) -> bool {
        !self.processes.is_empty() && self.alive().len() == self.processes.len()
    }

    fn kill(&self) -> Result {
        let each = |process: &Process| process.kill();
        self.processes.iter().try_for_each(each).map_err(|error| error.to_string())
    }

    fn json(&self) -> Value {
        let processes: Vec<Value> = self
            .processes
            .iter()
            .map(|process| json!({ "pid": process.id, "began": process.began }))
            .collect();
        json!({
            "version": self.version, "url": self.url, "tls_url": self.tls_url,
            "ports": self.ports, "processes": processes,
        })
    }

    fn parse(value: &Value) -> Option<Self> {
        let text = |name: &str| value[name].as_str().map(str::to_owned);
        let ports = value["ports"].as_array()?.iter();
        let processes = value["processes"].as_array()?.iter();
        let process = |value: &Value| {
            let id = value["pid"].as_u64()?.try_into().ok()?;
            Some(Process { id, began: value["began"].as_u64()? })
        };
        Some(Self {
            version: text("version")?,
            url: text("url")?,
            tls_url: text("tls_url"),
            ports: ports.map(|port| port.as_u64()?.try_into().ok()).collect::<Option<_>>()?,
            processes: processes.map(process).collect::<Option<_>>()?,
        })
    }
}

fn unreadable(file: &Path) -> String {
    format!("{} cannot be understood: end what it lists, and delete it", file.display())
}

pub(super) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

/// Whether all users can get into the folder.
fn is_passable(folder: &Path) -> bool {
    let open = |folder: &Path| {
        fs::metadata(folder).is_ok_and(|folder| folder.permissions().mode() & 0o001 != 0)
    };
    folder.ancestors().all(open)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(folder: &Path) -> State {
        State::read(folder.join("state.json")).expect("readable")
    }

    /// A folder that is there as long as this process.
    fn folder(name: &str) -> PathBuf {
        let folder =
            std::env::temp_dir().join(format!("tenure-state-{}-{name}", std::process::id()));
        fs::create_dir(&folder).expect("a folder");
        folder
    }

    fn entry(processes: Vec<Process>) -> Entry {
        let url = "redis://127.0.0.1:1".to_owned();
        let tls_url = Some("rediss://127.0.0.1:2".to_owned());
        Entry { version: "1.2".to_owned(), url, tls_url, ports: vec![1, 2], processes }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let folder = folder("read");
        let mut written = state(&folder);
        assert!(written.entry(Kind::Redis).is_none());
        let entry = entry(vec![Process { id: 7, began: u64::MAX }]);
        written.set(Kind::Redis, entry.clone());
        written.set(Kind::CouchDb, entry.clone());
        written.write().expect("written");
        let read = state(&folder);
        assert_eq!(read.entry(Kind::Redis), Some(&entry));
        assert_eq!(read.entry(Kind::CouchDb), Some(&entry));
        assert_eq!(read.entry(Kind::Valkey), None);
        fs::write(folder.join("state.json"), "{\"services\": {\"redis\": {}}}").expect("spoilt");
        State::read(folder.join("state.json")).expect_err("an entry that lacks everything");
        fs::remove_dir_all(&folder).expect("removed");
    }

    #[test]
    fn a_process_that_is_not_ours_is_left_alone() {
        let me = Process::of(std::process::id()).expect("it runs");
        let another = Process { began: me.began + 1, ..me };
        assert!(entry(vec![me]).is_up());
        assert!(!entry(vec![me, another]).is_up());
        assert!(!entry(Vec::new()).is_up());
        entry(vec![another]).kill().expect("nobody is killed");
    }

    #[test]
    fn stopping_ends_processes_and_deletes_their_data() {
        let folder = folder("stop");
        let mut child =
            std::process::Command::new("sleep").arg("60").spawn().expect("something that runs");
        let mut state = state(&folder);
        let data = state.folder(&folder).expect("a folder");
        state.set(Kind::Redis, entry(vec![Process::of(child.id()).expect("it runs")]));
        state.stop().expect("stopped");
        child.wait().expect("ended");
        assert!(!data.exists());
        assert_eq!(state.entry(Kind::Redis).map(Entry::ports), Some(&[1, 2][..]));
        assert!(state.entry(Kind::Redis).is_some_and(|entry| entry.alive().is_empty()));
        fs::remove_dir_all(&folder).expect("removed");
    }

    #[test]
    fn folders_of_one_user_alone_are_not_passable() {
        let folder = folder("passable");
        let inner = folder.join("inner");
        fs::create_dir(&inner).expect("a folder");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).expect("closed");
        assert!(!is_passable(&inner));
        fs::remove_dir_all(&folder).expect("removed");
    }
}
