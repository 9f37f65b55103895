use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use super::{KeyId, Keyring, SecretKey};

/// What is made from each key of a keyring, made again only when the keys have changed.
pub(crate) struct Derived<T> {
    keyring: Keyring,
    make: Box<dyn Fn(&SecretKey) -> T + Send + Sync>,
    table: RwLock<Arc<Table<T>>>,
}

/// What was made from the keys as they were at one time.
pub(crate) struct Table<T> {
    generation: u64,
    /// In the keyring's order.
    entries: Vec<(KeyId, T)>,
}

impl<T> Derived<T> {
    pub(crate) fn new(
        keyring: Keyring,
        make: impl Fn(&SecretKey) -> T + Send + Sync + 'static,
    ) -> Self {
        let table = RwLock::new(Arc::new(Table::new(&keyring, &make)));
        Self { keyring, make: Box::new(make), table }
    }

    pub(crate) fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// What belongs to the keys that there are now.
    pub(crate) fn table(&self) -> Arc<Table<T>> {
        let table = Arc::clone(&self.table.read().unwrap_or_else(PoisonError::into_inner));
        if table.generation == self.keyring.generation() {
            return table;
        }
        let table = Arc::new(Table::new(&self.keyring, &self.make));
        let mut present = self.table.write().unwrap_or_else(PoisonError::into_inner);
        // Of two that were made at the same time the newer one stays.
        if present.generation < table.generation {
            *present = Arc::clone(&table);
        }
        table
    }
}

impl<T> Table<T> {
    fn new(keyring: &Keyring, make: impl Fn(&SecretKey) -> T) -> Self {
        // Changes are counted under the lock, so the keys are those of this generation.
        let keys = keyring.keys();
        let entries = keys.iter().map(|key| (key.id(), make(key))).collect();
        Self { generation: keyring.generation(), entries }
    }

    /// What belongs to the key that signs and seals.
    pub(crate) fn first(&self) -> Option<(KeyId, &T)> {
        self.entries.first().map(|(id, made)| (*id, made))
    }

    pub(crate) fn find(&self, id: KeyId) -> Option<&T> {
        self.entries.iter().find(|(known, _)| *known == id).map(|(_, made)| made)
    }
}

impl<T> fmt::Debug for Derived<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.keyring.fmt(f)
    }
}
