//! What a session says about the visitor, for the pages to show.

use serde::{Deserialize, Serialize};
use tenure::session::FlashMessages;
use tenure::{Key, Result, Session, UserId};

use crate::shop::Cart;

pub(crate) const CART: Key<Cart> = Key::new("cart");
pub(crate) const PROFILE: Key<Profile> = Key::new("profile");
pub(crate) const THEME: Key<Theme> = Key::new("theme");
pub(crate) const VISITS: Key<u64> = Key::new("visits");

/// Without a choice the page follows the device.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Theme {
    Light,
    Dark,
}

/// What users tell about themselves.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) email: String,
}

/// Who is looking at the page. The default is somebody of whom nothing is known.
#[derive(Default)]
pub(crate) struct Visitor {
    pub(crate) user: Option<UserId>,
    pub(crate) visits: u64,
    pub(crate) cart: Cart,
    pub(crate) theme: Option<Theme>,
    /// What earlier requests have to say; no later page says it again.
    pub(crate) messages: FlashMessages,
}

impl Visitor {
    pub(crate) fn of(session: &Session) -> Result<Self> {
        Ok(Self {
            user: session.user(),
            visits: session.get(VISITS)?.unwrap_or_default(),
            cart: session.get(CART)?.unwrap_or_default(),
            theme: session.get(THEME)?,
            messages: session.flash_messages()?,
        })
    }
}

impl Theme {
    /// As the stylesheet, the form and the session have it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}
