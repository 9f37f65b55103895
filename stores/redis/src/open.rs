//! Connecting, and what is looked at first.

use std::collections::BTreeSet;
use std::time::Duration;

use redis::aio::ConnectionLike;
use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::{Cmd, Value};
use tenure_core::store::StoreResult;

use crate::connection::Connection;
use crate::error::{failed, is_forbidden, other};
use crate::hash::octets;
use crate::link::{Link, Source};
use crate::sentinel::Sentinels;
use crate::tracking::{Servers, Tracker};
use crate::url::{Access, Kind, Location};
use crate::{RedisOptions, RedisStore};

/// The oldest server whose commands suffice.
const OLDEST: (u32, u32) = (6, 2);
/// How often the cluster's connection tries again within one operation, and how long it waits.
const RETRIES: u32 = 4;
const LONGEST_WAIT: Duration = Duration::from_millis(80);

impl RedisOptions {
    pub(crate) async fn open_at(self, location: Location) -> StoreResult<RedisStore> {
        let location = self.at(location);
        let access = self.access(&location)?;
        let alone = location.kind != Kind::Cluster;
        let tracker = self.tracker(&location, &access)?;
        let source = match location.kind {
            Kind::Server => Source::Server(access.client(&location.hosts[0])?),
            Kind::Sentinel(ref name) => {
                Source::Sentinels(self.sentinels(&location, name, &access)?)
            }
            Kind::Cluster => Source::Cluster(Box::new(self.cluster(&location, &access)?)),
        };
        // A cluster is asked for its nodes first.
        let rounds = if alone { 1 } else { 2 };
        let link = Link::connect(source, rounds * self.connect_timeout).await?;
        let connection = Connection::link(link, self.timeout);
        let answer = connection.ask(&info()).await;
        self.checked(connection, Some(tracker), answer, alone)
    }

    fn sentinels(
        &self,
        location: &Location,
        name: &str,
        access: &Access,
    ) -> StoreResult<Sentinels> {
        let sentinel = Access {
            user: self.sentinel_user.clone(),
            password: self.sentinel_password.clone(),
            database: 0,
            ..access.clone()
        };
        let sentinels = location.hosts.iter().map(|host| sentinel.client(host));
        Ok(Sentinels {
            sentinels: sentinels.collect::<StoreResult<_>>()?,
            name: name.to_owned(),
            access: access.clone(),
        })
    }

    /// How changes are heard of at this location.
    fn tracker(&self, location: &Location, access: &Access) -> StoreResult<Tracker> {
        let servers = match &location.kind {
            Kind::Server => Servers::One(access.client(&location.hosts[0])?),
            Kind::Sentinel(name) => Servers::Master(self.sentinels(location, name, access)?),
            Kind::Cluster => {
                Servers::Cluster { known: location.hosts.clone(), access: access.clone() }
            }
        };
        Ok(Tracker { servers, connect_timeout: self.connect_timeout })
    }

    fn cluster(&self, location: &Location, access: &Access) -> StoreResult<ClusterClient> {
        let nodes = location.hosts.iter().map(|host| access.info(host));
        let nodes = nodes.collect::<StoreResult<Vec<_>>>()?;
        let builder = ClusterClientBuilder::new(nodes)
            .retries(RETRIES)
            .min_retry_wait(5)
            .max_retry_wait(LONGEST_WAIT.as_millis().try_into().unwrap_or(u64::MAX))
            .connection_timeout(self.connect_timeout)
            .response_timeout(self.timeout);
        #[cfg(feature = "tls")]
        let builder = match &access.authorities {
            Some(root) if access.tls => {
                let root_cert = Some(root.clone());
                builder.certs(redis::TlsCertificates { client_tls: None, root_cert })
            }
            _ => builder,
        };
        builder.build().map_err(failed)
    }

    pub(crate) async fn open_with(
        self,
        connection: impl ConnectionLike + Clone + Send + Sync + 'static,
    ) -> StoreResult<RedisStore> {
        let tracker = match self.watch.clone().map(|location| self.at(location)) {
            Some(location) => Some(self.tracker(&location, &self.access(&location)?)?),
            None => None,
        };
        let connection = Connection::other(connection, self.timeout);
        let answer = connection.ask(&info()).await;
        self.checked(connection, tracker, answer, false)
    }

    fn access(&self, location: &Location) -> StoreResult<Access> {
        #[cfg(not(feature = "tls"))]
        if location.tls {
            return Err(other("the URL asks for TLS; build tenure-redis with its feature `tls`"));
        }
        #[cfg(feature = "tls")]
        if location.tls {
            // Whichever provider the application has chosen stays.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        #[cfg(feature = "tls")]
        let authorities = match &self.ca_file {
            Some(path) => Some(std::fs::read(path).map_err(|error| {
                other(format!("RedisOptions::ca_file: {} cannot be read: {error}", path.display()))
            })?),
            None => None,
        };
        Ok(Access {
            user: location.user.clone(),
            password: location.password.clone(),
            database: location.database,
            tls: location.tls,
            #[cfg(feature = "tls")]
            authorities,
        })
    }

    /// The store, if what the servers say of themselves allows sessions to live there: `alone` if
    /// the connection finds no other server than its own.
    fn checked(
        self,
        connection: Connection,
        tracker: Option<Tracker>,
        answer: StoreResult<Value>,
        alone: bool,
    ) -> StoreResult<RedisStore> {
        let mut warnings = Vec::new();
        match answer {
            Ok(answer) => {
                let mut texts = Vec::new();
                collect(answer, &mut texts);
                for text in texts {
                    self.check(&text, alone, &mut warnings)?;
                }
            }
            Err(error) if is_forbidden(&error) => warnings.push(
                "whether Redis may evict sessions cannot be seen, since the user may not call \
                 INFO; see that `maxmemory-policy` is `noeviction`, or grant +info"
                    .to_owned(),
            ),
            Err(error) => return Err(error),
        }
        warnings.sort_unstable();
        warnings.dedup();
        #[cfg(feature = "tracing")]
        for warning in &warnings {
            tracing::warn!("{warning}");
        }
        RedisStore::new(connection, tracker, self.prefix, warnings)
    }

    fn check(&self, info: &str, alone: bool, warnings: &mut Vec<String>) -> StoreResult<()> {
        let says = |name: &str| {
            let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.map(str::trim)
        };
        if says("redis_mode") == Some("sentinel") {
            return Err(other(
                "this is a sentinel, not a server; connect by a URL \
                 redis+sentinel://host:port/master",
            ));
        }
        if alone && says("redis_mode") == Some("cluster") {
            return Err(other(
                "this server is part of a cluster; connect by a URL redis-cluster://host:port",
            ));
        }
        let version = says("redis_version").unwrap_or_default();
        let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        if !version.is_empty() && (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) < OLDEST {
            return Err(other(format!(
                "the server says that it is Redis {version}; sessions need 6.2 or newer"
            )));
        }
        if says("role") == Some("slave") {
            return Err(other(
                "this server is a replica, which takes no writes; connect to its master, or by \
                 redis+sentinel:// to whichever server is the master",
            ));
        }
        let memory = says("maxmemory").unwrap_or("0");
        let policy = says("maxmemory_policy").unwrap_or("noeviction");
        if memory != "0" && policy != "noeviction" {
            let what = format!(
                "Redis may throw away live sessions: `maxmemory` is {memory} and \
                 `maxmemory-policy` is {policy}"
            );
            if !self.allow_eviction {
                return Err(other(format!(
                    "{what}; set `maxmemory-policy noeviction`, best on a server for sessions \
                     alone, or accept it by RedisOptions::insecure_allow_eviction"
                )));
            }
            warnings.push(what);
        }
        Ok(())
    }
}

fn info() -> Cmd {
    redis::cmd("INFO")
}

/// What servers tell of themselves alone.
pub(crate) fn server_info() -> Cmd {
    let mut info = info();
    info.arg("server");
    info
}

/// Which processes the answers to [`server_info`] are from.
pub(crate) fn run_ids(answer: Value) -> BTreeSet<String> {
    let mut texts = Vec::new();
    collect(answer, &mut texts);
    let ids = texts.iter().flat_map(|text| text.lines());
    ids.filter_map(|line| Some(line.strip_prefix("run_id:")?.trim().to_owned())).collect()
}

/// The texts of one server or of all masters.
fn collect(answer: Value, texts: &mut Vec<String>) {
    match answer {
        Value::Map(nodes) => nodes.into_iter().for_each(|(_, text)| collect(text, texts)),
        Value::Array(nodes) => nodes.into_iter().for_each(|text| collect(text, texts)),
        Value::VerbatimString { text, .. } => texts.push(text),
        text => {
            if let Ok(text) = octets(text) {
                texts.push(String::from_utf8_lossy(&text).into_owned());
            }
        }
    }
}
