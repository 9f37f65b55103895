//! The recipes in `examples`, through HTTP. Names carry the ids of what they prove.

mod client;
mod login_argon2;
mod server_sent_events;
mod spa_cors;
mod tenants;
mod websocket;
