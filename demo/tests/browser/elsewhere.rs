use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// A page of another origin. It is gone with the value.
pub(super) struct Elsewhere {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    serving: Option<JoinHandle<()>>,
}

impl Elsewhere {
    /// Its one button posts to `target`.
    pub(super) fn posting(target: &str) -> Self {
        Self::start(format!(
            "<!doctype html><title>You have won</title>\
             <form method=\"post\" action=\"{target}\"><button id=\"steal\">Collect</button></form>"
        ))
    }

    /// It has `target` in a frame.
    pub(super) fn framing(target: &str) -> Self {
        Self::start(format!(
            "<!doctype html><title>Partner</title><iframe id=\"frame\" src=\"{target}\"></iframe>"
        ))
    }

    fn start(page: String) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let serving = std::thread::spawn(move || {
            for connection in listener.incoming() {
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                // A browser opens connections that it never uses.
                let _ = connection.and_then(|connection| answer(connection, &page));
            }
        });
        Self { address, stop, serving: Some(serving) }
    }

    pub(super) fn url(&self, host: &str) -> String {
        format!("http://{host}:{}/", self.address.port())
    }
}

fn answer(mut connection: TcpStream, page: &str) -> std::io::Result<()> {
    connection.set_read_timeout(Some(std::time::Duration::from_millis(500)))?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut octet = [0];
        connection.read_exact(&mut octet)?;
        head.push(octet[0]);
    }
    let length = page.len();
    write!(
        connection,
        "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{page}"
    )
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let woken = TcpStream::connect(self.address);
        if let (Ok(_), Some(serving)) = (woken, self.serving.take()) {
            let _ = serving.join();
        }
    }
}
