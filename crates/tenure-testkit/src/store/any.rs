//! The laws on any store: compiled once, here, and not again for each store that they are run on.
//! Applications reach their store through [`AnyStore`], too.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use tenure_core::store::AnyStore;

use super::future::Task;
use super::{Outcome, StoreHarness, Trial};

/// A harness whose store is any.
pub struct AnyHarness(Box<dyn DynHarness>);

/// A law under way. Not one that other threads may take over: random histories stay on theirs.
pub type Run<'a> = Pin<Box<dyn Future<Output = Outcome> + 'a>>;

/// A law.
pub type Law = for<'a> fn(&'a Trial<AnyHarness>) -> Run<'a>;

impl AnyHarness {
    pub(super) fn new(harness: impl StoreHarness) -> Self {
        Self(Box::new(harness))
    }
}

impl fmt::Debug for AnyHarness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnyHarness")
    }
}

impl StoreHarness for AnyHarness {
    type Store = AnyStore;

    async fn open(&self) -> AnyStore {
        self.0.open().await
    }

    fn address(&self) -> Option<String> {
        self.0.address()
    }

    async fn open_at(&self, address: &str) -> AnyStore {
        self.0.open_at(address).await
    }

    fn expires_by_itself(&self) -> bool {
        self.0.expires_by_itself()
    }

    fn share_of_rounds(&self) -> f64 {
        self.0.share_of_rounds()
    }

    fn share_of_writers(&self) -> f64 {
        self.0.share_of_writers()
    }
}

/// The twin of [`StoreHarness`] whose futures are boxed.
trait DynHarness: Send + Sync {
    fn open(&self) -> Task<'_, AnyStore>;
    fn address(&self) -> Option<String>;
    fn open_at<'a>(&'a self, address: &'a str) -> Task<'a, AnyStore>;
    fn expires_by_itself(&self) -> bool;
    fn share_of_rounds(&self) -> f64;
    fn share_of_writers(&self) -> f64;
}

impl<H: StoreHarness> DynHarness for H {
    fn open(&self) -> Task<'_, AnyStore> {
        Box::pin(async { AnyStore::new(StoreHarness::open(self).await) })
    }

    fn address(&self) -> Option<String> {
        StoreHarness::address(self)
    }

    fn open_at<'a>(&'a self, address: &'a str) -> Task<'a, AnyStore> {
        Box::pin(async move { AnyStore::new(StoreHarness::open_at(self, address).await) })
    }

    fn expires_by_itself(&self) -> bool {
        StoreHarness::expires_by_itself(self)
    }

    fn share_of_rounds(&self) -> f64 {
        StoreHarness::share_of_rounds(self)
    }

    fn share_of_writers(&self) -> f64 {
        StoreHarness::share_of_writers(self)
    }
}

/// The laws, each by its name.
pub mod laws {
    use super::{AnyHarness, Run, Trial};

    macro_rules! each {
        ([] $($law:ident)*) => {
            $(pub fn $law(trial: &Trial<AnyHarness>) -> Run<'_> {
                Box::pin(crate::laws::$law(trial))
            })*
        };
    }

    crate::__each_law! { [each] [] }
}

#[cfg(test)]
mod tests {
    use tenure_core::store::{MemoryStore, Store};

    use super::{AnyHarness, StoreHarness};

    struct Told;

    impl StoreHarness for Told {
        type Store = MemoryStore;

        async fn open(&self) -> MemoryStore {
            MemoryStore::new()
        }

        fn address(&self) -> Option<String> {
            Some("here".into())
        }

        async fn open_at(&self, address: &str) -> MemoryStore {
            assert_eq!(address, "there");
            MemoryStore::new()
        }

        fn expires_by_itself(&self) -> bool {
            true
        }

        fn share_of_rounds(&self) -> f64 {
            0.25
        }

        fn share_of_writers(&self) -> f64 {
            0.5
        }
    }

    #[tokio::test]
    async fn all_that_a_harness_says_is_passed_on() {
        let any = AnyHarness::new(Told);
        assert!(any.open().await.is_volatile());
        assert!(any.open_at("there").await.merges_in_place());
        assert_eq!(any.address().as_deref(), Some("here"));
        assert!(any.expires_by_itself());
        assert_eq!([any.share_of_rounds(), any.share_of_writers()], [0.25, 0.5]);
    }
}
