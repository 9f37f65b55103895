//! The file with the secret that signs tokens: made on the first start, for its owner's eyes only.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use tenure::transform::SecretKey;

use crate::Result;

pub(crate) fn read_or_make(path: &Path) -> Result<String> {
    let name = path.display();
    match fs::read_to_string(path) {
        Ok(secret) => {
            refuse_others(path)?;
            Ok(secret.trim_end().to_owned())
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let secret = SecretKey::generate_secret().map_err(|error| error.to_string())?;
            match make(path, &secret) {
                Ok(()) => Ok(secret),
                // Another process was first, and both must sign with the same key.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => read_or_make(path),
                Err(error) => Err(format!(
                    "{name} cannot be made: {error}; start the demo in a folder that you may \
                     write in, or put a secret into TENURE_SECRET"
                )),
            }
        }
        Err(error) => Err(format!(
            "{name} cannot be read: {error}; make it readable for you, or put a secret into \
             TENURE_SECRET"
        )),
    }
}

/// Makes the file whole: nobody ever reads half a secret.
fn make(path: &Path, secret: &str) -> io::Result<()> {
    let draft = path.with_extension(format!("key.{}", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    let linked = writeln!(file, "{secret}")
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::hard_link(&draft, path));
    fs::remove_file(&draft)?;
    linked
}

/// A key that others can read is no longer a secret.
#[cfg(unix)]
fn refuse_others(path: &Path) -> Result {
    use std::os::unix::fs::PermissionsExt;

    let name = path.display();
    let mode = fs::metadata(path)
        .map_err(|error| format!("{name} cannot be read: {error}"))?
        .permissions()
        .mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(format!(
        "{name} has mode {:04o}, so that others can use the signing key; run `chmod 600 {name}`, or \
         delete it for a new key if somebody may have seen it",
        mode & 0o7777
    ))
}

/// Elsewhere the folder's own protection is all there is.
#[cfg(not(unix))]
fn refuse_others(_path: &Path) -> Result {
    Ok(())
}
