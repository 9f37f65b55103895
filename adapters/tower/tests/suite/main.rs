//! The layer and the extractors, through HTTP. Names carry the ids of what they prove.

mod app;
mod auth;
mod bodies;
mod budget;
mod caching;
mod client;
mod cookies;
mod crowd;
mod csrf;
mod failures;
mod groups;
mod guards;
mod hyper_server;
mod layers;
mod lazy;
mod life;
mod outside;
mod sealed;
mod security;
mod shared_cache;
mod skipped;
mod smuggling;
mod store;
mod typed;
mod urls;
mod values;
