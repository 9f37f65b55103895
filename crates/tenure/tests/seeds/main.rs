//! X15: the examples in the documents of five other session systems, each as an application of
//! `tenure` that does the same, over HTTP. The head of each file says what has none yet.

#![cfg(feature = "axum")]

mod adonis;
mod adonis_flash;
mod browser;
mod fastify;
mod ktor;
mod perfect;
mod vapor;
