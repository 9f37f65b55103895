//! What the options of all servers have.

use std::path::PathBuf;
use std::sync::Arc;

use tenure_core::format::{Envelope, RecordFormat};

use crate::fields::Fields;
use crate::network::Limits;
use crate::table::Table;

/// The settings that every server has.
#[derive(Clone)]
pub(crate) struct Common {
    pub(crate) table: Table,
    pub(crate) format: Arc<dyn RecordFormat>,
    pub(crate) fields: Fields,
    pub(crate) limits: Limits,
    pub(crate) ca_file: Option<PathBuf>,
}

impl Common {
    pub(crate) fn new() -> Self {
        Self {
            table: Table::default(),
            format: Arc::new(Envelope),
            fields: Fields::default(),
            limits: Limits::DEFAULT,
            ca_file: None,
        }
    }
}

impl std::fmt::Debug for Common {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Common")
            .field("table", &self.table.as_str())
            .field("format", &self.format)
            .field("fields", &self.fields)
            .field("limits", &self.limits)
            .field("ca_file", &self.ca_file)
            .finish()
    }
}

/// The setters of a type of options, whose field `common` is a [`Common`].
macro_rules! setters {
    ($options:ident) => {
        impl $options {
            /// The connections of a pool, if nothing else is said.
            pub const DEFAULT_MAX_CONNECTIONS: u32 =
                crate::network::Limits::DEFAULT.max_connections;
            /// The time limit of each operation and of connecting, if none is given: below the two
            /// seconds that a request gives its store.
            pub const DEFAULT_TIMEOUT: std::time::Duration =
                crate::network::Limits::DEFAULT.operation_timeout;

            /// Names the sessions' table, `tenure_sessions` by default; the two other tables have
            /// the same name with `_epochs` and `_meta` appended.
            ///
            /// # Errors
            /// When the name is not 1 to 48 ASCII letters, digits and underscores, or begins with a
            /// digit.
            pub fn table(mut self, name: impl AsRef<str>) -> StoreResult<Self> {
                self.common.table = crate::table::Table::new(name.as_ref())?;
                Ok(self)
            }

            /// Keeps records in another format than
            /// [`Envelope`](tenure_core::format::Envelope).
            pub fn format(mut self, format: impl tenure_core::format::RecordFormat) -> Self {
                self.common.format = std::sync::Arc::new(format);
                self
            }

            /// The server's name or address, for [`connect_fields`](Self::connect_fields); one that
            /// begins with a slash is the path of a socket.
            ///
            /// # Errors
            /// When it is empty or contains a NUL.
            pub fn host(mut self, host: impl Into<String>) -> StoreResult<Self> {
                self.common.fields.host(host.into())?;
                Ok(self)
            }

            /// The server's port, for [`connect_fields`](Self::connect_fields); by default that
            /// which the protocol is known for.
            pub fn port(mut self, port: u16) -> Self {
                self.common.fields.port = Some(port);
                self
            }

            /// The user, for [`connect_fields`](Self::connect_fields).
            ///
            /// # Errors
            /// When it is empty or contains a NUL.
            pub fn user(mut self, user: impl Into<String>) -> StoreResult<Self> {
                self.common.fields.user(user.into())?;
                Ok(self)
            }

            /// The user's password, for [`connect_fields`](Self::connect_fields).
            ///
            /// # Errors
            /// When it contains a NUL.
            pub fn password(mut self, password: impl Into<String>) -> StoreResult<Self> {
                self.common.fields.password(password.into())?;
                Ok(self)
            }

            /// The database, for [`connect_fields`](Self::connect_fields). It must be there.
            ///
            /// # Errors
            /// When it is empty or contains a NUL.
            pub fn database(mut self, database: impl Into<String>) -> StoreResult<Self> {
                self.common.fields.database(database.into())?;
                Ok(self)
            }

            /// Opens at most this many connections. Of no effect with a pool of the application's
            /// own.
            pub fn max_connections(mut self, connections: u32) -> Self {
                self.common.limits.max_connections = connections.max(1);
                self
            }

            /// Waits as long as this for a free connection, a new one included. Of no effect with a
            /// pool of the application's own.
            pub fn connect_timeout(mut self, timeout: std::time::Duration) -> Self {
                self.common.limits.connect_timeout = timeout;
                self
            }

            /// Waits as long as this for the answer to one operation: that of a server which stalls
            /// longer is a [`Timeout`](tenure_core::store::StoreErrorKind::Timeout). Connections
            /// that the store opens itself tell the server the same limit, as far as it has one.
            pub fn operation_timeout(mut self, timeout: std::time::Duration) -> Self {
                self.common.limits.operation_timeout = timeout;
                self
            }

            /// Talks TLS alone, and only with a server whose certificate names its host and is by
            /// the authority in this PEM file, or by one that the system trusts. Of no effect with
            /// a pool of the application's own.
            pub fn tls_ca_file(mut self, file: impl AsRef<std::path::Path>) -> Self {
                self.common.ca_file = Some(file.as_ref().to_owned());
                self
            }
        }

        impl Default for $options {
            fn default() -> Self {
                Self::new()
            }
        }
    };
}

pub(crate) use setters;
