//! Sessions beside the application's own collections, through its own client.
//!
//! `cargo run -p tenure-mongodb --example own_client -- mongodb://localhost/shop`

use std::time::Duration;

use mongodb::Client;
use mongodb::bson::{Document, doc};
use mongodb::options::ClientOptions;
use tenure_core::store::Store;
use tenure_mongodb::MongoOptions;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "mongodb://localhost/shop".to_owned());
    let mut options = ClientOptions::parse(url).await?;
    // A request waits two seconds for its store at most; the driver would wait thirty.
    options.server_selection_timeout = Some(Duration::from_secs(1));
    options.connect_timeout = Some(Duration::from_secs(1));
    let client = Client::with_options(options)?;

    let store = MongoOptions::new()
        .database("shop")?
        .collection("shop_sessions")?
        .with_client(client.clone())?;
    store.migrate().await?;

    // The application goes on with its client.
    let orders = client.database("shop").collection::<Document>("orders");
    orders.insert_one(doc! { "open": true }).await?;

    // Closing the store closes the client.
    store.close().await;
    Ok(())
}
