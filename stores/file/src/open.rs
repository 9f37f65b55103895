//! Opening a folder by its path, and whether sessions are safe in it.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, Stat};
use rustix::io::Errno;
use tenure_core::store::{StoreError, StoreErrorKind, StoreResult};

use crate::FileOptions;
use crate::error::failed;
use crate::folder::{Folder, PRIVATE_FILE, PRIVATE_FOLDER, open_folder};
use crate::names::unhex;

/// The empty file by which a folder of this crate is known. The number is the version of what lies
/// in it.
const MARK: &str = "tenure-file-";
const VERSION: u32 = 1;

pub(crate) fn folder(location: &Path, options: &FileOptions) -> StoreResult<Folder> {
    // Behind a slash at its end a link would be followed.
    let path: PathBuf = parse(location)?.components().collect();
    let made = match rustix::fs::mkdir(&path, PRIVATE_FOLDER) {
        Err(Errno::EXIST) => false,
        made => made.map_err(|error| failed("made", &path, error)).map(|()| true)?,
    };
    let handle = match open_folder(CWD, &path) {
        Err(Errno::LOOP | Errno::NOTDIR) => {
            return Err(refused(
                &path,
                "it is a link or a file, behind which anybody's folder may lie; name the folder \
                 itself",
            ));
        }
        opened => opened.map_err(|error| failed("opened", &path, error))?,
    };
    let stat = |stat: Result<Stat, Errno>| stat.map_err(|error| failed("checked", &path, error));
    is_ours(&path, &stat(rustix::fs::fstat(&handle))?)?;
    if !options.shared_parent {
        is_kept(&path, &stat(rustix::fs::statat(&handle, "..", AtFlags::empty()))?)?;
    }
    if made && !options.relaxed_durability {
        // Where the folder above may not be read, this is left to the system.
        let _ = open_folder(&handle, "..").and_then(rustix::fs::fsync);
    }
    let folder = Folder::new(
        handle.try_clone().map_err(|error| failed("opened", &path, error))?,
        path,
        !options.relaxed_durability,
    );
    mark(&folder, &handle)?;
    Ok(folder)
}

/// R18: a folder that others own or may write could be filled, or read, by them.
fn is_ours(path: &Path, stat: &Stat) -> StoreResult<()> {
    let (owner, user) = (stat.st_uid, rustix::process::geteuid().as_raw());
    if owner != user {
        return Err(refused(
            path,
            format!(
                "it belongs to the user of number {owner}, and this process runs as {user}; \
                 `chown` it, or choose another folder"
            ),
        ));
    }
    let mode = Mode::from_raw_mode(stat.st_mode);
    if mode.intersects(Mode::RWXG | Mode::RWXO) {
        return Err(refused(
            path,
            format!(
                "others may use it (mode {:o}); run `chmod 700` on it, or name a folder that is \
                 not there yet",
                mode.bits() & 0o777
            ),
        ));
    }
    Ok(())
}

/// Whoever may write in the folder above can put another one in the place of ours.
fn is_kept(path: &Path, above: &Stat) -> StoreResult<()> {
    let mode = Mode::from_raw_mode(above.st_mode);
    if mode.intersects(Mode::WGRP | Mode::WOTH) && !mode.contains(Mode::SVTX) {
        return Err(refused(
            path,
            format!(
                "others may write in the folder above it (mode {:o}), and so move it away; run \
                 `chmod go-w` on that one, choose another folder, or accept it by \
                 FileOptions::insecure_shared_parent",
                mode.bits() & 0o7777
            ),
        ));
    }
    Ok(())
}

/// Sees to the mark: what is neither empty nor ours stays as it is.
fn mark(folder: &Folder, handle: impl std::os::fd::AsFd) -> StoreResult<()> {
    let ours = format!("{MARK}{VERSION}");
    let names = folder.names(".")?;
    // Another process may have made the mark, and more, since the names were read.
    if !folder.has(&ours)? {
        let version = |name: &String| name.strip_prefix(MARK)?.parse::<u32>().ok();
        if let Some(other) = names.iter().find_map(version) {
            return Err(refused(
                folder.path(),
                format!(
                    "what lies in it has version {other}, and this tenure-file knows version \
                     {VERSION}; take a tenure-file of the other version, or another folder"
                ),
            ));
        }
        if let Some(name) = names.first() {
            return Err(refused(
                folder.path(),
                format!(
                    "it is no folder of sessions, since {name:?} lies in it; name an empty folder, \
                     or one that is not there yet"
                ),
            ));
        }
        folder.note(".", &ours)?;
    }
    let broken = |error: std::io::Error| failed("locked", &folder.full(&ours), error);
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(handle, &ours, flags, PRIVATE_FILE)
        .map_err(|error| failed("opened", &folder.full(&ours), error))?;
    // That there are locks at all is learned now, not at the first commit.
    match File::from(file).lock_shared() {
        Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
        locked => locked.map_err(broken),
    }
}

/// The path of a location: a path, or a URL `file:path`.
fn parse(location: &Path) -> StoreResult<PathBuf> {
    let Some(url) = location.to_str().and_then(|text| text.strip_prefix("file:")) else {
        return given(location.to_owned());
    };
    if url.contains(['?', '#']) {
        return Err(refused_url("it has parameters; set what they say by FileOptions"));
    }
    let path = match url.strip_prefix("//").map(|rest| {
        rest.strip_prefix("localhost/").map_or_else(|| rest.to_owned(), |path| format!("/{path}"))
    }) {
        None => url.to_owned(),
        Some(path) if path.starts_with('/') => path,
        Some(_) => {
            return Err(refused_url(
                "it names a host; write file:/path, or file:path for one from here",
            ));
        }
    };
    let decoded = decoded(&path).ok_or_else(|| {
        refused_url("a percent sign is not followed by two hex digits, or they are no text; write %25 for the sign itself")
    })?;
    given(decoded.into())
}

fn given(path: PathBuf) -> StoreResult<PathBuf> {
    if path.as_os_str().is_empty() {
        return Err(refused_url("the path is empty; write one such as /var/lib/shop/sessions"));
    }
    Ok(path)
}

/// The text with its percent escapes resolved (RFC 3986, section 2.1).
fn decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut octets = parts.next()?.as_bytes().to_vec();
    for part in parts {
        octets.extend(unhex(&part.get(..2)?.to_ascii_lowercase())?);
        octets.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(octets).ok()
}

fn refused(path: &Path, message: impl std::fmt::Display) -> StoreError {
    StoreError::new(
        StoreErrorKind::Other,
        format!("no sessions can be kept in {}: {message}", path.display()),
    )
}

fn refused_url(message: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Other, format!("the URL file:… cannot be used: {message}"))
}

#[cfg(test)]
mod tests {
    use super::parse;
    use std::path::Path;

    fn parsed(location: &str) -> Result<String, String> {
        parse(Path::new(location))
            .map(|path| path.display().to_string())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_location_is_a_path_or_a_url() {
        for (location, path) in [
            ("a b%41", "a b%41"),
            ("/srv/s?x", "/srv/s?x"),
            ("file:sessions", "sessions"),
            ("file:/srv/sessions", "/srv/sessions"),
            ("file:///srv/a%20b%3F", "/srv/a b?"),
            ("file://localhost/srv", "/srv"),
        ] {
            assert_eq!(parsed(location).as_deref(), Ok(path), "{location:?}");
        }
    }

    #[test]
    fn what_names_no_folder_is_refused_with_a_remedy() {
        for (location, remedy) in [
            ("", "write one such as"),
            ("file:", "write one such as"),
            ("file://", "names a host"),
            ("file://server/share", "names a host"),
            ("file:/a?mode=rw", "FileOptions"),
            ("file:/a%2", "%25"),
            ("file:/a%zz", "%25"),
            ("file:/a%ff", "%25"),
        ] {
            let error = parsed(location).unwrap_err();
            assert!(error.contains(remedy), "{location:?}: {error}");
        }
    }
}
