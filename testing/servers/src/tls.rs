//! A certificate authority for one run of tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::failed;
use crate::folder::Folder;
use crate::tools::{Debian, User, find};
use crate::{Error, Result};

/// A certificate authority of its own, and a certificate by it for `localhost` and `127.0.0.1`.
///
/// A second authority is what a client must refuse.
///
/// ```no_run
/// use tenure_test_servers::{Certificates, Options, Server};
///
/// let folder = tempfile::tempdir()?;
/// let certificates = Certificates::generate(folder.path())?;
/// let postgres = Server::postgres(&Options::new().tls(&certificates))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Certificates {
    folder: PathBuf,
}

impl Certificates {
    /// Makes them in this folder, which must exist. The authority's key is not kept.
    ///
    /// # Errors
    /// When openssl is missing or fails.
    pub fn generate(folder: &Path) -> Result<Self> {
        const CURVE: [&str; 4] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
        const NAMES: &str = "subjectAltName=DNS:localhost,IP:127.0.0.1\n\
            basicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\n";
        fs::write(folder.join("names"), NAMES).map_err(failed(folder.display()))?;
        let openssl = find("openssl", Debian::Openssl)?;
        let run = |arguments: &[&[&str]]| {
            let output = Command::new(&openssl)
                .args(arguments.concat())
                .current_dir(folder)
                .output()
                .map_err(failed("openssl"))?;
            if output.status.success() {
                return Ok(());
            }
            Err(Error::new(format!("openssl: {}", String::from_utf8_lossy(&output.stderr))))
        };
        let authority = ["req", "-x509", "-nodes", "-days", "3650", "-subj", "/CN=tenure tests"];
        run(&[
            &authority,
            &CURVE,
            &["-addext", "keyUsage=critical,keyCertSign"],
            &["-keyout", "ca.key", "-out", "ca.pem"],
        ])?;
        let request = ["req", "-new", "-nodes", "-subj", "/CN=localhost"];
        run(&[&request, &CURVE, &["-keyout", "server.key", "-out", "server.csr"]])?;
        let sign = ["x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key"];
        let rest = ["-CAcreateserial", "-days", "3650", "-extfile", "names", "-out", "server.pem"];
        run(&[&sign, &rest])?;
        for file in ["names", "ca.key", "ca.srl", "server.csr"] {
            // An openssl that names the serial's file otherwise harms nobody.
            let _ = fs::remove_file(folder.join(file));
        }
        Ok(Self { folder: folder.to_path_buf() })
    }

    /// Those that [`generate`](Self::generate) has left in this folder.
    #[must_use]
    pub fn open(folder: &Path) -> Option<Self> {
        let there = ["ca.pem", "server.pem", "server.key"].iter();
        let complete = there.clone().all(|file| folder.join(file).is_file());
        complete.then(|| Self { folder: folder.to_path_buf() })
    }

    /// The authority's certificate, which a client trusts.
    #[must_use]
    pub fn ca_file(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// Copies for a server, which reads them as another user.
    pub(crate) fn install(&self, folder: &Folder, user: Option<&User>) -> Result<Installed> {
        let copy = |file: &str| {
            let path = self.folder.join(file);
            let text = fs::read(&path).map_err(failed(path.display()))?;
            folder.file(file, &text, user).map(|path| path.display().to_string())
        };
        Ok(Installed {
            ca: copy("ca.pem")?,
            certificate: copy("server.pem")?,
            key: copy("server.key")?,
        })
    }
}

/// The paths of a server's own copies.
pub(crate) struct Installed {
    pub(crate) ca: String,
    pub(crate) certificate: String,
    pub(crate) key: String,
}
