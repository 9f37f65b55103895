//! Which sessions are alive, as far as this process has seen: a listener to what happens to them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tenure::Handle;
use tenure::engine::Event;

/// How often the number of sessions is noted.
pub(crate) const INTERVAL: Duration = Duration::from_secs(10);
/// How many of these notes are kept: for ten minutes.
pub(crate) const NOTES: usize = 60;
/// Sessions that nobody has used for so long are taken for dead.
const FORGOTTEN: Duration = Duration::from_secs(30 * 60);

/// What has been seen; clones see the same.
#[derive(Clone, Default)]
pub(crate) struct Watch(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    live: HashMap<Handle, Live>,
    /// The oldest first.
    notes: VecDeque<usize>,
}

/// One session.
#[derive(Clone)]
pub(crate) struct Live {
    pub(crate) handle: Handle,
    pub(crate) user: Option<String>,
    pub(crate) last_seen: SystemTime,
}

impl Watch {
    /// Notes what an event says.
    pub(crate) fn hear(&self, event: &Event<'_>) {
        let mut seen = self.lock();
        let user = event.user().map(ToString::to_string);
        match (event, event.session()) {
            (Event::Destroyed { .. } | Event::Unknown { .. }, Some(handle)) => {
                seen.live.remove(&handle);
            }
            (Event::UserRevoked { .. }, _) => seen.live.retain(|_, live| live.user != user),
            (Event::EverybodyRevoked, _) => seen.live.clear(),
            (Event::LoggedOut { .. } | Event::Gone { .. } | Event::Rejected { .. }, _) => {}
            (_, Some(handle)) => {
                let live = Live { handle, user, last_seen: SystemTime::now() };
                seen.live.insert(handle, live);
            }
            (_, None) => {}
        }
    }

    /// Notes how many sessions there are, again and again.
    pub(crate) async fn run(self) {
        loop {
            self.note();
            tokio::time::sleep(INTERVAL).await;
        }
    }

    fn note(&self) {
        let mut seen = self.lock();
        let now = SystemTime::now();
        let is_used =
            |live: &Live| now.duration_since(live.last_seen).is_ok_and(|past| past < FORGOTTEN);
        seen.live.retain(|_, live| is_used(live));
        let number = seen.live.len();
        seen.notes.push_back(number);
        if seen.notes.len() > NOTES {
            seen.notes.pop_front();
        }
    }

    /// The sessions, the last used first.
    pub(crate) fn live(&self) -> Vec<Live> {
        let mut live: Vec<_> = self.lock().live.values().cloned().collect();
        live.sort_by_key(|live| std::cmp::Reverse(live.last_seen));
        live
    }

    /// How many there were at each note, and are now.
    pub(crate) fn numbers(&self) -> Vec<usize> {
        let seen = self.lock();
        seen.notes.iter().copied().chain([seen.live.len()]).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tenure::store::MemoryStore;
    use tenure::{Sessions, UserId};

    use super::{NOTES, Watch};

    #[tokio::test]
    async fn a22_what_begins_and_ends_is_seen() {
        let watch = Watch::default();
        let heard = watch.clone();
        let builder = Sessions::builder().store(MemoryStore::new());
        let sessions = builder.on_event(move |event| heard.hear(event)).build().unwrap();
        let ada = sessions.start().await.unwrap();
        let eve = sessions.start().await.unwrap();
        let visitor = sessions.start().await.unwrap();
        for (session, user) in [(&ada, Some("ada")), (&eve, Some("eve")), (&visitor, None)] {
            session.set("n", 1).unwrap();
            user.into_iter().for_each(|user| session.login(user).unwrap());
            session.commit().await.unwrap();
            watch.note();
        }
        let users = || watch.live().into_iter().filter_map(|live| live.user).collect::<Vec<_>>();
        assert_eq!((watch.live().len(), users().len()), (3, 2));
        visitor.logout().unwrap();
        visitor.commit().await.unwrap();
        sessions.revoke_user(&UserId::new("ada").unwrap()).await.unwrap();
        assert_eq!(users(), ["eve"]);
        assert_eq!(watch.numbers(), [1, 2, 3, 1]);
        (0..NOTES).for_each(|_| watch.note());
        assert_eq!(watch.numbers().len(), NOTES + 1);
    }
}
