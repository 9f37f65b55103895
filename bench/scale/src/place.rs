//! The stores, each on a server of its own.

use sqlx::{MySqlPool, PgPool, SqlitePool};
use tempfile::TempDir;
use tenure_core::store::AnyStore;
use tenure_redis::RedisStore;
use tenure_sql::{MySqlOptions, PostgresOptions, SqliteOptions};
use tenure_test_servers::{Options, Server, redis_command};

use crate::Result;
use crate::phases::PATIENCE;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Postgres,
    MariaDb,
    Sqlite,
    Redis,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::Postgres, Self::MariaDb, Self::Sqlite, Self::Redis];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::MariaDb => "mariadb",
            Self::Sqlite => "sqlite",
            Self::Redis => "redis",
        }
    }

    /// What is not as the server or the store has it by itself, or decides how durable it is.
    pub(crate) fn settings(self) -> &'static str {
        match self {
            Self::Postgres => {
                "`fsync`, `synchronous_commit` and `full_page_writes` on, `shared_buffers` 512 MB; \
                 10 connections"
            }
            Self::MariaDb => {
                "`innodb_flush_log_at_trx_commit` 1, `innodb_buffer_pool_size` 512 MB, no binary \
                 log; 10 connections"
            }
            Self::Sqlite => "`journal_mode` WAL, `synchronous` FULL",
            Self::Redis => "`appendonly` yes, `appendfsync` always, no snapshots; one connection",
        }
    }

    /// What the size of a session is.
    pub(crate) fn measured(self) -> &'static str {
        match self {
            Self::Postgres => "on disk, with indexes: `pg_total_relation_size`",
            Self::MariaDb => "on disk, with indexes: `FILE_SIZE` of the table's space",
            Self::Sqlite => "on disk, with indexes: `page_count` × `page_size`",
            Self::Redis => "in memory: `used_memory`",
        }
    }

    pub(crate) fn start(self) -> Result<Place> {
        let options = Options::new();
        Ok(match self {
            Self::Postgres => {
                let options = options.argument("-c").argument("shared_buffers=512MB");
                Place::Postgres(Server::postgres(&options)?)
            }
            Self::MariaDb => {
                let options = options.argument("--innodb-buffer-pool-size=512M");
                Place::MariaDb(Server::mariadb(&options)?)
            }
            Self::Sqlite => Place::Sqlite(tempfile::tempdir()?),
            Self::Redis => Place::Redis(Server::redis(&options)?),
        })
    }
}

/// Where the sessions go. Dropped, it is gone with all of them.
pub(crate) enum Place {
    Postgres(Server),
    MariaDb(Server),
    Sqlite(TempDir),
    Redis(Server),
}

/// A store, and the way to ask its server for the size of it.
pub(crate) struct Opened {
    pub(crate) store: AnyStore,
    ruler: Ruler,
}

enum Ruler {
    Postgres(PgPool),
    MariaDb(MySqlPool),
    Sqlite(SqlitePool),
    Redis { port: u16, version: String },
}

impl Place {
    pub(crate) async fn open(&self) -> Result<Opened> {
        Ok(match self {
            Self::Postgres(server) => {
                let options = PostgresOptions::new().operation_timeout(PATIENCE);
                let store = options.connect_timeout(PATIENCE).connect(server.url()).await?;
                store.migrate().await?;
                let ruler = Ruler::Postgres(store.pool().clone());
                Opened { store: AnyStore::new(store), ruler }
            }
            Self::MariaDb(server) => {
                let options = MySqlOptions::new().operation_timeout(PATIENCE);
                let store = options.connect_timeout(PATIENCE).connect(server.url()).await?;
                store.migrate().await?;
                let ruler = Ruler::MariaDb(store.pool().clone());
                Opened { store: AnyStore::new(store), ruler }
            }
            Self::Sqlite(folder) => {
                let path = folder.path().join("sessions.sqlite");
                let store = SqliteOptions::new().busy_timeout(PATIENCE).open(path).await?;
                store.migrate().await?;
                let ruler = Ruler::Sqlite(store.pool().clone());
                Opened { store: AnyStore::new(store), ruler }
            }
            Self::Redis(server) => {
                let store = RedisStore::connect(server.url()).await?;
                let (port, version) = (server.nodes()[0].port(), server.version().to_owned());
                Opened { store: AnyStore::new(store), ruler: Ruler::Redis { port, version } }
            }
        })
    }
}

impl Opened {
    pub(crate) async fn version(&self) -> Result<String> {
        Ok(match &self.ruler {
            Ruler::Postgres(pool) => {
                sqlx::query_scalar("SHOW server_version").fetch_one(pool).await?
            }
            Ruler::MariaDb(pool) => sqlx::query_scalar("SELECT version()").fetch_one(pool).await?,
            Ruler::Sqlite(pool) => {
                sqlx::query_scalar("SELECT sqlite_version()").fetch_one(pool).await?
            }
            Ruler::Redis { version, .. } => version.clone(),
        })
    }

    /// How much room the sessions take, in octets, as the server says.
    pub(crate) async fn octets(&self) -> Result<i64> {
        Ok(match &self.ruler {
            Ruler::Postgres(pool) => {
                let size = "SELECT pg_total_relation_size('tenure_sessions')";
                sqlx::query_scalar(size).fetch_one(pool).await?
            }
            Ruler::MariaDb(pool) => {
                let size = "SELECT CAST(file_size AS SIGNED) \
                            FROM information_schema.innodb_sys_tablespaces \
                            WHERE name = 'tenure/tenure_sessions'";
                sqlx::query_scalar(size).fetch_one(pool).await?
            }
            Ruler::Sqlite(pool) => {
                let size = "SELECT page_count * page_size \
                            FROM pragma_page_count(), pragma_page_size()";
                sqlx::query_scalar(size).fetch_one(pool).await?
            }
            Ruler::Redis { port, .. } => {
                let memory = redis_command(*port, &["INFO", "memory"])?;
                let mut lines = memory.text().lines();
                let used = lines.find_map(|line| line.strip_prefix("used_memory:"));
                used.ok_or("INFO memory says nothing of used_memory")?.parse()?
            }
        })
    }
}
