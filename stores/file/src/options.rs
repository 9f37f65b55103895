use std::fmt;
use std::path::Path;
use std::sync::Arc;

use tenure_core::format::{Envelope, RecordFormat};
use tenure_core::store::StoreResult;

use crate::FileStore;

/// How a [`FileStore`] is set up.
///
/// ```
/// use tenure_core::format::Envelope;
/// use tenure_file::FileOptions;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let parent = tempfile::tempdir()?;
/// # let path = parent.path().join("sessions");
/// let options = FileOptions::new().format(Envelope).relaxed_durability().insecure_shared_parent();
/// let store = options.open(&path).await?;
/// assert_eq!(store.path(), path);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct FileOptions {
    pub(crate) format: Arc<dyn RecordFormat>,
    pub(crate) relaxed_durability: bool,
    pub(crate) shared_parent: bool,
}

impl FileOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self { format: Arc::new(Envelope), relaxed_durability: false, shared_parent: false }
    }

    /// Keeps records in another format than [`Envelope`].
    pub fn format(mut self, format: impl RecordFormat) -> Self {
        self.format = Arc::new(format);
        self
    }

    /// Does not wait for the disk at each commit: faster, and a crash of the process loses nothing;
    /// but a power cut may undo the last commits, a logout among them, and may damage the sessions
    /// that were being written, which are then errors until their files are removed.
    pub fn relaxed_durability(mut self) -> Self {
        self.relaxed_durability = true;
        self
    }

    /// Accepts a folder above in which others may write. Whoever may can move the sessions away,
    /// which logs everybody out, and move them back later, which brings back who logged out since.
    pub fn insecure_shared_parent(mut self) -> Self {
        self.shared_parent = true;
        self
    }

    /// Opens the folder at a path or a URL `file:path`, as [`FileStore::open`] does.
    ///
    /// # Errors
    /// As [`FileStore::open`].
    pub async fn open(self, location: impl AsRef<Path>) -> StoreResult<FileStore> {
        FileStore::open_with(location.as_ref().to_owned(), self).await
    }
}

impl Default for FileOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for FileOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileOptions")
            .field("format", &self.format)
            .field("relaxed_durability", &self.relaxed_durability)
            .field("shared_parent", &self.shared_parent)
            .finish()
    }
}
