use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A running demo; it ends with the value.
pub(crate) struct Server {
    process: Child,
    pub(crate) url: String,
}

impl Server {
    /// Starts one on a free port, with its files in `folder`.
    pub(crate) fn start(folder: &Path) -> Self {
        Self::start_with(folder, &[])
    }

    pub(crate) fn start_with(folder: &Path, settings: &[(&str, &str)]) -> Self {
        let mut process =
            command(folder, settings).stdout(Stdio::piped()).spawn().expect("it starts");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).expect("it says where it is");
        let url = line.split(' ').find(|word| word.starts_with("http://"));
        let url = url.unwrap_or_else(|| panic!("no URL in {line:?}")).trim_end().to_owned();
        Self { process, url }
    }

    /// Asks it to stop, as a service manager does, and sees that it does so in good order.
    #[cfg(unix)]
    pub(crate) fn stop(mut self) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill runs").success());
        assert!(self.process.wait().expect("it ends").success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail when it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts one that must refuse its settings, and tells what it says.
pub(crate) fn refused(folder: &Path, settings: &[(&str, &str)]) -> String {
    let mut process = command(folder, settings)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    // Both end with the process. One that serves would say so first, and then not end.
    let (mut said, mut complaint) = (String::new(), String::new());
    let stdout = process.stdout.take().expect("it is piped");
    BufReader::new(stdout).read_line(&mut said).expect("it is text");
    if !said.is_empty() {
        process.kill().expect("it runs");
        panic!("it accepted {settings:?}: {said}");
    }
    process.stderr.take().expect("it is piped").read_to_string(&mut complaint).expect("text");
    assert!(!process.wait().expect("it ends").success(), "{settings:?}");
    complaint
}

fn command(folder: &Path, settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenure-demo"));
    command.current_dir(folder).env_remove("TENURE_STORE").env_remove("TENURE_SECRET");
    command.env("PORT", "0").envs(settings.iter().copied());
    command
}
