//! How each server is set up: one file each, and what those of Redis with replicas share.

mod couchdb;
mod mariadb;
mod mongodb;
mod pgbouncer;
mod postgres;
mod redis;
mod redis_cluster;
mod redis_sentinel;
mod replication;
