//! The setting `format`: how records are written in stores that leave the choice.

use tenure_core::Result;
use tenure_core::store::{AnyStore, ClientStore};

use super::reader::Reader;
use crate::connect::Schemes;

/// A format of records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Format {
    /// Whatever the store has by itself.
    #[default]
    Unset,
    Json,
    MessagePack,
}

pub(super) fn format(reader: &mut Reader) -> Format {
    let choices = [("json", Format::Json), ("messagepack", Format::MessagePack)];
    let format = reader.choice("format", &choices).unwrap_or_default();
    if format == Format::MessagePack && !cfg!(feature = "messagepack") {
        reader.problem("format: it needs the feature `messagepack` of the crate `tenure`");
    }
    format
}

impl Format {
    /// Opens the store that `url` names.
    pub(super) async fn connect(self, schemes: &Schemes, url: &str) -> Result<AnyStore> {
        match self {
            Self::Unset | Self::Json => schemes.connect(url).await,
            Self::MessagePack => packed(schemes, url).await,
        }
    }

    /// Writes sessions so that their clients keep.
    pub(super) fn of_client(self, store: ClientStore) -> ClientStore {
        match self {
            Self::Json => store.format(tenure_core::format::Envelope),
            #[cfg(feature = "messagepack")]
            Self::MessagePack => store.format(tenure_core::format::MessagePack),
            _ => store,
        }
    }
}

#[cfg(not(feature = "messagepack"))]
async fn packed(schemes: &Schemes, url: &str) -> Result<AnyStore> {
    schemes.connect(url).await
}

#[cfg(feature = "messagepack")]
async fn packed(schemes: &Schemes, url: &str) -> Result<AnyStore> {
    #[allow(unused_imports, reason = "without a store there is nothing to open")]
    use tenure_core::format::MessagePack;
    use tenure_core::store::StoreResult;
    use tenure_core::{Error, ErrorKind};

    let scheme = url.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    let opened: StoreResult<AnyStore> = match scheme.as_deref() {
        #[cfg(feature = "file")]
        Some("file") => {
            let options = tenure_file::FileOptions::new().format(MessagePack);
            options.open(url).await.map(AnyStore::new)
        }
        #[cfg(feature = "sqlite")]
        Some("sqlite") => {
            let options = tenure_sql::SqliteOptions::new().format(MessagePack);
            match options.open(url).await {
                Ok(store) => store.migrate().await.map(|()| AnyStore::new(store)),
                Err(error) => Err(error),
            }
        }
        #[cfg(feature = "postgres")]
        Some("postgres" | "postgresql") => {
            let options = tenure_sql::PostgresOptions::new().format(MessagePack);
            match options.connect(url).await {
                Ok(store) => store.migrate().await.map(|()| AnyStore::new(store)),
                Err(error) => Err(error),
            }
        }
        #[cfg(feature = "mysql")]
        Some("mysql" | "mariadb") => {
            let options = tenure_sql::MySqlOptions::new().format(MessagePack);
            match options.connect(url).await {
                Ok(store) => store.migrate().await.map(|()| AnyStore::new(store)),
                Err(error) => Err(error),
            }
        }
        _ => {
            // What is wrong with the URL comes first.
            schemes.connect(url).await?;
            let message = format!(
                "format: the store of `{}:` does not take it; leave it out, or use `file:`, \
                 `sqlite:`, `postgres:` or `mysql:`; a store of your own is given its format in code",
                scheme.unwrap_or_default()
            );
            return Err(Error::new(ErrorKind::Config, "configuration", message));
        }
    };
    opened.map_err(|error| error.during("connect"))
}
