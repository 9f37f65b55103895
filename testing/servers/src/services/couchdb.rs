//! A server of CouchDB's protocol.

use std::fs;

use rustix::process::Signal;

use crate::folder::Folder;
use crate::node::Launch;
use crate::port::ports;
use crate::tools::{self, Debian};
use crate::{Node, Options, Result, Server, probe};

/// The administrator, whose name and password are in the URL; and no copy of the log on standard
/// output, which the flag of that name does not prevent.
const SETTINGS: &str = r#"{
  "admins": {"tenure": "tenure"},
  "pouchdb_server": {"no-stdout-logs": true}
}"#;

/// What makes it answer where it would end.
const MENDED: &str = include_str!("couchdb.js");

/// It was made for a Node that goes on after a rejected promise that nobody handles.
const LENIENT: &str = "--unhandled-rejections=warn";

impl Server {
    /// PouchDB Server, which speaks CouchDB's protocol, as `couchdb://`, by plain HTTP. It differs
    /// from CouchDB: who gives no password may read and write, and waits in vain for a database to
    /// be made.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub fn couchdb(options: &Options) -> Result<Self> {
        let program = tools::find("node", Debian::Node)?;
        let script = tools::pouchdb()?;
        let [port] = ports(&options.ports)?;
        let folder = Folder::create(options.folder.as_deref())?;
        let data = folder.sub("couchdb", None)?;
        let settings = folder.file("couchdb.json", SETTINGS.as_bytes(), None)?;
        let manifest = script.parent().and_then(|bin| bin.parent()).unwrap_or(&script);
        let manifest = fs::read_to_string(manifest.join("package.json")).unwrap_or_default();
        let version = tools::version_in_manifest(&manifest);
        let mended = folder.file("couchdb.js", MENDED.as_bytes(), None)?;
        let mended = format!("--require={}", mended.display());
        let mut arguments = vec![LENIENT.to_owned(), mended, script.display().to_string()];
        let number = port.number().to_string();
        let settings = settings.display().to_string();
        let fixed = ["--host", "127.0.0.1", "--port", &number, "--config", &settings];
        arguments.extend(fixed.map(str::to_owned));
        if options.volatile {
            arguments.push("--in-memory".to_owned());
        } else {
            arguments.extend(["--dir".to_owned(), data.display().to_string()]);
        }
        arguments.extend(options.arguments.iter().cloned());
        let url = format!("couchdb://tenure:tenure@127.0.0.1:{number}/tenure");
        let launch = Launch { program, arguments, user: None, folder: data, stop: Signal::TERM };
        let node = Node::new("couchdb", port, folder.path(), launch, probe::http);
        Self::begin("couchdb", version, url, folder, vec![node])
    }
}
