//! The real server in a folder of its own, and visitors who talk to it over HTTP.

mod server;
mod visitor;

pub(crate) use self::server::{Server, refused};
pub(crate) use self::visitor::Visitor;
