//! PgBouncer, before a PostgreSQL.

use rustix::process::Signal;

use super::postgres::SCRAM_SECRET;
use crate::folder::Folder;
use crate::node::Launch;
use crate::port::ports;
use crate::tls::Installed;
use crate::tools::{self, Debian, User};
use crate::{Node, Options, Result, Server, probe};

impl Server {
    /// A PgBouncer in transaction mode before the database `tenure` of a PostgreSQL at this port,
    /// as `postgres://`. What one transaction leaves in its connection, the next may not find.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub fn pgbouncer(postgres: u16, options: &Options) -> Result<Self> {
        let program = tools::find("pgbouncer", Debian::PgBouncer)?;
        let user = User::instead_of_root("postgres")?;
        let [port] = ports(&options.ports)?;
        let folder = Folder::create(options.folder.as_deref())?;
        let home = folder.sub("pgbouncer", user.as_ref())?;
        // The same secret as the server's: with it a client's proof opens the server, too.
        let users = format!("\"tenure\" \"{SCRAM_SECRET}\"\n");
        let users = folder.file("users", users.as_bytes(), user.as_ref())?;
        let mut settings = format!(
            "[databases]\ntenure = host=127.0.0.1 port={postgres} dbname=tenure\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {}\nunix_socket_dir =\n\
             auth_type = scram-sha-256\nauth_file = {}\nadmin_users = tenure\n\
             pool_mode = transaction\nmax_client_conn = 500\ndefault_pool_size = 20\n",
            port.number(),
            users.display(),
        );
        if let Some(certificates) = &options.certificates {
            let Installed { ca: _, certificate, key } =
                certificates.install(&folder, user.as_ref())?;
            settings.push_str(&format!(
                "client_tls_sslmode = allow\nclient_tls_cert_file = {certificate}\n\
                 client_tls_key_file = {key}\n"
            ));
        }
        let file = folder.file("pgbouncer.ini", settings.as_bytes(), user.as_ref())?;
        let arguments = [vec![file.display().to_string()], options.arguments.clone()].concat();
        let version = tools::version(&program, &["--version"]);
        let url = format!("postgres://tenure:tenure@127.0.0.1:{}/tenure", port.number());
        let launch = Launch { program, arguments, user, folder: home, stop: Signal::TERM };
        let node = Node::new("pgbouncer", port, folder.path(), launch, probe::postgres);
        Self::begin("pgbouncer", version, url, folder, vec![node])
    }
}
