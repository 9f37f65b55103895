//! The recipes in `examples`, through HTTP. Names carry the ids of what they prove.

mod client;
mod identity_provider;
mod login_argon2;
mod oauth_pkce;
mod server_sent_events;
mod spa_cors;
mod tenants;
mod websocket;
