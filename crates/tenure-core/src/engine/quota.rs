//! At most so many sessions a user (OWASP ASVS 7.1.2).

use super::config::{AtLimit, Quota};
use super::events::Event;
use super::outbox::Work;
use super::slot::Slot;
use super::state::Fate;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::id::UserId;
use crate::session::Journal;
use crate::store::{Listed, Patch, StoreKey};

impl Slot {
    /// Refuses, before a log-in is sent, one that would be over the limit. Nothing of what was
    /// recorded with it takes effect then.
    pub(super) async fn check_quota(&self) -> Result<()> {
        let Some(quota) = self.quota(AtLimit::RejectNew) else { return Ok(()) };
        let (user, own) = {
            let state = self.state();
            let Some(Some(user)) = &state.journal.user else { return Ok(()) };
            let present = state.target.as_ref().map(|target| &target.key);
            // One that this request ends counts no more.
            let ended = state.outbox.iter().filter_map(|work| match &**work {
                Work::Delete(doomed) => Some(&doomed.key),
                _ => None,
            });
            let own: Vec<_> = present.into_iter().chain(ended).cloned().collect();
            (user.clone(), own)
        };
        let listed = self.manager.listed(&user).await?;
        let is_own = |listed: &&Listed| own.iter().any(|own| listed.key.same_session(own));
        if listed.len() - listed.iter().filter(is_own).count() < quota.most {
            return Ok(());
        }
        self.state().journal = Journal::default();
        Err(too_many(quota))
    }

    /// Keeps the limit once a log-in has taken effect. Each log-in looks after its own commit, so
    /// that of several at once the last to look sees them all, and all of them rank alike.
    pub(super) async fn keep_quota(&self, now: Timestamp) -> Result<()> {
        let Some(user) = self.state().entered.take() else { return Ok(()) };
        let Some(quota) = &self.manager.settings.quota else { return Ok(()) };
        let Some(own) = self.state().target.as_ref().map(|target| target.key.clone()) else {
            return Ok(());
        };
        let mut listed = self.manager.listed(&user).await?;
        if listed.len() <= quota.most {
            return Ok(());
        }
        let keep = match quota.at_limit {
            AtLimit::RejectNew => return self.leave(&own, &user, quota, now).await,
            AtLimit::EvictOldest => quota.most,
            AtLimit::EvictAll => 1,
        };
        // The last used stay.
        let rank = |listed: &Listed| (listed.record.last_seen, listed.key.handle());
        listed.sort_by_key(|listed| std::cmp::Reverse(rank(listed)));
        for evicted in &listed[keep..] {
            let deleted = self.manager.end(&evicted.key, Some(&user)).await?;
            if deleted && evicted.key.same_session(&own) {
                let mut state = self.state();
                state.target = None;
                state.fate = Fate::Gone;
            }
        }
        Ok(())
    }

    /// Takes back a log-in that was over the limit by no fault of its own: others came at the same
    /// time. The data stays.
    async fn leave(
        &self,
        own: &StoreKey,
        user: &UserId,
        quota: &Quota,
        now: Timestamp,
    ) -> Result<()> {
        let patch = Patch::new(self.manager.commit_ids.next()).bind(None, now);
        let manager = &*self.manager;
        manager.call("login", now, |now, _| manager.commit(self.store(), own, &patch, now)).await?;
        let mut state = self.state();
        if let Some(base) = state.target.as_mut().and_then(|target| target.base.as_mut()) {
            let base = std::sync::Arc::make_mut(base);
            (base.user, base.authenticated) = (None, None);
        }
        drop(state);
        manager.emit(Event::LoggedOut { session: own.handle(), user: Some(user) });
        Err(too_many(quota))
    }

    fn quota(&self, at_limit: AtLimit) -> Option<&Quota> {
        self.manager.settings.quota.as_ref().filter(|quota| quota.at_limit == at_limit)
    }
}

fn too_many(quota: &Quota) -> Error {
    let why = format!(
        "the user has {} sessions, as many as `max_sessions_per_user` allows; let them end one of \
         the others first",
        quota.most
    );
    Error::new(ErrorKind::TooManySessions, "login", why)
}
