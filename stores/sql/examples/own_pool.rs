//! Sessions in the application's own database, on the pool that its other queries use.
//!
//! ```sh
//! DATABASE_URL=postgres://shop:secret@localhost/shop cargo run --features postgres --example own_pool
//! ```

use std::time::{Duration, SystemTime};

use sqlx::postgres::PgPoolOptions;
use tenure_core::id::Proof;
use tenure_core::store::{Record, Store, StoreKey};
use tenure_core::{Handle, Namespace, Timestamp};
use tenure_sql::PostgresOptions;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::var("DATABASE_URL")?;
    let pool = PgPoolOptions::new()
        .max_connections(20)
        // A session waits no longer than its request does.
        .acquire_timeout(Duration::from_secs(1))
        .connect(&url)
        .await?;
    let store = PostgresOptions::new().table("shop_sessions")?.with_pool(pool.clone());
    store.migrate().await?;

    // What an engine does for a request.
    let now = Timestamp::from(SystemTime::now());
    let proof = Proof::from_bytes([2; Proof::LEN]);
    let key = StoreKey::new(Namespace::new("shop")?, Handle::from_bytes([1; Handle::LEN]));
    let key = key.with_proof(proof);
    let mut record = Record::new(now, Duration::from_secs(60), Duration::from_secs(3_600));
    record.proofs.present = Some(proof);
    store.create(&key, &record, now).await?;
    let there: i64 =
        sqlx::query_scalar("SELECT count(*) FROM shop_sessions").fetch_one(&pool).await?;
    assert!(there > 0 && store.delete(&key, now).await?);
    Ok(())
}
