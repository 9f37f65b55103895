//! PostgreSQL.

use rustix::process::Signal;

use crate::folder::Folder;
use crate::node::Launch;
use crate::port::ports;
use crate::tls::Installed;
use crate::tools::{self, User};
use crate::{Node, Options, Result, Server, probe};

/// The password `tenure` as the server keeps it, hashed once: the usual 4,096 times for each
/// connection are most of what tests without optimization would do.
pub(super) const SCRAM_SECRET: &str = "SCRAM-SHA-256$1:dGVudXJlLXRlc3Qtc2FsdA==\
    $uH5K3jSE7gBuq/jlhp4dWLhK/NKnMFbbRLmZisJ9G2s=:3BhlGVwO9611NETRp/S5zaSclqCmjRsncXeeeK2Wl2w=";

impl Server {
    /// One PostgreSQL, as `postgres://`. Its user may do everything. [Arguments](Options::argument)
    /// are those of `postgres`: `-c`, `name=value`.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub fn postgres(options: &Options) -> Result<Self> {
        let programs = tools::postgres_programs()?;
        let program = programs.join("postgres");
        let user = User::instead_of_root("postgres")?;
        let [port] = ports(&options.ports)?;
        let folder = Folder::create(options.folder.as_deref())?;
        let home = folder.sub("postgres", user.as_ref())?;
        let data = home.join("data").display().to_string();
        let password = folder.file("password", SCRAM_SECRET.as_bytes(), user.as_ref())?;
        let own = |program, arguments: &[&str]| Launch {
            program,
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            user,
            folder: home.clone(),
            // Fast shutdown: SIGTERM would wait for the clients.
            stop: Signal::INT,
        };
        let password = format!("--pwfile={}", password.display());
        let fixed = ["--username=tenure", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"];
        let init = [&fixed[..], &["--no-sync", "-D", &data, &password]].concat();
        own(programs.join("initdb"), &init).run()?;
        own(program.clone(), &["--single", "-F", "-D", &data, "postgres"])
            .run_with("CREATE DATABASE tenure\n")?;
        let mut launch = own(program.clone(), &["-D", &data]);
        for setting in settings(options, port.number(), &folder, user.as_ref())? {
            launch.arguments.extend(["-c".to_owned(), setting]);
        }
        launch.arguments.extend(options.arguments.iter().cloned());
        let url = format!("postgres://tenure:tenure@127.0.0.1:{}/tenure", port.number());
        let version = tools::version(&program, &["--version"]);
        let node = Node::new("postgres", port, folder.path(), launch, probe::postgres);
        Self::begin("postgres", version, url, folder, vec![node])
    }
}

fn settings(
    options: &Options,
    port: u16,
    folder: &Folder,
    user: Option<&User>,
) -> Result<Vec<String>> {
    let mut settings = vec![
        "listen_addresses=127.0.0.1".to_owned(),
        format!("port={port}"),
        // A path for a socket has little room, and nobody needs it.
        "unix_socket_directories=".to_owned(),
        "max_connections=200".to_owned(),
        "shared_buffers=64MB".to_owned(),
    ];
    let durable = if options.volatile { "off" } else { "on" };
    for name in ["fsync", "synchronous_commit", "full_page_writes"] {
        settings.push(format!("{name}={durable}"));
    }
    if let Some(certificates) = &options.certificates {
        let Installed { ca: _, certificate, key } = certificates.install(folder, user)?;
        settings.push("ssl=on".to_owned());
        settings.push(format!("ssl_cert_file={certificate}"));
        settings.push(format!("ssl_key_file={key}"));
    }
    Ok(settings)
}
