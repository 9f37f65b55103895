//! What is particular to files, beyond the laws.

mod cache;
mod faults;
mod formats;
mod locks;
mod open;
mod people;
mod records;
mod support;
