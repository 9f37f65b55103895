//! Where a server is and who logs in, as separate fields.

use std::fmt;

use tenure_core::store::{StoreError, StoreErrorKind, StoreResult};

/// What is given; the rest is the driver's default.
#[derive(Clone, Default)]
pub(crate) struct Fields {
    pub(crate) host: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) database: Option<String>,
}

impl Fields {
    pub(crate) fn host(&mut self, host: String) -> StoreResult<()> {
        self.host = Some(named("host", host)?);
        Ok(())
    }

    pub(crate) fn user(&mut self, user: String) -> StoreResult<()> {
        self.user = Some(named("user", user)?);
        Ok(())
    }

    pub(crate) fn password(&mut self, password: String) -> StoreResult<()> {
        self.password = Some(whole("password", password)?);
        Ok(())
    }

    pub(crate) fn database(&mut self, database: String) -> StoreResult<()> {
        self.database = Some(named("database", database)?);
        Ok(())
    }
}

fn named(field: &str, value: String) -> StoreResult<String> {
    if value.is_empty() {
        return Err(refused(format!("{field}: it is empty; give one, or leave {field} out")));
    }
    whole(field, value)
}

/// Protocols end text with a NUL: the server would read another name than was meant.
fn whole(field: &str, value: String) -> StoreResult<String> {
    if value.contains('\0') {
        return Err(refused(format!("{field}: it contains a NUL; give one without")));
    }
    Ok(value)
}

fn refused(message: String) -> StoreError {
    StoreError::new(StoreErrorKind::Other, message)
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fields")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("user", &self.user)
            .field("password", &self.password.is_some())
            .field("database", &self.database)
            .finish()
    }
}
