//! Simple drivers: the laws in one process, by a trait, by closures and for each request.

mod driver;
mod laws;
mod per_request;
mod records;
