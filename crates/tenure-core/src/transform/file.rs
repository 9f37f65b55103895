use std::fs::{File, Metadata};
use std::io::Read;
use std::path::Path;

use zeroize::Zeroizing;

use super::{Keyring, SecretKey};
use crate::error::{Error, ErrorKind, Result};

/// More than any list of secrets takes, in octets.
const MOST: u64 = 64 << 10;

/// The text of a file with a secret, which only its owner and, for reading, its group may get at.
///
/// ```
/// use tenure_core::transform::read_secret_file;
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("secret");
/// # std::fs::write(&path, "hunter2\n").unwrap();
///
/// # #[cfg(unix)]
/// # {
/// use std::os::unix::fs::PermissionsExt;
///
/// std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
/// let error = read_secret_file(&path).unwrap_err();
/// assert!(error.to_string().contains("chmod 600"), "{error}");
/// std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
/// # }
/// assert_eq!(read_secret_file(&path)?, "hunter2\n");
/// # Ok::<(), tenure_core::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Config`] for a file that cannot be read, or is larger than 64 KiB; on Unix also for
/// one that others than owner and group can read, or others than the owner can change. The group may
/// read, as it must where a container gets its secrets as files of root.
pub fn read_secret_file(path: impl AsRef<Path>) -> Result<String> {
    let path = path.as_ref();
    let refused = |problem: String| Error::config(format!("{}: {problem}", path.display()));
    let cannot = |error: std::io::Error| refused(format!("the file cannot be read: {error}"));
    let file = File::open(path).map_err(cannot)?;
    check(path, &file.metadata().map_err(cannot)?).map_err(refused)?;
    // Of this size from the start, so that no copy of it is left behind as it grows.
    let mut text = Zeroizing::new(String::with_capacity(MOST as usize + 2));
    file.take(MOST + 1).read_to_string(&mut text).map_err(cannot)?;
    if text.len() as u64 > MOST {
        return Err(refused("the file is too large for secrets".to_owned()));
    }
    Ok(text.as_str().to_owned())
}

/// The keys of a file, one a line.
pub(super) fn keys(path: &Path) -> Result<Vec<SecretKey>> {
    let text = Zeroizing::new(read_secret_file(path)?);
    let lines = text.lines().map(str::trim);
    let secrets = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let keyring = Keyring::from_secrets(secrets).map_err(|error| {
        Error::new(
            ErrorKind::Config,
            "configuration",
            format!("{}: {}", path.display(), error.message()),
        )
    })?;
    if keyring.is_empty() {
        return Err(Error::config(format!(
            "{}: there is no secret in it; put one from `openssl rand -base64 33`",
            path.display()
        )));
    }
    let keys = keyring.keys().clone();
    Ok(keys)
}

#[cfg(unix)]
fn check(path: &Path, file: &Metadata) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;

    let mode = file.permissions().mode() & 0o7777;
    if mode & 0o037 == 0 {
        return Ok(());
    }
    Err(format!(
        "the file has mode {mode:04o}, so that others can read or change it; run `chmod 600 {}`, and \
         take a new secret if somebody may have seen this one",
        path.display()
    ))
}

/// Elsewhere the folder's own protection is all there is.
#[cfg(not(unix))]
fn check(_path: &Path, _file: &Metadata) -> Result<(), String> {
    Ok(())
}
