//! The recipes in `examples`, through HTTP. Names carry the ids of what they prove.

mod api_and_browser;
mod client;
mod client_cookie;
mod cors;
mod identity_provider;
mod login_argon2;
mod oauth_pkce;
mod server_cookie;
#[cfg(feature = "file")]
mod server_header;
mod server_sent_events;
mod spa_cors;
mod tenants;
mod websocket;
