//! MariaDB.

use rustix::process::Signal;

use crate::folder::Folder;
use crate::node::Launch;
use crate::port::ports;
use crate::tls::Installed;
use crate::tools::{self, Debian, User};
use crate::{Node, Options, Result, Server, probe};

/// Run at every start.
const SETUP: &str = "\
CREATE DATABASE IF NOT EXISTS tenure;
CREATE USER IF NOT EXISTS 'tenure'@'127.0.0.1' IDENTIFIED BY 'tenure';
GRANT ALL ON *.* TO 'tenure'@'127.0.0.1' WITH GRANT OPTION;
";

impl Server {
    /// One MariaDB, as `mysql://`. Its user may do everything. [Arguments](Options::argument) are
    /// those of `mariadbd`: `--name=value`.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub fn mariadb(options: &Options) -> Result<Self> {
        let program = tools::find("mariadbd", Debian::MariaDb)?;
        let install = tools::find("mariadb-install-db", Debian::MariaDb)?;
        let user = User::instead_of_root("mysql")?;
        let [port] = ports(&options.ports)?;
        let folder = Folder::create(options.folder.as_deref())?;
        let home = folder.sub("mariadb", user.as_ref())?;
        let data = format!("--datadir={}", home.join("data").display());
        let setup = folder.file("setup.sql", SETUP.as_bytes(), user.as_ref())?;
        let own = |program, arguments: &[&str]| Launch {
            program,
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            user,
            folder: home.clone(),
            stop: Signal::TERM,
        };
        let accounts = "--auth-root-authentication-method=normal";
        own(install, &["--no-defaults", &data, accounts, "--skip-test-db"]).run()?;
        let number = format!("--port={}", port.number());
        let setup = format!("--init-file={}", setup.display());
        let fixed = ["--bind-address=127.0.0.1", "--skip-name-resolve", "--skip-log-bin"];
        // The socket is beside the data: a longer path would not fit.
        let files = ["--socket=socket", "--pid-file=pid", "--innodb-buffer-pool-size=64M"];
        let own_part = ["--no-defaults", &data, &number, &setup];
        let mut launch = own(program.clone(), &[&own_part[..], &fixed, &files].concat());
        let flush = u8::from(!options.volatile);
        launch.arguments.push(format!("--innodb-flush-log-at-trx-commit={flush}"));
        if let Some(certificates) = &options.certificates {
            let Installed { ca: _, certificate, key } =
                certificates.install(&folder, user.as_ref())?;
            launch.arguments.push(format!("--ssl-cert={certificate}"));
            launch.arguments.push(format!("--ssl-key={key}"));
        }
        launch.arguments.extend(options.arguments.iter().cloned());
        let url = format!("mysql://tenure:tenure@127.0.0.1:{}/tenure", port.number());
        let version = tools::version(&program, &["--version"]);
        let node = Node::new("mariadb", port, folder.path(), launch, probe::mariadb);
        Self::begin("mariadb", version, url, folder, vec![node])
    }
}
