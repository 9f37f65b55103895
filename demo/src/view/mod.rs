//! The pages. All text is escaped by the templates; only the drawings of our own are markup.

mod account;
mod admin;
mod cart;
mod devices;
mod layout;
mod problem;
mod profile;
mod shop;

pub(crate) use self::account::LoginForm;
pub(crate) use self::admin::admin;
pub(crate) use self::devices::devices;
pub(crate) use self::layout::STYLE;
pub(crate) use self::problem::problem;
pub(crate) use self::profile::profile;
pub(crate) use self::shop::shop;
