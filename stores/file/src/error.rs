//! What a failed call of the operating system means for the caller.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::Path;

use rustix::io::Errno;
use tenure_core::store::{StoreError, StoreErrorKind};

/// A failure of the file system, what was being done, and what to do about it.
#[derive(Debug)]
struct Failure {
    message: String,
    source: io::Error,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.message, self.source)
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// The error of `doing` something to `path`.
pub(crate) fn failed(doing: &str, path: &Path, source: impl Into<io::Error>) -> StoreError {
    let source = source.into();
    let (kind, advice) = advice(&source);
    let message = format!("{} cannot be {doing}; {advice}", path.display());
    StoreError::new(kind, Failure { message, source })
}

/// The error for a file that holds no session.
pub(crate) fn corrupt(path: &Path, what: impl fmt::Display) -> StoreError {
    StoreError::new(
        StoreErrorKind::Corrupt,
        format!(
            "{}: {what}; put back a copy of the file, or remove it, which ends the session",
            path.display()
        ),
    )
}

fn advice(error: &io::Error) -> (StoreErrorKind, &'static str) {
    use StoreErrorKind::{Other, Unavailable};
    match (error.kind(), Errno::from_io_error(error)) {
        (ErrorKind::StorageFull, _) => (Unavailable, "its disk is full"),
        (ErrorKind::QuotaExceeded, _) => (Unavailable, "the disk quota of its user is used up"),
        (ErrorKind::FileTooLarge, _) => {
            (Unavailable, "this process may not write files as large as that (`ulimit -f`)")
        }
        (ErrorKind::ReadOnlyFilesystem, _) => {
            (Unavailable, "its file system is mounted for reading only")
        }
        (ErrorKind::PermissionDenied, _) => {
            (Unavailable, "check that this process's user owns the folder and may write in it")
        }
        (ErrorKind::NotFound, _) => (Unavailable, "check that its folder is there"),
        (_, Some(Errno::IO)) => (Unavailable, "its disk failed"),
        (_, Some(Errno::MFILE | Errno::NFILE)) => {
            (Unavailable, "too many files are open; allow more (`ulimit -n`)")
        }
        (_, Some(Errno::STALE | Errno::NOLCK)) => {
            (Unavailable, "the network share that it lies on does not answer; take a local disk")
        }
        (_, Some(Errno::LOOP | Errno::NOTDIR)) => {
            (Other, "a link or a file lies where a folder should be; remove what is not ours")
        }
        (ErrorKind::Unsupported, _) => {
            (Other, "its file system has no locks; take a folder on another one")
        }
        _ => (Other, "the file system failed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_names_the_file_and_the_remedy() {
        for (errno, kind, remedy) in [
            (Errno::NOSPC, StoreErrorKind::Unavailable, "its disk is full"),
            (Errno::DQUOT, StoreErrorKind::Unavailable, "quota"),
            (Errno::FBIG, StoreErrorKind::Unavailable, "ulimit -f"),
            (Errno::ROFS, StoreErrorKind::Unavailable, "for reading only"),
            (Errno::ACCESS, StoreErrorKind::Unavailable, "may write"),
            (Errno::IO, StoreErrorKind::Unavailable, "its disk failed"),
            (Errno::MFILE, StoreErrorKind::Unavailable, "ulimit -n"),
            (Errno::NOLCK, StoreErrorKind::Unavailable, "local disk"),
            (Errno::LOOP, StoreErrorKind::Other, "a link"),
            (Errno::NOTSUP, StoreErrorKind::Other, "no locks"),
            (Errno::INVAL, StoreErrorKind::Other, "the file system failed"),
        ] {
            let error = failed("written", Path::new("/srv/sessions"), errno);
            assert_eq!(error.kind(), kind, "{error}");
            let text = error.to_string();
            assert!(
                text.contains(remedy) && text.contains("/srv/sessions cannot be written"),
                "{text}"
            );
        }
    }
}
