use std::sync::Arc;

use http::{HeaderMap, HeaderName};

use super::{Presented, Transport};
use crate::error::{Error, Result};

/// The transports of sessions: the first by which a request came is read, and answers.
#[derive(Clone, Debug)]
pub(crate) struct Transports {
    ways: Arc<[Arc<dyn Transport>]>,
    main: usize,
}

/// How a request came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arrived {
    /// The transport that answers, unless a handler asks for another one.
    pub(crate) index: usize,
    /// How many transports were asked until one matched; all if none did.
    asked: usize,
    pub(crate) presented: Presented,
}

impl Arrived {
    /// By this transport, which is not to be looked at again.
    pub(crate) fn with_nothing(index: usize) -> Self {
        Self { index, ..Self::default() }
    }
}

impl Transports {
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for two transports of one name.
    pub(crate) fn new(transports: Vec<Arc<dyn Transport>>) -> Result<Self> {
        for (index, transport) in transports.iter().enumerate() {
            let name = transport.name(true);
            if transports[..index].iter().any(|other| other.name(true) == name) {
                return Err(Error::config(format!(
                    "transports: two of them have the name {name:?}; leave one out, or rename it"
                )));
            }
        }
        let main = transports.iter().position(|transport| transport.is_ambient()).unwrap_or(0);
        Ok(Self { ways: transports.into(), main })
    }

    pub(crate) fn get(&self, index: usize) -> &dyn Transport {
        &*self.ways[index]
    }

    /// The one that answers where none matches: a browser cannot ask for cookies, other clients can
    /// ask for theirs.
    pub(crate) fn main(&self) -> &dyn Transport {
        self.get(self.main)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &dyn Transport> {
        self.ways.iter().map(|transport| &**transport)
    }

    /// Which one has this name.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.iter().position(|transport| transport.name(true) == name)
    }

    /// Finds out how a request came, and keeps what it presented there.
    pub(crate) fn arrive(&self, headers: &HeaderMap, secure: bool) -> Arrived {
        if let [only] = &*self.ways {
            let presented = Presented::of(headers, only.request_header());
            return Arrived { index: 0, asked: 1, presented };
        }
        for (index, transport) in self.iter().enumerate() {
            let presented = Presented::of(headers, transport.request_header());
            if !presented.is_empty() && transport.matches(&presented, secure) {
                return Arrived { index, asked: index + 1, presented };
            }
        }
        Arrived { index: self.main, asked: self.ways.len(), presented: Presented::default() }
    }

    /// The headers of the request that responses depend on.
    pub(crate) fn vary(&self, arrived: &Arrived) -> impl Iterator<Item = &HeaderName> {
        self.iter().take(arrived.asked.max(1)).map(Transport::request_header)
    }
}
