#![doc = include_str!("../README.md")]

pub use tenure_core::{
    Clock, Error, ErrorKind, Handle, Key, LazySession, Namespace, Random, Result, Session,
    Sessions, SessionsBuilder, SystemClock, SystemRandom, Timestamp, UserId, clock, csrf, engine,
    format, guard, id, session, transform, transport, value,
};

/// Where sessions are kept: the contract of a store, and the stores themselves.
pub mod store {
    pub use tenure_core::store::*;
    #[cfg(feature = "couchdb")]
    pub use tenure_couchdb::{CouchOptions, CouchStore};
    #[cfg(feature = "file")]
    pub use tenure_file::{FileOptions, FileStore};
    #[cfg(feature = "mongodb")]
    pub use tenure_mongodb::{MongoOptions, MongoStore};
    #[cfg(feature = "redis")]
    pub use tenure_redis::{RedisOptions, RedisStore};
    #[cfg(feature = "mysql")]
    pub use tenure_sql::{MySqlOptions, MySqlStore};
    #[cfg(feature = "postgres")]
    pub use tenure_sql::{PostgresOptions, PostgresStore};
    #[cfg(feature = "sqlite")]
    pub use tenure_sql::{SqliteOptions, SqliteStore};

    pub use crate::connect::{Schemes, connect};
}

/// The layer for tower services.
#[cfg(feature = "tower")]
pub mod tower {
    pub use tenure_tower::*;
}

/// The formats of other session systems.
#[cfg(feature = "interop")]
pub mod interop {
    pub use tenure_interop::*;
}

/// What pages see of a session, in minijinja, Tera, askama, maud and others.
#[cfg(feature = "template")]
pub mod template {
    pub use tenure_template::*;
}

/// Extractors and errors for axum.
#[cfg(feature = "axum")]
pub mod axum {
    pub use tenure_tower::axum::*;
}

pub mod config;
mod connect;
pub mod manual;

pub use config::FromEnv;
