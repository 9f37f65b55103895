use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::proxy::listener;
use crate::{Link, Proxy};

/// A [`Proxy`] before each of several servers that belong together and name each other in what they
/// answer: the nodes of a Redis Cluster, a master and its sentinels. In answers the port of a server
/// is replaced by that of its proxy, so that clients do not find a way around it.
///
/// ```
/// use tenure_testkit::{Link, Proxies};
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let servers = ["127.0.0.1:26379".parse().unwrap(), "127.0.0.1:26380".parse().unwrap()];
/// let proxies = Proxies::start(&servers).await?;
/// let url = proxies.in_url("redis-cluster://127.0.0.1:26379,127.0.0.1:26380");
/// assert!(!url.contains(":26379") && !url.contains(":26380"));
/// proxies.set(Link::Refused).await;
/// assert_eq!(proxies.cuts(), 0);
/// # Ok::<(), std::io::Error>(()) })?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Proxies {
    all: Vec<(SocketAddr, Proxy)>,
}

impl Proxies {
    /// Listens on a free port of 127.0.0.1 for each of the servers.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(servers: &[SocketAddr]) -> io::Result<Self> {
        let mut listeners = Vec::with_capacity(servers.len());
        let mut names = Names::default();
        for server in servers {
            let listener = listener().await?;
            // One alone names nobody else.
            if servers.len() > 1 {
                names.add(server.port(), listener.local_addr()?.port());
            }
            listeners.push(listener);
        }
        // One for all, so that a cut strikes once.
        let link = watch::Sender::default();
        let run = |(server, listener): (&SocketAddr, TcpListener)| {
            let (servers, names) = (Arc::new([*server]), names.clone());
            Ok((*server, Proxy::run(listener, servers, names, link.clone())?))
        };
        Ok(Self { all: servers.iter().zip(listeners).map(run).collect::<io::Result<_>>()? })
    }

    /// A URL with the proxies' places instead of those of the servers, as far as it names them.
    #[must_use]
    pub fn in_url(&self, url: &str) -> String {
        self.all.iter().fold(url.to_owned(), |url, (server, proxy)| {
            url.replace(&server.to_string(), &proxy.address().to_string())
        })
    }

    /// Changes the link of all. A [`Link::Cut`] strikes once.
    pub async fn set(&self, link: Link) {
        for (_, proxy) in &self.all {
            proxy.set(link.clone()).await;
        }
    }

    /// How often a [`Link::Cut`] has struck.
    #[must_use]
    pub fn cuts(&self) -> usize {
        self.all.iter().map(|(_, proxy)| proxy.cuts()).sum()
    }
}

/// Ports of servers, and those of their proxies.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names(Arc<[(String, String)]>);

impl Names {
    fn add(&mut self, server: u16, proxy: u16) {
        let (server, proxy) = (server.to_string(), proxy.to_string());
        // Answers tell lengths, too.
        assert_eq!(server.len(), proxy.len(), "ports have the same number of digits");
        self.0 = self.0.iter().cloned().chain([(server, proxy)]).collect();
    }

    /// Replaces the servers' ports where they end a line and are no part of a longer number, as all
    /// of Redis's answers have them. Answers with ports are short, and come in one piece.
    pub(crate) fn replace(&self, piece: &mut [u8]) {
        for (server, proxy) in &*self.0 {
            let (from, to) = (server.as_bytes(), proxy.as_bytes());
            for at in 1..(piece.len() + 1).saturating_sub(from.len() + 2) {
                let end = at + from.len();
                if piece[end] == b'\r' && piece[at..end] == *from && !piece[at - 1].is_ascii_digit()
                {
                    piece[at..end].copy_from_slice(to);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_replaced_and_longer_numbers_are_not() {
        let mut names = Names::default();
        names.add(21_234, 45_678);
        names.add(21_235, 45_679);
        let answer = "*2\r\n$9\r\n127.0.0.1\r\n$5\r\n21234\r\n-MOVED 7 127.0.0.1:21235\r\n\
                      $13\r\n1700000021234\r\n:21235\r\n21234";
        let expected = "*2\r\n$9\r\n127.0.0.1\r\n$5\r\n45678\r\n-MOVED 7 127.0.0.1:45679\r\n\
                        $13\r\n1700000021234\r\n:45679\r\n21234";
        let mut piece = answer.as_bytes().to_vec();
        names.replace(&mut piece);
        assert_eq!(String::from_utf8_lossy(&piece), expected);
        for mut short in ["", "\r", "21234", "21234\r"].map(|text| text.as_bytes().to_vec()) {
            names.replace(&mut short);
        }
    }
}
