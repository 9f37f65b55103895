//! Which waits are under way, and when they are over.

use std::collections::{BTreeMap, VecDeque};
use std::mem;
use std::task::Waker;
use std::time::Instant;

/// One that lasts keeps the places of all that came after it, so the queue takes no more than this.
const LONGEST: usize = 4096;

/// Waits by their ends. Where they come in that order, as those with one limit do, to begin and to
/// end one takes a constant time.
pub(super) struct Waits {
    /// None of them is over before the one in front of it. Who has ended leaves an empty place,
    /// except at the front.
    queue: VecDeque<(Instant, Option<Waker>)>,
    /// How many have been at the front of the queue before.
    gone: u64,
    /// Those that the queue does not take.
    others: BTreeMap<(Instant, u64), Waker>,
    /// How many those have been so far.
    numbers: u64,
}

/// Where a wait is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    Queue(u64),
    Other(Instant, u64),
}

impl Waits {
    pub(super) const fn new() -> Self {
        Self { queue: VecDeque::new(), gone: 0, others: BTreeMap::new(), numbers: 0 }
    }

    /// Adds one that is over at `until`.
    pub(super) fn begin(&mut self, until: Instant, waker: Waker) -> Place {
        let in_order = self.queue.back().is_none_or(|(last, _)| *last <= until);
        if in_order && self.queue.len() < LONGEST {
            self.queue.push_back((until, Some(waker)));
            return Place::Queue(self.gone + self.queue.len() as u64 - 1);
        }
        self.numbers += 1;
        self.others.insert((until, self.numbers), waker);
        Place::Other(until, self.numbers)
    }

    /// The waker of one that is under way.
    pub(super) fn waker(&mut self, place: Place) -> Option<&mut Waker> {
        match place {
            Place::Queue(number) => self.queued(number)?.as_mut(),
            Place::Other(until, number) => self.others.get_mut(&(until, number)),
        }
    }

    /// Removes one, if it is still there.
    pub(super) fn end(&mut self, place: Place) -> Option<Waker> {
        match place {
            Place::Queue(number) => {
                let waker = self.queued(number)?.take();
                self.clear_front();
                waker
            }
            Place::Other(until, number) => self.others.remove(&(until, number)),
        }
    }

    /// Removes all that are over.
    pub(super) fn take_over(&mut self, now: Instant) -> Vec<Waker> {
        let later = self.others.split_off(&(now, u64::MAX));
        let mut over: Vec<_> = mem::replace(&mut self.others, later).into_values().collect();
        while let Some((_, waker)) = self.queue.pop_front_if(|(until, _)| *until <= now) {
            self.gone += 1;
            over.extend(waker);
        }
        self.clear_front();
        over
    }

    /// When the next one is over.
    pub(super) fn next(&self) -> Option<Instant> {
        let queued = self.queue.front().map(|(until, _)| *until);
        let other = self.others.first_key_value().map(|((until, _), _)| *until);
        queued.into_iter().chain(other).min()
    }

    fn queued(&mut self, number: u64) -> Option<&mut Option<Waker>> {
        let index = usize::try_from(number.checked_sub(self.gone)?).ok()?;
        self.queue.get_mut(index).map(|(_, waker)| waker)
    }

    fn clear_front(&mut self) {
        while self.queue.pop_front_if(|(_, waker)| waker.is_none()).is_some() {
            self.gone += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    /// Which waits have been woken.
    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[derive(Clone, Debug)]
    enum Act {
        Begin(u64),
        End(prop::sample::Index),
        Pass(u64),
    }

    fn act() -> impl Strategy<Value = Act> {
        prop_oneof![
            4 => prop_oneof![4 => Just(50), 1 => 0_u64..100].prop_map(Act::Begin),
            3 => any::<prop::sample::Index>().prop_map(Act::End),
            2 => (0_u64..20).prop_map(Act::Pass),
        ]
    }

    proptest! {
        #[test]
        fn each_is_over_when_it_was_to_be(acts in prop::collection::vec(act(), 0..200)) {
            let start = Instant::now();
            let at = |millis| start + Duration::from_millis(millis);
            let (mut waits, mut now) = (Waits::new(), 0);
            let mut under_way: Vec<(u64, Place, Arc<Woken>)> = Vec::new();
            for act in acts {
                match act {
                    Act::Begin(lasts) => {
                        let woken = Arc::<Woken>::default();
                        let place = waits.begin(at(now + lasts), Arc::clone(&woken).into());
                        under_way.push((now + lasts, place, woken));
                    }
                    Act::End(which) if !under_way.is_empty() => {
                        let (_, place, woken) = under_way.swap_remove(which.index(under_way.len()));
                        prop_assert!(waits.waker(place).is_some());
                        let waker = waits.end(place).unwrap();
                        prop_assert!(waker.will_wake(&Waker::from(woken)));
                        prop_assert!(waits.end(place).is_none());
                    }
                    Act::End(_) => {}
                    Act::Pass(millis) => {
                        now += millis;
                        waits.take_over(at(now)).into_iter().for_each(Waker::wake);
                        under_way.retain(|(until, place, woken)| {
                            let count = woken.0.load(Ordering::Relaxed);
                            assert_eq!(count, usize::from(*until <= now), "{place:?}");
                            count == 0
                        });
                    }
                }
                let next = under_way.iter().map(|(until, ..)| at(*until)).min();
                prop_assert_eq!(waits.next(), next);
            }
            for (_, place, _) in under_way {
                prop_assert!(waits.end(place).is_some());
            }
            prop_assert!(waits.queue.is_empty() && waits.others.is_empty());
        }
    }

    #[test]
    fn one_that_lasts_keeps_few_places() {
        let (mut waits, until) = (Waits::new(), Instant::now());
        let first = waits.begin(until, Waker::noop().clone());
        for _ in 0..3 * LONGEST {
            let place = waits.begin(until, Waker::noop().clone());
            assert!(waits.end(place).is_some());
        }
        assert_eq!((waits.queue.len(), waits.others.len()), (LONGEST, 0));
        assert!(waits.end(first).is_some());
        assert!(waits.queue.is_empty());
    }
}
