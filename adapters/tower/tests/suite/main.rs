//! The layer and the extractors, through HTTP. Names carry the ids of what they prove.

mod app;
mod budget;
mod caching;
mod client;
mod cookies;
mod failures;
mod groups;
mod hyper_server;
mod lazy;
mod life;
mod store;
mod values;
