use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident)*) => {
        /// What the engine has counted since it was built.
        ///
        /// ```
        /// let sessions = tenure_core::Sessions::in_memory()?;
        /// assert_eq!(sessions.counts().loads, 0);
        /// # Ok::<(), tenure_core::Error>(())
        /// ```
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Counts {
            $($(#[$doc])* pub $name: u64,)*
        }

        #[derive(Default)]
        pub(crate) struct Counters {
            $(pub(crate) $name: Counter,)*
        }

        impl Counters {
            pub(crate) fn read(&self) -> Counts {
                Counts { $($name: self.$name.0.load(Ordering::Relaxed),)* }
            }
        }
    };
}

counters! {
    /// Sessions looked up in the store.
    loads
    /// Sessions created.
    created
    /// Commits that took effect, creations not counted.
    commits
    /// Sessions deleted by the request that they belonged to.
    destroyed
    /// Touches: the idle deadline moved and nothing else.
    touches
    /// Secrets replaced, by a change of privilege or by renewal.
    rotations
    /// Commits dropped because their session had ended or had another secret by then.
    gone
    /// Credentials refused before any store call.
    rejected
    /// Well-formed credentials for which the store has no live session.
    unknown
    /// Sessions ended by force, since their client came from elsewhere or as another one.
    locked_out
    /// Records of a version that this library does not know, taken for no session.
    unknown_version
    /// Errors of the store, time limits included.
    errors
}

#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
