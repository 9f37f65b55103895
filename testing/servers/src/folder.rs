//! The folder of a server: data, logs, settings.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::error::failed;
use crate::tools::User;
use crate::{Error, Result};

/// Deleted when it is dropped, unless it was kept.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    kept: bool,
}

impl Folder {
    /// The wanted folder, or a new temporary one. Other users may pass it, because PostgreSQL and
    /// MariaDB refuse to run as root.
    pub(crate) fn create(wanted: Option<&Path>) -> Result<Self> {
        let path = match wanted {
            Some(path) => {
                let empty = !fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some());
                if !empty {
                    return Err(Error::new(format!("{} is not empty", path.display())));
                }
                fs::create_dir_all(path)
                    .map_err(failed(format_args!("{} cannot be made", path.display())))?;
                path.to_path_buf()
            }
            None => tempfile::Builder::new()
                .prefix("tenure-server-")
                .tempdir()
                .map_err(failed("no temporary folder can be made"))?
                .keep(),
        };
        let folder = Self { path, kept: false };
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755))
            .map_err(failed(format_args!("{} cannot be opened to others", folder.shown())))?;
        Ok(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn keep(&mut self) {
        self.kept = true;
    }

    /// A folder in it that belongs to the user.
    pub(crate) fn sub(&self, name: &str, user: Option<&User>) -> Result<PathBuf> {
        let path = self.path.join(name);
        fs::create_dir(&path).map_err(failed(format_args!("{} cannot be made", path.display())))?;
        fs::set_permissions(&path, Permissions::from_mode(0o700))
            .map_err(failed(path.display()))?;
        own(&path, user)?;
        Ok(path)
    }

    /// A file in it that only the user can read.
    pub(crate) fn file(&self, name: &str, text: &[u8], user: Option<&User>) -> Result<PathBuf> {
        let path = self.path.join(name);
        fs::write(&path, text).map_err(failed(path.display()))?;
        fs::set_permissions(&path, Permissions::from_mode(0o600))
            .map_err(failed(path.display()))?;
        own(&path, user)?;
        Ok(path)
    }

    fn shown(&self) -> std::path::Display<'_> {
        self.path.display()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.kept {
            // What is left is in the system's temporary folder, which the system clears.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

fn own(path: &Path, user: Option<&User>) -> Result {
    let Some(user) = user else { return Ok(()) };
    std::os::unix::fs::chown(path, Some(user.uid), Some(user.gid)).map_err(failed(path.display()))
}
