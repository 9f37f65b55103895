//! The manual: how sessions live, what is defended, what to choose, and how to do what.
//!
//! 1. [The lifecycle](lifecycle) of a session and of a request: what costs which store call, when a
//!    cookie is sent, how parallel requests are merged, what a logout ends.
//! 2. [Threats](threats): what is defended, how, and what is left to the application.
//! 3. [Defaults](defaults): every one of them, and why.
//! 4. [Logging in](log_in): log-in, "remember me", second factors, OAuth, "your devices".
//! 5. [Recipes](recipes): forms, streams, APIs, proxies, several sessions, and tests.
//! 6. [Transports](transports): cookies, headers and bearer tokens, what responses vary on, and
//!    sessions that their clients keep.
//! 7. [Operating](operating): stores, sweeping, probes, metrics, keys, configuration, outages.
//! 8. [Migration](migration) from tower-sessions, axum_session and actix-session.
//! 9. [Keys](keys): rotation, signed and sealed values, data encrypted at rest.
//!
//! Every program in it is run by the tests. Chapters 4 and 5 need the features `axum` and
//! `template`; the others need none.

pub mod defaults {
    #![doc = include_str!("defaults.md")]
}

pub mod keys {
    #![doc = include_str!("keys.md")]
}

pub mod lifecycle {
    #![doc = include_str!("lifecycle.md")]
}

pub mod log_in {
    #![doc = include_str!("log_in.md")]
}

pub mod migration {
    #![doc = include_str!("migration.md")]
}

pub mod operating {
    #![doc = include_str!("operating.md")]
}

pub mod recipes {
    #![doc = include_str!("recipes.md")]
}

pub mod threats {
    #![doc = include_str!("threats.md")]
}

pub mod transports {
    #![doc = include_str!("transports.md")]
}
