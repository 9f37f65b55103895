//! Opening a database by its path.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous};
use tenure_core::store::{StoreError, StoreErrorKind, StoreResult};

use super::SqliteOptions;
use super::error::{is_busy, not_opened};

/// How long SQLite itself waits for another process that writes. It sleeps longer and longer, up
/// to 100 ms, and so hardly finds a gap between the commits of a busy process; trying again from
/// the start finds one.
const WAIT: Duration = Duration::from_millis(18);
/// How long to wait before another try where SQLite does not wait at all.
const PAUSE: Duration = Duration::from_millis(5);

pub(super) async fn pool(location: &Path, options: &SqliteOptions) -> StoreResult<SqlitePool> {
    let Location { path, create } = Location::parse(location)?;
    let place = format!("the database {}", path.display());
    if create {
        create_private(&path).map_err(|error| {
            StoreError::new(
                StoreErrorKind::Unavailable,
                format!(
                    "{place} cannot be made: {error}; check that its folder is there and that \
                     this process may write in it"
                ),
            )
        })?;
    }
    let connect = SqliteConnectOptions::new()
        .filename(&path)
        .busy_timeout(options.busy_timeout.min(WAIT))
        .synchronous(if options.relaxed_durability {
            SqliteSynchronous::Normal
        } else {
            SqliteSynchronous::Full
        });
    let pool = SqlitePoolOptions::new()
        .max_connections(options.max_connections)
        .acquire_timeout(options.busy_timeout)
        .max_lifetime(None)
        // A connection to a file does not go stale.
        .test_before_acquire(false);
    let begun = Instant::now();
    let pool = loop {
        match pool.clone().connect_with(connect.clone()).await {
            // The last one to close the file holds it alone while it removes the log.
            Err(error) if is_busy(&error) && begun.elapsed() < options.busy_timeout => {
                tokio::time::sleep(PAUSE).await;
            }
            opened => break opened.map_err(|error| not_opened(&place, error))?,
        }
    };
    write_ahead(&pool, options.busy_timeout).await.map_err(|error| not_opened(&place, error))?;
    Ok(pool)
}

/// Puts the database into write-ahead mode, in which readers and the writer do not wait for each
/// other. SQLite does not heed the busy timeout here when processes do this at the same time.
async fn write_ahead(pool: &SqlitePool, timeout: Duration) -> Result<(), sqlx::Error> {
    let start = Instant::now();
    loop {
        match sqlx::query("PRAGMA journal_mode = WAL").execute(pool).await {
            Err(error) if is_busy(&error) && start.elapsed() < timeout => {
                tokio::time::sleep(PAUSE).await;
            }
            done => return done.map(drop),
        }
    }
}

/// Makes an empty file that only its owner can read, which SQLite takes for an empty database. Its
/// other files get the same mode.
fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

#[derive(Debug, PartialEq)]
struct Location {
    path: PathBuf,
    create: bool,
}

impl Location {
    fn parse(location: &Path) -> StoreResult<Self> {
        let url = location.to_str().and_then(|text| text.strip_prefix("sqlite:"));
        let (path, create) = match url {
            None => (location.to_owned(), true),
            Some(url) => {
                let (path, parameters) = url.split_once('?').unwrap_or((url, ""));
                let create = match parameters {
                    "" | "mode=rwc" => true,
                    "mode=rw" => false,
                    _ => {
                        return Err(refused(format!(
                            "the parameters {parameters:?} of the URL are not known; write \
                             mode=rwc, mode=rw or none, and set the rest by SqliteOptions"
                        )));
                    }
                };
                let path = path.strip_prefix("//").unwrap_or(path);
                (decoded(path)?, create)
            }
        };
        if path.as_os_str().is_empty() {
            return Err(refused("the path is empty; write one such as sessions.sqlite"));
        }
        if path == Path::new(":memory:") {
            return Err(refused(
                "a database in memory belongs to a single connection and ends with it; use \
                 tenure's memory store, or SqliteStore::with_pool with a pool of one connection",
            ));
        }
        Ok(Self { path, create })
    }
}

/// The path with its percent escapes resolved, as URLs of sqlx are read.
fn decoded(path: &str) -> StoreResult<PathBuf> {
    if path.is_empty() || path == ":memory:" {
        return Ok(path.into());
    }
    let options: SqliteConnectOptions = format!("sqlite://{path}").parse().map_err(|error| {
        refused(format!("the path {path:?} of the URL cannot be read: {error}"))
    })?;
    Ok(options.get_filename().to_owned())
}

fn refused(message: impl Into<String>) -> StoreError {
    StoreError::new(StoreErrorKind::Other, format!("sqlite: {}", message.into()))
}

#[cfg(test)]
mod tests {
    use super::Location;
    use std::path::Path;

    fn parse(location: &str) -> Result<(String, bool), String> {
        Location::parse(Path::new(location))
            .map(|Location { path, create }| (path.display().to_string(), create))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_location_is_a_path_or_a_url() {
        let made = |path: &str| Ok((path.to_owned(), true));
        assert_eq!(parse("a b?.sqlite"), made("a b?.sqlite"));
        assert_eq!(parse("sqlite:a.sqlite"), made("a.sqlite"));
        assert_eq!(parse("sqlite:///var/a.sqlite"), made("/var/a.sqlite"));
        assert_eq!(parse("sqlite://a%3F.sqlite?mode=rwc"), made("a?.sqlite"));
        assert_eq!(parse("sqlite:a.sqlite?mode=rw"), Ok(("a.sqlite".into(), false)));
    }

    #[test]
    fn what_cannot_hold_sessions_is_refused_with_a_remedy() {
        for (location, remedy) in [
            ("", "write one such as"),
            ("sqlite:", "write one such as"),
            (":memory:", "memory store"),
            ("sqlite::memory:", "memory store"),
            ("sqlite://:memory:", "memory store"),
            ("sqlite:a?mode=memory", "mode=rwc"),
            ("sqlite:a?cache=shared", "SqliteOptions"),
        ] {
            let error = parse(location).unwrap_err();
            assert!(error.contains(remedy), "{location:?}: {error}");
        }
    }
}
