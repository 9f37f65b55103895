//! What a URL says about where Redis is and how to get in.

use redis::{
    Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion,
    RedisConnectionInfo,
};
use tenure_core::store::StoreResult;

use crate::error::{failed, other};

const PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26_379;

/// A parsed URL.
#[derive(Clone)]
pub(crate) struct Location {
    pub(crate) kind: Kind,
    pub(crate) hosts: Vec<Host>,
    pub(crate) tls: bool,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) database: i64,
}

/// How many servers work together, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Server,
    Cluster,
    /// The master of this name.
    Sentinel(String),
}

/// A server's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    pub(crate) name: String,
    pub(crate) port: u16,
}

/// How to get into a server.
#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) database: i64,
    pub(crate) tls: bool,
    /// The certificates of the authorities to trust, as PEM text, instead of the system's.
    #[cfg(feature = "tls")]
    pub(crate) authorities: Option<Vec<u8>>,
}

impl Access {
    pub(crate) fn client(&self, host: &Host) -> StoreResult<Client> {
        let info = self.info(host)?;
        #[cfg(feature = "tls")]
        if let (true, Some(root)) = (self.tls, &self.authorities) {
            let certificates =
                redis::TlsCertificates { client_tls: None, root_cert: Some(root.clone()) };
            return Client::build_with_tls(info, certificates).map_err(failed);
        }
        Client::open(info).map_err(failed)
    }

    pub(crate) fn info(&self, host: &Host) -> StoreResult<ConnectionInfo> {
        let (host, port) = (host.name.clone(), host.port);
        let address = if self.tls {
            ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
        } else {
            ConnectionAddr::Tcp(host, port)
        };
        // The third version of the protocol tells at once when a connection ends.
        let mut settings = RedisConnectionInfo::default()
            .set_db(self.database)
            .set_protocol(ProtocolVersion::RESP3);
        if let Some(user) = &self.user {
            settings = settings.set_username(user);
        }
        if let Some(password) = &self.password {
            settings = settings.set_password(password);
        }
        Ok(address.into_connection_info().map_err(failed)?.set_redis_settings(settings))
    }
}

impl Location {
    /// The server on this machine.
    pub(crate) fn local() -> Self {
        Self {
            kind: Kind::Server,
            hosts: vec![Host { name: "127.0.0.1".to_owned(), port: PORT }],
            tls: false,
            user: None,
            password: None,
            database: 0,
        }
    }

    pub(crate) fn parse(url: &str) -> StoreResult<Self> {
        let wrong = |what: &str| {
            // The URL itself may hold a password.
            other(format!(
                "the URL of Redis {what}; write redis://user:password@host:port/database, \
                 redis-cluster://user:password@host:port,host:port or \
                 redis+sentinel://user:password@host:port,host:port/master/database, with rediss \
                 instead of redis for TLS"
            ))
        };
        let (scheme, rest) = url.split_once("://").ok_or_else(|| wrong("has no scheme"))?;
        let (clustered, sentinel, tls) = match scheme {
            "redis" => (false, false, false),
            "rediss" => (false, false, true),
            "redis-cluster" => (true, false, false),
            "rediss-cluster" => (true, false, true),
            "redis+sentinel" => (false, true, false),
            "rediss+sentinel" => (false, true, true),
            _ => return Err(wrong("has a scheme that is not known")),
        };
        if rest.contains(['?', '#']) {
            return Err(wrong("has parameters, and none is known"));
        }
        let (credentials, rest) = match rest.rsplit_once('@') {
            Some((credentials, rest)) => (Some(credentials), rest),
            None => (None, rest),
        };
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        let decoded = |text: &str| {
            let text = decode(text).ok_or_else(|| wrong("has a percent sign that escapes nothing"));
            text.map(|text| (!text.is_empty()).then_some(text))
        };
        let (user, password) = match credentials.map(|text| text.split_once(':')) {
            None => (None, None),
            Some(Some((user, password))) => (decoded(user)?, decoded(password)?),
            Some(None) => return Err(wrong("has a user without a password")),
        };
        let default = if sentinel { SENTINEL_PORT } else { PORT };
        let hosts = if hosts.is_empty() {
            Self::local().hosts
        } else {
            hosts
                .split(',')
                .map(|host| parse_host(host, default))
                .collect::<Option<Vec<_>>>()
                .ok_or_else(|| wrong("has a host or port that cannot be read"))?
        };
        if hosts.len() > 1 && !clustered && !sentinel {
            return Err(wrong("names several hosts, which only a cluster or Sentinel has"));
        }
        let (name, database) = if sentinel {
            let (name, database) = path.split_once('/').unwrap_or((path, ""));
            (decoded(name)?.ok_or_else(|| wrong("does not name the master"))?, database)
        } else {
            (String::new(), path)
        };
        let database = match database {
            "" => 0,
            number => number
                .parse()
                .ok()
                .filter(|number: &i64| *number >= 0)
                .ok_or_else(|| wrong("has a database that is no number"))?,
        };
        if clustered && database != 0 {
            return Err(wrong("names a database, and a cluster has but one"));
        }
        let kind = match (clustered, sentinel) {
            (true, _) => Kind::Cluster,
            (_, true) => Kind::Sentinel(name),
            _ => Kind::Server,
        };
        Ok(Self { kind, hosts, tls, user, password, database })
    }
}

/// A host, with a port or without; IPv6 addresses stand in brackets.
fn parse_host(text: &str, default: u16) -> Option<Host> {
    let (name, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (name, after) = rest.split_once(']')?;
            (name, if after.is_empty() { None } else { Some(after.strip_prefix(':')?) })
        }
        None => match text.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (text, None),
        },
    };
    let port = port.map_or(Some(default), |port| port.parse().ok())?;
    (!name.is_empty()).then(|| Host { name: name.to_owned(), port })
}

/// Text in which `%` and two hexadecimal digits stand for an octet.
fn decode(text: &str) -> Option<String> {
    let mut pieces = text.split('%');
    let mut octets = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        octets.push(u8::from_str_radix(piece.get(..2)?, 16).ok()?);
        octets.extend_from_slice(&piece.as_bytes()[2..]);
    }
    String::from_utf8(octets).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(location: &Location) -> Vec<String> {
        location.hosts.iter().map(|host| format!("{}:{}", host.name, host.port)).collect()
    }

    #[test]
    fn urls_say_where_redis_is() {
        let one = Location::parse("redis://ada:p%40ss@cache.test:7000/3").unwrap();
        assert_eq!((one.kind.clone(), hosts(&one)), (Kind::Server, vec!["cache.test:7000".into()]));
        assert_eq!((one.user.as_deref(), one.password.as_deref()), (Some("ada"), Some("p@ss")));
        assert_eq!((one.database, one.tls), (3, false));

        let local = Location::parse("redis://").unwrap();
        assert_eq!(hosts(&local), ["127.0.0.1:6379"]);
        let password = Location::parse("rediss://:secret@[::1]").unwrap();
        assert_eq!((password.user, password.password.as_deref()), (None, Some("secret")));
        assert!(password.tls);
        assert_eq!(password.hosts[0], Host { name: "::1".into(), port: 6379 });

        let cluster = Location::parse("redis-cluster://a,b:7001").unwrap();
        assert_eq!(
            (cluster.kind.clone(), hosts(&cluster)),
            (Kind::Cluster, vec!["a:6379".into(), "b:7001".into()])
        );
        let sentinel = Location::parse("redis+sentinel://u:p@a,b:26380/main/2").unwrap();
        assert_eq!(sentinel.kind, Kind::Sentinel("main".into()));
        assert_eq!(
            (hosts(&sentinel), sentinel.database),
            (vec!["a:26379".into(), "b:26380".into()], 2)
        );
    }

    #[test]
    fn a_url_that_cannot_be_read_is_refused_without_printing_it() {
        for url in [
            "redis:secret",
            "http://secret",
            "redis://secret@host",
            "redis://u:secret@host:port",
            "redis://u:secret@host/database",
            "redis://u:secret@host/-1",
            "redis://u:secret%4@host",
            "redis://u:secret@a,b",
            "redis://u:secret@:1",
            "redis://u:secret@[::1",
            "redis://u:secret@host?db=1",
            "redis-cluster://u:secret@a,b/1",
            "redis+sentinel://u:secret@a,b",
        ] {
            let error = Location::parse(url).err().expect(url).to_string();
            assert!(error.starts_with("the URL of Redis "), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
