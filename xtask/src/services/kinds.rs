//! Which services there are.

use tenure_test_servers::{Certificates, Options, Server};

use super::state::{Entry, State};
use crate::Result;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Redis,
    RedisCluster,
    RedisSentinel,
    Valkey,
    Postgres,
    PgBouncer,
    MariaDb,
    MongoDb,
    CouchDb,
}

/// What is started side by side; within a group, each after the one before it.
pub(super) const GROUPS: &[&[Kind]] = &[
    &[Kind::Postgres, Kind::PgBouncer],
    &[Kind::MariaDb],
    &[Kind::CouchDb],
    &[Kind::MongoDb],
    &[Kind::RedisCluster],
    &[Kind::RedisSentinel],
    &[Kind::Redis, Kind::Valkey],
];

impl Kind {
    /// In the order in which they are listed.
    pub(super) const ALL: [Self; 9] = [
        Self::Redis,
        Self::RedisCluster,
        Self::RedisSentinel,
        Self::Valkey,
        Self::Postgres,
        Self::PgBouncer,
        Self::MariaDb,
        Self::MongoDb,
        Self::CouchDb,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::RedisCluster => "redis-cluster",
            Self::RedisSentinel => "redis-sentinel",
            Self::Valkey => "valkey",
            Self::Postgres => "postgres",
            Self::PgBouncer => "pgbouncer",
            Self::MariaDb => "mariadb",
            Self::MongoDb => "mongodb",
            Self::CouchDb => "couchdb",
        }
    }

    /// Those of these names; all of them where none is named.
    pub(super) fn named(names: &[&str]) -> Result<Vec<Self>> {
        if names.is_empty() {
            return Ok(Self::ALL.to_vec());
        }
        let named = |name: &&str| {
            Self::ALL.into_iter().find(|kind| kind.name() == *name).ok_or_else(|| {
                let known = Self::ALL.map(Self::name).join(", ");
                format!("`{name}` is none of the services {known}")
            })
        };
        names.iter().map(named).collect()
    }

    fn start(self, options: &Options, certificates: &Certificates, before: u16) -> Result<Server> {
        let tls = || options.clone().tls(certificates);
        match self {
            Self::Redis => Server::redis(&tls()),
            Self::RedisCluster => Server::redis_cluster(options),
            Self::RedisSentinel => Server::redis_sentinel(options),
            Self::Valkey => Server::valkey(options),
            Self::Postgres => Server::postgres(&tls()),
            Self::PgBouncer => Server::pgbouncer(before, &tls()),
            Self::MariaDb => Server::mariadb(&tls()),
            // With TLS it would speak nothing else.
            Self::MongoDb => Server::mongodb(options),
            Self::CouchDb => Server::couchdb(options),
        }
        .map_err(|error| error.to_string())
    }
}

/// Starts what is not up in a group; what is half up is ended first and begins anew.
pub(super) fn start(
    group: &[Kind],
    state: &State,
    certificates: &Certificates,
) -> Vec<(Kind, Result<Server>)> {
    let mut outcomes = Vec::new();
    let mut again = false;
    let mut before = 0;
    for kind in group {
        let entry = state.entry(*kind);
        if let Some(entry) = entry.filter(|entry| entry.is_up() && !again) {
            before = entry.ports().first().copied().unwrap_or_default();
            continue;
        }
        // Who stands before a server that is new must be new, too.
        again = matches!(kind, Kind::Postgres);
        let outcome = state.make_room(*kind).and_then(|folder| {
            let ports = entry.map(Entry::ports).unwrap_or_default().iter().copied();
            // Nothing in here has to survive a crash, and without it tests are faster.
            let options = Options::new().volatile().folder(folder).ports(ports);
            kind.start(&options, certificates, before)
        });
        before = outcome.as_ref().map_or(0, |server| server.nodes()[0].port());
        outcomes.push((*kind, outcome));
    }
    outcomes
}
