//! What a handler holds: the session, its keys, and what it recorded.

mod auth;
mod csrf;
mod detached;
mod devices;
mod facts;
mod flash;
mod handle;
mod journal;
mod key;
mod lazy;
mod life;
mod login;
mod one_shot;
mod principal;
mod read;
mod record;
mod remember;
mod reserved;
mod typed;
mod undecodable;
mod urls;
mod write;

pub use auth::AuthLevel;
pub(crate) use auth::external_id;
pub use detached::Detached;
pub(crate) use flash::Flash;
pub use flash::{FlashMessages, Level};
pub use handle::Session;
pub(crate) use journal::Journal;
pub use key::{AsKey, AsName, CounterKey, Key};
pub use lazy::LazySession;
pub use login::Login;
pub use principal::Principal;
pub use typed::{SessionData, Typed};
pub use urls::LocalPath;
