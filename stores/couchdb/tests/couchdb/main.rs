//! What is CouchDB's own: URLs, databases, documents, requests, answers. Every test works on a
//! real server, or on one that only a proxy in between would be.

mod migrate;
mod open;
mod records;
mod requests;
mod support;
