use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream, ToSocketAddrs};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use crate::proxies::Names;
use crate::rng::fresh;

/// How much is read at once; the requests of a store are smaller.
const PIECE: usize = 64 * 1024;
/// On loopback a connection begins within less than this, or never.
const SOON: Duration = Duration::from_millis(50);
/// How long the proxy's own port may take to be free again.
const PATIENCE: Duration = Duration::from_secs(10);

/// A TCP proxy on loopback between a store and its server, whose [`Link`] a test can break.
///
/// It runs on the tokio runtime that it was started on, and ends when it is dropped.
///
/// ```
/// use tenure_testkit::{Link, Proxy};
/// use tokio::net::TcpListener;
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let server = TcpListener::bind("127.0.0.1:0").await?;
/// let proxy = Proxy::start(server.local_addr()?).await?;
/// proxy.set(Link::Refused).await;
/// assert!(tokio::net::TcpStream::connect(proxy.address()).await.is_err());
/// proxy.set(Link::Sound).await;
/// assert!(tokio::net::TcpStream::connect(proxy.address()).await.is_ok());
/// # Ok::<(), std::io::Error>(()) })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Proxy {
    address: SocketAddr,
    orders: mpsc::UnboundedSender<Order>,
    cuts: Arc<AtomicUsize>,
}

/// The state of the connections through a [`Proxy`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Link {
    /// Everything passes.
    #[default]
    Sound,
    /// Nobody listens, and connections that were open are reset.
    Refused,
    /// Connections stay open and begin, but nothing passes until the link changes; then what was
    /// held back does. A black hole, and for a time a stall.
    Silent,
    /// Nothing passes, not even the beginning of a connection, and what is sent is lost: when the
    /// link changes, connections that were open are reset.
    BlackHole,
    /// Every piece passes so much later, or when the link changes.
    Slow(Duration),
    /// Of the answer to the next request that contains these octets so many octets pass, then the
    /// connection is reset, and the link is sound again. With 0 the answer is lost though the
    /// server has acted. An empty needle is in every request.
    Cut {
        /// What the request contains.
        request: Vec<u8>,
        /// How many octets of the answer pass.
        after: usize,
    },
}

type Order = (Link, oneshot::Sender<()>);

impl Proxy {
    /// Listens on a free port of 127.0.0.1 and connects to `server` for every connection.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(server: impl ToSocketAddrs) -> io::Result<Self> {
        let servers: Vec<_> = tokio::net::lookup_host(server).await?.collect();
        let listener = listener().await?;
        Self::run(listener, servers.into(), Names::default(), watch::Sender::default())
    }

    pub(crate) fn run(
        listener: TcpListener,
        servers: Arc<[SocketAddr]>,
        names: Names,
        link: watch::Sender<Link>,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (orders, received) = mpsc::unbounded_channel();
        let cuts = Arc::<AtomicUsize>::default();
        let way = Way { servers, names, link, cuts: Arc::clone(&cuts) };
        tokio::spawn(run(listener, address, way, received));
        Ok(Self { address, orders, cuts })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a server, with the place of the proxy instead of that of the server:
    /// `scheme://user@host:port/path` keeps everything but host and port.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// let proxy = tenure_testkit::Proxy::start("127.0.0.1:6379").await?;
    /// let url = proxy.in_url("redis://:secret@localhost:6379/0");
    /// assert_eq!(url, format!("redis://:secret@{}/0", proxy.address()));
    /// # Ok::<(), std::io::Error>(()) })?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn in_url(&self, url: &str) -> String {
        let start = url.find("://").map_or(0, |at| at + 3);
        let end = url[start..].find(['/', '?']).map_or(url.len(), |at| start + at);
        let start = url[start..end].rfind('@').map_or(start, |at| start + at + 1);
        format!("{}{}{}", &url[..start], self.address, &url[end..])
    }

    /// How often a [`Link::Cut`] has struck.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// let proxy = tenure_testkit::Proxy::start("127.0.0.1:6379").await?;
    /// assert_eq!(proxy.cuts(), 0);
    /// # Ok::<(), std::io::Error>(()) })?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn cuts(&self) -> usize {
        self.cuts.load(Ordering::Relaxed)
    }

    /// Changes the link, for connections that are open, too.
    ///
    /// # Panics
    /// When the runtime that the proxy was started on has ended, or its port is taken by somebody
    /// else when it is to listen again.
    pub async fn set(&self, link: Link) {
        let (done, wait) = oneshot::channel();
        self.orders.send((link, done)).expect("the proxy runs as long as its runtime");
        wait.await.expect("the proxy listens on its port again");
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Below the range from which the system takes the ports of clients, where one could take the port
/// while nobody listens on it.
const FIRST_PORT: u16 = 12_000;
const PORTS: u16 = 8_000;

/// Listens on a port of 127.0.0.1 that is free.
pub(crate) async fn listener() -> io::Result<TcpListener> {
    let mut last = None;
    for _ in 0..100 {
        let port = FIRST_PORT + u16::from_be_bytes(fresh()) % PORTS;
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
            Ok(listener) => return Ok(listener),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| io::Error::other("no port is free")))
}

/// What every connection needs to know.
#[derive(Clone)]
struct Way {
    servers: Arc<[SocketAddr]>,
    names: Names,
    link: watch::Sender<Link>,
    cuts: Arc<AtomicUsize>,
}

/// What becomes of those who want to connect.
enum Door {
    Open(TcpListener),
    /// They are refused.
    Shut,
    /// They get no answer: nobody accepts, and there is no room to wait.
    Full {
        _listener: TcpListener,
        _waiting: Vec<TcpStream>,
    },
}

impl Door {
    fn suits(&self, link: &Link) -> bool {
        match link {
            Link::Refused => matches!(self, Self::Shut),
            Link::BlackHole => matches!(self, Self::Full { .. }),
            _ => matches!(self, Self::Open(_)),
        }
    }

    async fn of(link: &Link, address: SocketAddr) -> io::Result<Self> {
        match link {
            Link::Refused => Ok(Self::Shut),
            Link::BlackHole => Self::full(address).await,
            _ => Ok(Self::Open(TcpListener::bind(address).await?)),
        }
    }

    /// The same, once the port is free: a process that is just being started holds whatever its
    /// parent had open, for a moment.
    async fn soon(link: &Link, address: SocketAddr) -> io::Result<Self> {
        let begun = Instant::now();
        loop {
            match Self::of(link, address).await {
                Err(error)
                    if error.kind() == io::ErrorKind::AddrInUse && begun.elapsed() < PATIENCE =>
                {
                    tokio::time::sleep(SOON).await;
                }
                done => return done,
            }
        }
    }

    async fn full(address: SocketAddr) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let listener = socket.listen(0)?;
        let mut waiting = Vec::new();
        while let Ok(connected) = timeout(SOON, TcpStream::connect(address)).await {
            waiting.push(connected?);
        }
        Ok(Self::Full { _listener: listener, _waiting: waiting })
    }

    async fn accept(&self) -> Option<TcpStream> {
        match self {
            Self::Open(listener) => listener.accept().await.ok().map(|(client, _)| client),
            Self::Shut | Self::Full { .. } => std::future::pending().await,
        }
    }
}

/// Accepts connections and obeys orders, until nobody can give any.
async fn run(
    listener: TcpListener,
    address: SocketAddr,
    way: Way,
    mut orders: mpsc::UnboundedReceiver<Order>,
) {
    let mut door = Door::Open(listener);
    loop {
        tokio::select! {
            order = orders.recv() => {
                let Some((next, done)) = order else {
                    way.link.send_replace(Link::Refused);
                    return;
                };
                if !door.suits(&next) {
                    // Its port is free first.
                    drop(std::mem::replace(&mut door, Door::Shut));
                    door = Door::soon(&next, address).await.expect("its own port");
                }
                way.link.send_replace(next);
                let _ = done.send(());
            }
            Some(client) = door.accept() => {
                let way = way.clone();
                tokio::spawn(async move { connected(client, &way).await });
            }
        }
    }
}

/// The connection is over: both ends are to see it reset.
struct Broken;

/// Carries one connection until both ends have closed it, or the link breaks.
async fn connected(client: TcpStream, way: &Way) {
    let Ok(server) = TcpStream::connect(&*way.servers).await else {
        let _ = client.set_zero_linger();
        return;
    };
    for stream in [&client, &server] {
        let _ = stream.set_nodelay(true);
    }
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let cut = Mutex::new(None);
    let carried = tokio::try_join!(
        carry(&mut from_client, &mut to_server, &way.link, |piece| {
            if let Some(after) = struck(&way.link, piece) {
                *cut.lock().unwrap_or_else(PoisonError::into_inner) = Some(after);
            }
            piece.len()
        }),
        carry(&mut from_server, &mut to_client, &way.link, |piece| {
            way.names.replace(piece);
            let mut cut = cut.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(left) = &mut *cut else { return piece.len() };
            let passes = piece.len().min(*left);
            *left -= passes;
            if passes < piece.len() {
                way.cuts.fetch_add(1, Ordering::Relaxed);
            }
            passes
        }),
    );
    if carried.is_err() {
        let _ = from_client.as_ref().set_zero_linger();
        let _ = from_server.as_ref().set_zero_linger();
        // Or they would close in order first.
        to_client.forget();
        to_server.forget();
    }
}

/// Carries one direction. `passes` sees every piece and tells how much of it goes on; if that is
/// not all of it, the connection is broken.
async fn carry(
    from: &mut OwnedReadHalf,
    to: &mut OwnedWriteHalf,
    link: &watch::Sender<Link>,
    mut passes: impl FnMut(&mut [u8]) -> usize,
) -> Result<(), Broken> {
    let mut changes = link.subscribe();
    let mut room = vec![0; PIECE];
    loop {
        let read = tokio::select! {
            biased;
            _ = changes.wait_for(breaks) => None,
            read = from.read(&mut room) => Some(read.map_err(|_| Broken)?),
        };
        let now = changes.wait_for(|link| *link != Link::Silent).await.map_err(|_| Broken)?.clone();
        let Some(read) = read.filter(|_| !breaks(&now)) else {
            // What is lost in a black hole is known to be lost only afterwards.
            let _ = changes.wait_for(|link| *link != Link::BlackHole).await;
            return Err(Broken);
        };
        if let Link::Slow(by) = now {
            let _ = timeout(by, changes.wait_for(|link| !matches!(link, Link::Slow(_)))).await;
        }
        let passing = passes(&mut room[..read]);
        to.write_all(&room[..passing]).await.map_err(|_| Broken)?;
        if passing < read {
            return Err(Broken);
        }
        if read == 0 {
            return to.shutdown().await.map_err(|_| Broken);
        }
    }
}

/// Whether a link ends the connections that are open.
fn breaks(link: &Link) -> bool {
    matches!(link, Link::Refused | Link::BlackHole)
}

/// Whether the link is cut by this request, which is none if it is the end of the connection, and after how many octets of the answer. It is sound
/// again for all others.
fn struck(link: &watch::Sender<Link>, piece: &[u8]) -> Option<usize> {
    let mut struck = None;
    link.send_if_modified(|link| {
        if let Link::Cut { request, after } = link
            && !piece.is_empty()
            && (request.is_empty() || piece.windows(request.len()).any(|part| part == request))
        {
            struck = Some(*after);
            *link = Link::Sound;
        }
        struck.is_some()
    });
    struck
}
