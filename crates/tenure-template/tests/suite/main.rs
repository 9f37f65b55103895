//! What pages see of sessions. Names carry the ids of what they prove.

mod csrf;
mod examples;
mod http;
mod jinja;
mod next;
mod tera;
mod view;
