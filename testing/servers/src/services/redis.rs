//! Redis and Valkey, alone.

use std::path::{Path, PathBuf};

use rustix::process::Signal;

use crate::folder::Folder;
use crate::node::Launch;
use crate::port::{Port, ports};
use crate::tls::Installed;
use crate::tools::{self, Debian};
use crate::{Node, Options, Result, Server, probe};

impl Server {
    /// One Redis, as `redis://`. With [`tls`](Options::tls) it listens on a second port, too, which
    /// is [`tls_url`](Self::tls_url).
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub fn redis(options: &Options) -> Result<Self> {
        let program = tools::find("redis-server", Debian::Redis)?;
        let [port, tls_port] = ports(&options.ports)?;
        let folder = Folder::create(options.folder.as_deref())?;
        let number = tls_port.number();
        let tls = match &options.certificates {
            Some(certificates) => tls_lines(number, &certificates.install(&folder, None)?),
            None => String::new(),
        };
        let url = format!("redis://127.0.0.1:{}", port.number());
        let tls_url = options.certificates.as_ref();
        let tls_url = tls_url.map(|_| format!("rediss://127.0.0.1:{number}"));
        let version = tools::version(&program, &["--version"]);
        let node = node(&program, "redis", port, &folder, options, &tls)?.with_port(tls_port);
        Ok(Self::begin("redis", version, url, folder, vec![node])?.with_tls_url(tls_url))
    }

    /// One Valkey, as `redis://`, without TLS.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub fn valkey(options: &Options) -> Result<Self> {
        let program = tools::valkey()?;
        let [port] = ports(&options.ports)?;
        let folder = Folder::create(options.folder.as_deref())?;
        let url = format!("redis://127.0.0.1:{}", port.number());
        let version = tools::version(&program, &["--version"]);
        let node = node(&program, "valkey", port, &folder, options, "")?;
        Self::begin("valkey", version, url, folder, vec![node])
    }
}

/// A process with settings of its own, which it may rewrite.
pub(super) fn node(
    program: &Path,
    name: &str,
    port: Port,
    folder: &Folder,
    options: &Options,
    more: &str,
) -> Result<Node> {
    let data = folder.sub(name, None)?;
    let durability = if options.volatile {
        "save \"\"\nappendonly no\n"
    } else {
        "save \"\"\nappendonly yes\nappendfsync always\n"
    };
    let settings = format!(
        "port {}\nbind 127.0.0.1\ndir \"{}\"\nenable-debug-command local\n{durability}{more}",
        port.number(),
        data.display()
    );
    let file = folder.file(&format!("{name}.conf"), settings.as_bytes(), None)?;
    let arguments = options.arguments.clone();
    Ok(Node::new(name, port, folder.path(), launch(program, &file, arguments, data), probe::redis))
}

/// `redis-server` with a file of settings.
pub(super) fn launch(
    program: &Path,
    settings: &Path,
    mut arguments: Vec<String>,
    folder: PathBuf,
) -> Launch {
    arguments.insert(0, settings.display().to_string());
    let program = program.to_path_buf();
    Launch { program, arguments, user: None, folder, stop: Signal::TERM }
}

fn tls_lines(port: u16, installed: &Installed) -> String {
    let Installed { ca, certificate, key } = installed;
    format!(
        "tls-port {port}\ntls-ca-cert-file \"{ca}\"\ntls-cert-file \"{certificate}\"\n\
         tls-key-file \"{key}\"\ntls-auth-clients no\n"
    )
}
