//! What was computed on this thread, for tests that hold two ways through the code to be one.

use std::cell::RefCell;

/// A step, and how many octets it went over or at which place it was.
pub(crate) type Step = (&'static str, usize);

thread_local! {
    static STEPS: RefCell<Vec<Step>> = const { RefCell::new(Vec::new()) };
}

pub(crate) fn note(step: &'static str, octets: usize) {
    STEPS.with_borrow_mut(|steps| steps.push((step, octets)));
}

/// What `run` returns, and the steps that it took.
pub(crate) fn of<T>(run: impl FnOnce() -> T) -> (T, Vec<Step>) {
    STEPS.take();
    let out = run();
    (out, STEPS.take())
}
