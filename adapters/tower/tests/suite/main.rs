//! The layer and the extractors, through HTTP. Names carry the ids of what they prove.

mod client;
mod groups;
mod hyper_server;
mod lazy;
