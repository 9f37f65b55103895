//! The servers that tests need, shared by all of them: installed, started, listed, stopped.

mod install;
mod kinds;
mod state;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Instant;

use tenure_test_servers::{Certificates, Server, TOOLS_VARIABLE};

use self::kinds::{GROUPS, Kind};
use self::state::{Entry, State};
use crate::Result;
use crate::workspace::Workspace;

pub(crate) fn run(arguments: &[&str]) -> Result {
    let place = Place::of(&Workspace::load()?)?;
    match arguments {
        ["up", names @ ..] => up(&place, &Kind::named(names)?),
        ["down"] => down(&place),
        ["status"] => status(&place),
        ["env"] => environment(&place),
        _ => Err("one of `up`, `down`, `status` and `env` is expected".into()),
    }
}

/// Where everything about the services of one target folder is.
struct Place {
    services: PathBuf,
}

impl Place {
    fn of(workspace: &Workspace) -> Result<Self> {
        let services = workspace.target.join("services");
        std::fs::create_dir_all(&services)
            .map_err(|error| format!("{}: {error}", services.display()))?;
        Ok(Self { services })
    }

    fn tools(&self) -> PathBuf {
        self.services.join("tools")
    }

    fn state(&self) -> Result<State> {
        State::read(self.services.join("state.json"))
    }

    /// Others wait until it is dropped: two that start the same would both be wrong.
    fn lock(&self) -> Result<File> {
        let path = self.services.join("lock");
        let lock = File::options().create(true).append(true).open(&path);
        lock.and_then(|file| file.lock().map(|()| file))
            .map_err(|error| format!("{}: {error}", path.display()))
    }
}

fn up(place: &Place, wanted: &[Kind]) -> Result {
    let began = Instant::now();
    let (started, problems) = start(place, wanted)?;
    let count = started.len();
    for server in started {
        let _processes = server.keep();
    }
    println!("{count} started, {:.1} s", began.elapsed().as_secs_f64());
    if !problems.is_empty() {
        return Err(format!("not all services are up:{}", problems.concat()));
    }
    println!("for tests run by hand: eval \"$(cargo xtask services env)\"");
    Ok(())
}

/// Installs and starts what is missing of the services that are wanted and of their groups, and
/// tells which could not be had. What is returned ends when it is dropped.
fn start(place: &Place, wanted: &[Kind]) -> Result<(Vec<Server>, Vec<String>)> {
    let _lock = place.lock()?;
    let mut state = place.state()?;
    let is_wanted = |group: &&&[Kind]| group.iter().any(|kind| wanted.contains(kind));
    let groups: Vec<&[Kind]> = GROUPS.iter().filter(is_wanted).copied().collect();
    let is_up = |kind: &Kind| state.entry(*kind).is_some_and(Entry::is_up);
    if groups.iter().copied().flatten().all(is_up) {
        return Ok((Vec::new(), Vec::new()));
    }
    let mut problems = install::missing(&place.tools());
    let folder = state.folder(&place.services)?;
    let certificates = certificates(&folder)?;
    let outcomes = std::thread::scope(|scope| {
        let start = |group: &[Kind]| kinds::start(group, &state, &certificates);
        let threads: Vec<_> =
            groups.iter().map(|&group| scope.spawn(move || start(group))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect::<Vec<_>>()
    });
    let mut started = Vec::new();
    for (kind, outcome) in outcomes {
        match outcome {
            Ok(server) => {
                println!("{}: {}", kind.name(), server.url());
                state.set(kind, Entry::of(&server));
                started.push(server);
            }
            Err(error) => problems.push(format!("\n  {}: {error}", kind.name())),
        }
    }
    state.write()?;
    Ok((started, problems))
}

fn certificates(folder: &Path) -> Result<Certificates> {
    let folder = folder.join("tls");
    if let Some(certificates) = Certificates::open(&folder) {
        return Ok(certificates);
    }
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Certificates::generate(&folder).map_err(|error| error.to_string())
}

fn down(place: &Place) -> Result {
    let _lock = place.lock()?;
    let mut state = place.state()?;
    let up = |kind: &&Kind| state.entry(**kind).is_some_and(|entry| !entry.alive().is_empty());
    let count = Kind::ALL.iter().filter(up).count();
    state.stop()?;
    println!("{count} stopped");
    Ok(())
}

fn status(place: &Place) -> Result {
    let state = place.state()?;
    println!("{:<15} {:<9} {:<7} {:<36} url", "service", "version", "state", "pid");
    for kind in Kind::ALL {
        let (name, entry) = (kind.name(), state.entry(kind));
        let Some(entry) = entry.filter(|entry| !entry.alive().is_empty()) else {
            println!("{name:<15} {:<9} {:<7} {:<36} -", "-", "down", "-");
            continue;
        };
        let alive: Vec<String> =
            entry.alive().iter().map(|process| process.id.to_string()).collect();
        let now = if entry.is_up() { "up" } else { "partly" };
        let (version, url, ids) = (&entry.version, &entry.url, alive.join(","));
        println!("{name:<15} {version:<9} {now:<7} {ids:<36} {url}");
    }
    Ok(())
}

fn environment(place: &Place) -> Result {
    for (name, value) in variables(place, &place.state()?) {
        println!("export {name}='{}'", value.replace('\'', r"'\''"));
    }
    Ok(())
}

/// What tells the tests where the services are.
fn variables(place: &Place, state: &State) -> Vec<(String, String)> {
    let tools = place.tools().display().to_string();
    let mut variables = vec![(TOOLS_VARIABLE.to_owned(), tools)];
    let certificates = state.known_folder().map(|folder| folder.join("tls"));
    if let Some(certificates) = certificates.as_deref().and_then(Certificates::open) {
        let file = certificates.ca_file().display().to_string();
        variables.push(("TENURE_TEST_CA_FILE".to_owned(), file));
    }
    for kind in Kind::ALL {
        let Some(entry) = state.entry(kind).filter(|entry| entry.is_up()) else { continue };
        let name = kind.name().to_uppercase().replace('-', "_");
        variables.push((format!("TENURE_TEST_{name}_URL"), entry.url.clone()));
        if let Some(url) = &entry.tls_url {
            variables.push((format!("TENURE_TEST_{name}_TLS_URL"), url.clone()));
        }
    }
    variables
}

/// The services for one run of the tests. Those that were not up before end when it is dropped, and
/// when this process is ended, too.
pub(crate) struct Running {
    /// What tells the tests where they are.
    pub(crate) variables: Vec<(String, String)>,
    started: Vec<Server>,
}

/// Installs the programs of the servers, and gives what tells tests that start servers of their own
/// where they are. What cannot be had is named.
pub(crate) fn tools(workspace: &Workspace) -> Result<Option<(String, String)>> {
    // Somebody else has installed them.
    if std::env::var_os(TOOLS_VARIABLE).is_some() {
        return Ok(None);
    }
    let place = Place::of(workspace)?;
    let _lock = place.lock()?;
    let problems = install::missing(&place.tools());
    if !problems.is_empty() {
        println!("tests will be missing their servers:{}", problems.concat());
    }
    Ok(Some((TOOLS_VARIABLE.to_owned(), place.tools().display().to_string())))
}

impl Running {
    /// Starts what is not up. What cannot be had is named, and missing from the variables.
    pub(crate) fn start(workspace: &Workspace) -> Result<Self> {
        Self::of(workspace, &Kind::ALL)
    }

    /// As [`start`](Self::start), for the services of these names alone.
    pub(crate) fn start_some(workspace: &Workspace, names: &[&str]) -> Result<Self> {
        let wanted = if names.is_empty() { Vec::new() } else { Kind::named(names)? };
        Self::of(workspace, &wanted)
    }

    /// The servers that ended meanwhile, with their last words.
    pub(crate) fn lost(&self) -> Vec<String> {
        self.started.iter().flat_map(Server::lost).collect()
    }

    fn of(workspace: &Workspace, wanted: &[Kind]) -> Result<Self> {
        let place = Place::of(workspace)?;
        let (started, problems) = start(&place, wanted)?;
        if !problems.is_empty() {
            println!("tests will be missing their servers:{}", problems.concat());
        }
        println!("{} started; those that were up stay up", started.len());
        Ok(Self { variables: variables(&place, &place.state()?), started })
    }
}
