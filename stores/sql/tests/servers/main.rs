//! What servers have in common: tables, logins, faults. Every test works on a real server.

#![cfg(all(feature = "postgres", feature = "mysql"))]

mod budget;
mod faults;
mod login;
mod mariadb;
mod migrate;
mod near;
mod postgres;
mod records;
mod sealed;
mod support;
mod tls;
