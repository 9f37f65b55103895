//! Keeps sessions by a connection that the application uses for other things, too.
//!
//! ```sh
//! cargo run -p tenure-redis --example own_connection redis://127.0.0.1/
//! ```

use redis::AsyncCommands;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use tenure_core::Sessions;
use tenure_core::transform::{Keyring, SecretKey};
use tenure_redis::RedisOptions;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "redis://127.0.0.1/".to_owned());
    // A manager connects again by itself; a plain connection would stay broken.
    let client = redis::Client::open(url)?;
    let mut connection =
        ConnectionManager::new_with_config(client, ConnectionManagerConfig::new()).await?;
    let () = connection.set("visits", 0).await?;

    let store = RedisOptions::new().prefix("shop:")?.with_connection(connection.clone()).await?;
    let sessions = Sessions::builder()
        .store(store)
        .signing_keys(Keyring::new([SecretKey::generate()?]))
        .build()?;

    let session = sessions.start().await?;
    session.set("theme", "dark")?;
    session.commit().await?;
    let visits: i64 = connection.incr("visits", 1).await?;
    assert_eq!(visits, 1);
    Ok(())
}
