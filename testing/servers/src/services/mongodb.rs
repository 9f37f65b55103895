//! A server of MongoDB's protocol.

use rustix::process::Signal;

use crate::folder::Folder;
use crate::node::Launch;
use crate::port::ports;
use crate::tls::Installed;
use crate::tools;
use crate::{Node, Options, Result, Server, probe};

const SCRIPT: &str = include_str!("mongodb.py");

impl Server {
    /// SecantusDB, which speaks MongoDB's protocol, as `mongodb://`, a replica set of one. It
    /// deletes what a TTL index says within a second. [Arguments](Options::argument) are those of
    /// its Python class, `name=value`: `require_auth=True`. With [`tls`](Options::tls) it takes
    /// nothing but TLS.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub fn mongodb(options: &Options) -> Result<Self> {
        let program = tools::python()?;
        let [port] = ports(&options.ports)?;
        let folder = Folder::create(options.folder.as_deref())?;
        let data = folder.sub("mongodb", None)?;
        let script = folder.file("mongodb.py", SCRIPT.as_bytes(), None)?;
        let mut arguments = vec![
            script.display().to_string(),
            "127.0.0.1".to_owned(),
            port.number().to_string(),
            data.display().to_string(),
            "ttl_sweep_seconds=1".to_owned(),
        ];
        if !options.volatile {
            arguments.push("sync_on_commit=True".to_owned());
        }
        let mut query = "directConnection=true".to_owned();
        let mut probe: probe::Probe = probe::mongodb;
        if let Some(certificates) = &options.certificates {
            let Installed { ca, certificate, key } = certificates.install(&folder, None)?;
            arguments.push(format!("tls_cert_file={certificate:?}"));
            arguments.push(format!("tls_key_file={key:?}"));
            query = format!("{query}&tls=true&tlsCAFile={ca}");
            probe = probe::open;
        }
        arguments.extend(options.arguments.iter().cloned());
        let url = format!("mongodb://127.0.0.1:{}/tenure?{query}", port.number());
        let import = "import secantus; print(secantus.__version__)";
        let version = tools::version(&program, &["-c", import]);
        let launch = Launch { program, arguments, user: None, folder: data, stop: Signal::TERM };
        let node = Node::new("mongodb", port, folder.path(), launch, probe);
        Self::begin("mongodb", version, url, folder, vec![node])
    }
}
