//! What is special about Redis, on real servers that the tests may break.

mod budget;
mod closures;
mod cluster;
mod failover;
mod near_cache;
mod near_cache_lost;
mod open;
mod outages;
mod people;
mod records;
mod sealed;
mod support;
mod tls;
mod together;
