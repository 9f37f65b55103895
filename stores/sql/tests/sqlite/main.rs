//! What is SQLite's own: files, pools, tables, processes. Every test works on a real file.

#![cfg(feature = "sqlite")]

mod formats;
mod migrate;
mod open;
mod parallel;
mod people;
mod processes;
mod records;
mod support;
