use std::sync::Arc;

use super::events::Event;
use super::slot::{Reach, Slot};
use super::state::Answer;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::guard::Verdict;
use crate::store::{Record, StoreKey};

impl Slot {
    /// Whether nothing may be done with a session before its record was held against the locks.
    /// Outside a request nobody knows who comes; whoever opens a session there answers for it.
    pub(super) fn is_locked(&self) -> bool {
        self.reach == Reach::Client && self.manager.settings.guards.locks()
    }

    /// The record, unless it is another client's: then the session ends, for everybody.
    pub(super) async fn guarded(
        &self,
        key: &StoreKey,
        record: Arc<Record>,
        now: Timestamp,
    ) -> Result<Option<Arc<Record>>> {
        let guards = &self.manager.settings.guards;
        if self.reach != Reach::Client || !guards.watch() {
            return Ok(Some(record));
        }
        let present = self.client();
        let verdict = guards.verdict(&record.client, &present);
        let ends = matches!(verdict, Verdict::Ends(_));
        guards.tell(key, &record, &present, self.language(), ends);
        match verdict {
            Verdict::Admitted => Ok(Some(record)),
            Verdict::Ends(reason) => {
                // Boxed, so that a load does not carry its size.
                let delete = self.manager.delete("destroy", self.store(), key, now);
                if Box::pin(delete).await? {
                    self.state().answer = Answer::Remove;
                    let (session, user) = (key.handle(), record.user.as_ref());
                    self.manager.emit(Event::LockedOut { session, user, reason });
                }
                Ok(None)
            }
            Verdict::UnknownAddress => Err(Error::new(
                ErrorKind::Config,
                "load",
                "lock_ip: nobody has told where this request comes from; give the adapter the \
                 address of the peer, by `peer_from` for a tower layer, and behind proxies \
                 `trusted_proxies`, too",
            )),
        }
    }
}
