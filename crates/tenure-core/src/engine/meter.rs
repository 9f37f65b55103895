//! Numbers for whoever collects metrics; nothing without the feature `metrics`, and never a handle
//! among the labels: each session would be a series of its own.

#[cfg(feature = "metrics")]
use metrics::{Key, Label, Level, Metadata, SharedString, Unit, with_recorder};

use crate::id::Namespace;

#[cfg(feature = "metrics")]
const METADATA: Metadata<'static> = Metadata::new("tenure", Level::INFO, Some(module_path!()));

/// How long the store takes.
#[cfg(feature = "metrics")]
const STORE: &str = "tenure_store_seconds";

/// A counter of the recorder that is installed when it counts, which may be after the sessions
/// were built.
pub(super) struct Meter {
    #[cfg(feature = "metrics")]
    key: Key,
}

impl Meter {
    #[cfg(feature = "metrics")]
    pub(super) fn new(name: &'static str, means: &'static str, namespace: &Namespace) -> Self {
        metrics::describe_counter!(name, Unit::Count, means.trim());
        Self { key: Key::from_parts(name, vec![label(namespace)]) }
    }

    #[cfg(not(feature = "metrics"))]
    pub(super) fn new(_: &'static str, _: &'static str, _: &Namespace) -> Self {
        Self {}
    }

    #[cfg(feature = "metrics")]
    pub(super) fn add(&self, by: u32) {
        with_recorder(|recorder| {
            recorder.register_counter(&self.key, &METADATA).increment(by.into());
        });
    }

    #[cfg(not(feature = "metrics"))]
    pub(super) fn add(&self, _: u32) {}
}

/// The time that one call of the store takes. It is real time, whatever the clock of the sessions.
pub(super) struct Stopwatch {
    #[cfg(feature = "metrics")]
    began: std::time::Instant,
}

impl Stopwatch {
    pub(super) fn start() -> Self {
        Self {
            #[cfg(feature = "metrics")]
            began: std::time::Instant::now(),
        }
    }

    #[cfg(feature = "metrics")]
    pub(super) fn stop(self, operation: &'static str, namespace: &Namespace) {
        let labels = vec![label(namespace), Label::new("operation", operation)];
        let key = Key::from_parts(STORE, labels);
        with_recorder(|recorder| {
            recorder.register_histogram(&key, &METADATA).record(self.began.elapsed());
        });
    }

    #[cfg(not(feature = "metrics"))]
    pub(super) fn stop(self, _: &'static str, _: &Namespace) {}
}

/// Says what the histogram is, once.
pub(super) fn describe() {
    #[cfg(feature = "metrics")]
    metrics::describe_histogram!(
        STORE,
        Unit::Seconds,
        "How long the store takes, waiting for commits of the same session included."
    );
}

#[cfg(feature = "metrics")]
fn label(namespace: &Namespace) -> Label {
    Label::new("namespace", SharedString::from_shared(namespace.shared()))
}
