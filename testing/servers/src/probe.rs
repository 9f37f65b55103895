//! Whether a server answers, asked in its own protocol: an open port proves little, as some listen
//! long before they serve.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use crate::resp::{Reply, redis_command};

/// Asks at a port of 127.0.0.1.
pub(crate) type Probe = fn(u16) -> bool;

const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) fn redis(port: u16) -> bool {
    // While it still loads its data, this is an error.
    redis_command(port, &["PING"]).is_ok_and(|reply| matches!(reply, Reply::Text(_)))
}

/// A start-up message of protocol 3.0: asked for a password, one is through to the server proper.
/// Before that it answers `E`, also when it is still recovering.
pub(crate) fn postgres(port: u16) -> bool {
    const MESSAGE: &[u8] = b"\0\0\0\x25\0\x03\0\0user\0tenure\0database\0tenure\0\0";
    exchange(port, MESSAGE, 1).is_some_and(|reply| reply == b"R")
}

/// The server speaks first: a packet of number 0 that says protocol version 10.
pub(crate) fn mariadb(port: u16) -> bool {
    exchange(port, b"", 5).is_some_and(|reply| reply[3..] == [0, 10])
}

/// `{hello: 1, $db: "admin"}` as OP_MSG.
pub(crate) fn mongodb(port: u16) -> bool {
    const BODY: &[u8] = b"\x1f\0\0\0\x10hello\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0";
    let mut message = vec![0x34, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xdd, 7, 0, 0, 0, 0, 0, 0, 0];
    message.extend_from_slice(BODY);
    exchange(port, &message, 16).is_some_and(|reply| reply[12..] == [0xdd, 7, 0, 0])
}

pub(crate) fn http(port: u16) -> bool {
    let request = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    exchange(port, request, 12).is_some_and(|reply| &reply[9..] == b"200")
}

/// Whether it accepts connections: all that can be asked where only TLS is spoken.
pub(crate) fn open(port: u16) -> bool {
    connect(port).is_ok()
}

/// Sends the message and returns the first octets of the answer.
fn exchange(port: u16, message: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut stream = connect(port).ok()?;
    stream.write_all(message).ok()?;
    let mut reply = vec![0; length];
    stream.read_exact(&mut reply).ok()?;
    Some(reply)
}

/// A connection on which nothing takes longer than two seconds.
pub(crate) fn connect(port: u16) -> std::io::Result<TcpStream> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::ports;

    #[test]
    fn where_nobody_listens_nothing_is_ready() {
        let [port] = ports::<1>(&[]).expect("a free port");
        for probe in [redis, postgres, mariadb, mongodb, http] {
            assert!(!probe(port.number()));
        }
    }
}
