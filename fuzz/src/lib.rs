//! What the targets share: sessions without chance, time or waiting, so that an input does the same
//! each time.

#![forbid(unsafe_code)]

pub mod lines;
mod sessions;
mod still;
mod store;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

pub use sessions::{NAME, begun, calm, closed, keys, opened, sessions};
pub use still::{Dice, Still};
pub use store::Counted;

/// What a future gives that has nothing to wait for.
pub fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits, and nothing is there to be waited for"),
    }
}
