//! Two stores on one folder, as two processes of an application have them.
//!
//! `cargo run -p tenure-file --example shared`

use std::error::Error;

use tenure_core::Sessions;
use tenure_core::transform::{Keyring, SecretKey};
use tenure_file::{FileOptions, FileStore};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let parent = tempfile::tempdir()?;
    let folder = parent.path().join("sessions");
    let key = SecretKey::generate()?;
    let sessions = |store: FileStore| {
        Sessions::builder().store(store).signing_keys(Keyring::new([key.clone()])).build()
    };
    let first = sessions(FileStore::open(&folder).await?)?;
    let second = sessions(FileOptions::new().open(format!("file:{}", folder.display())).await?)?;

    let session = first.start().await?;
    session.set("cart", ["tea"])?;
    session.commit().await?;

    let token = session.danger_expose_token().ok_or("it was not saved")?;
    let again = second.open_token(&token).await?.ok_or("it is not there")?;
    assert_eq!(again.get::<Vec<String>>("cart")?, Some(vec!["tea".to_owned()]));
    Ok(())
}
