use std::sync::atomic::{AtomicU64, Ordering};

use super::events::Event;
use super::meter::Meter;
use crate::id::Namespace;

macro_rules! counters {
    ($($(#[doc = $doc:literal])* $name:ident)*) => {
        /// What the engine has counted since it was built. With the feature `metrics` each number
        /// is a metric, too: `tenure_loads_total`, say.
        ///
        /// ```
        /// let sessions = tenure_core::Sessions::in_memory()?;
        /// assert_eq!(sessions.counts().loads, 0);
        /// # Ok::<(), tenure_core::Error>(())
        /// ```
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Counts {
            $($(#[doc = $doc])* pub $name: u64,)*
        }

        pub(crate) struct Counters {
            $($name: Counter,)*
        }

        impl Counters {
            pub(super) fn new(namespace: &Namespace) -> Self {
                Self {
                    $($name: Counter {
                        number: AtomicU64::new(0),
                        meter: Meter::new(
                            concat!("tenure_", stringify!($name), "_total"),
                            concat!($($doc),*),
                            namespace,
                        ),
                    },)*
                }
            }

            pub(crate) fn read(&self) -> Counts {
                Counts { $($name: self.$name.number.load(Ordering::Relaxed),)* }
            }
        }
    };
}

counters! {
    /// Sessions looked up in the store, found or not.
    loads
    /// Sessions created.
    created
    /// Commits that took effect, creations not counted.
    commits
    /// Commits that were merged with those of other requests.
    conflicts
    /// Sessions deleted by a request of their own or by their handle.
    destroyed
    /// Touches: the idle deadline moved and nothing else.
    touches
    /// Secrets replaced, by a change of privilege or by renewal.
    rotations
    /// Log-ins.
    logins
    /// Log-outs.
    logouts
    /// Sessions ended with others of their user.
    revoked
    /// Commits dropped because their session had ended or had another secret by then.
    gone
    /// Credentials refused before any store call.
    rejected
    /// Well-formed credentials for which the store has no live session.
    unknown
    /// Secrets that came again although their living session has another by now; counted with
    /// `on_reuse` alone.
    reused
    /// Sessions ended by force, since their client came from elsewhere or as another one.
    locked_out
    /// Records of a version that this library does not know, taken for no session.
    unknown_version
    /// Expired sessions that a sweeper cleared away.
    swept
    /// Errors of the store, time limits included.
    errors
}

impl Counters {
    /// The one place that says what each event counts.
    pub(super) fn count(&self, event: &Event<'_>) {
        match event {
            Event::Loaded { .. } => self.loads.add(1),
            Event::Unknown { .. } => {
                self.loads.add(1);
                self.unknown.add(1);
            }
            Event::Reused { .. } => self.reused.add(1),
            Event::UnknownVersion { .. } => self.unknown_version.add(1),
            Event::Rejected { .. } => self.rejected.add(1),
            Event::Created { .. } => self.created.add(1),
            Event::Committed { .. } => self.commits.add(1),
            Event::Conflict { .. } => self.conflicts.add(1),
            Event::Gone { .. } => self.gone.add(1),
            Event::Rotated { .. } => self.rotations.add(1),
            Event::Touched { .. } => self.touches.add(1),
            Event::LoggedIn { .. } => self.logins.add(1),
            Event::LoggedOut { .. } => self.logouts.add(1),
            Event::Destroyed { .. } => self.destroyed.add(1),
            Event::LockedOut { .. } => self.locked_out.add(1),
            Event::UserRevoked { sessions, .. } => self.revoked.add(*sessions),
            // Nobody knows how many they were.
            Event::EverybodyRevoked => {}
            Event::Swept { sessions } => self.swept.add(*sessions),
            Event::Failed { .. } => self.errors.add(1),
        }
    }
}

struct Counter {
    number: AtomicU64,
    meter: Meter,
}

impl Counter {
    fn add(&self, by: u32) {
        self.number.fetch_add(by.into(), Ordering::Relaxed);
        self.meter.add(by);
    }
}
