//! Just enough of Redis' protocol to set servers up and to ask them what they are.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use crate::error::failed;
use crate::probe::connect;
use crate::{Error, Result};

/// What Redis answered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply {
    /// A text, whether simple or of any octets; what is no UTF-8 is replaced.
    Text(String),
    /// A number.
    Number(i64),
    /// Several.
    List(Vec<Reply>),
    /// Nothing there.
    Nil,
}

impl Reply {
    /// The text, or nothing.
    #[must_use]
    pub fn text(&self) -> &str {
        if let Self::Text(text) = self { text } else { "" }
    }
}

/// Sends one command to the Redis or Valkey at this port of 127.0.0.1.
///
/// ```no_run
/// use tenure_test_servers::{Options, Server, redis_command};
///
/// let redis = Server::redis(&Options::new())?;
/// let reply = redis_command(redis.nodes()[0].port(), &["INFO", "commandstats"])?;
/// println!("{}", reply.text());
/// # Ok::<(), tenure_test_servers::Error>(())
/// ```
///
/// # Errors
/// When it does not answer within two seconds, or answers with an error.
pub fn redis_command(port: u16, command: &[&str]) -> Result<Reply> {
    let what = format!("{} at port {port}", command.join(" "));
    let broken = |error: std::io::Error| failed(&what)(error);
    let mut stream = connect(port).map_err(broken)?;
    let mut request = format!("*{}\r\n", command.len());
    for word in command {
        request.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    stream.write_all(request.as_bytes()).map_err(broken)?;
    read(&mut BufReader::new(stream)).map_err(|error| error.context(&what))
}

fn read(reader: &mut BufReader<TcpStream>) -> Result<Reply> {
    let mut line = String::new();
    reader.read_line(&mut line).map_err(failed("no answer"))?;
    let line = line.trim_end();
    let (kind, rest) = line.split_at_checked(1).ok_or_else(|| Error::new("no answer"))?;
    let number = || rest.parse::<i64>().map_err(failed(line));
    match kind {
        "+" => Ok(Reply::Text(rest.to_owned())),
        ":" => number().map(Reply::Number),
        "$" => {
            let Ok(length) = usize::try_from(number()?) else { return Ok(Reply::Nil) };
            let mut text = vec![0; length + 2];
            reader.read_exact(&mut text).map_err(failed("the answer broke off"))?;
            text.truncate(length);
            Ok(Reply::Text(String::from_utf8_lossy(&text).into_owned()))
        }
        "*" => {
            let Ok(length) = usize::try_from(number()?) else { return Ok(Reply::Nil) };
            (0..length).map(|_| read(reader)).collect::<Result<_>>().map(Reply::List)
        }
        _ => Err(Error::new(rest)),
    }
}
