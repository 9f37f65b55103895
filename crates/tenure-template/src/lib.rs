#![doc = include_str!("../README.md")]

mod html;
#[cfg(feature = "minijinja")]
mod jinja;
#[cfg(feature = "tera")]
pub mod tera;
mod view;

pub use view::SessionView;
