use std::sync::Arc;

use tenure_core::store::{Applied, Patch, ProofChange, RETRY_HORIZON, Record, Store, StoreKey};
use tenure_core::value::{Json, Number};
use tenure_core::{Timestamp, UserId};

use super::history::{Commit, Event, Operation};
use super::session::Session;
use crate::store::scene::{ABSOLUTE, IDLE, Scene, commit, json, with_other_proof, without_proof};
use crate::store::{Outcome, Violation, check};

/// A commit that was sent, and what became of it.
struct Sent {
    key: StoreKey,
    patch: Patch,
    at: Timestamp,
    done: bool,
}

/// The history so far, on both sides.
struct Replay<'a, S> {
    scene: &'a Scene<S>,
    key: StoreKey,
    now: Timestamp,
    /// None when it has been deleted.
    model: Option<Session>,
    /// All records that were seen, oldest first.
    seen: Vec<Arc<Record>>,
    sent: Vec<Sent>,
}

/// Carries out `history` on a fresh session and on the model, and compares after every event.
pub(super) async fn replay<S: Store>(scene: &Scene<S>, history: &[Event]) -> Outcome<()> {
    let key = scene.begin(&[("a", "1")]).await?;
    let model = Session {
        data: [("a", "1".to_owned())].into(),
        user: None,
        idle_timeout: millis(IDLE),
        idle_deadline: scene.after(IDLE).as_millis(),
        absolute_deadline: scene.after(ABSOLUTE).as_millis(),
        last_seen: scene.start.as_millis(),
    };
    let mut replay = Replay {
        scene,
        key,
        now: scene.start,
        model: Some(model),
        seen: Vec::new(),
        sent: Vec::new(),
    };
    replay.compare().await?;
    for event in history {
        replay.event(event).await?;
        replay.compare().await?;
    }
    scene.store.delete(&without_proof(&replay.key), scene.start).await?;
    Ok(())
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl<S: Store> Replay<'_, S> {
    fn alive(&mut self) -> Option<&mut Session> {
        let now = self.now.as_millis();
        self.model.as_mut().filter(|session| session.is_alive(now))
    }

    async fn event(&mut self, event: &Event) -> Outcome<()> {
        let (store, now) = (&self.scene.store, self.now);
        match event {
            Event::Pass(millis) => self.now = now + std::time::Duration::from_millis(*millis),
            Event::Touch(ahead) => {
                let until = now + std::time::Duration::from_millis(*ahead);
                let found = store.touch(&self.key, until, now).await?;
                let session = self.alive();
                check!(found == session.is_some(), "touch found a session: {found}");
                if let Some(session) = session {
                    session.touch(until.as_millis(), now.as_millis());
                }
            }
            Event::Delete => {
                let found = store.delete(&self.key, now).await?;
                check!(found == self.alive().is_some(), "delete found a session: {found}");
                if found {
                    self.model = None;
                }
            }
            Event::Commit(commit) => self.commit(commit).await?,
            Event::Repeat(back) => self.repeat(*back).await?,
        }
        Ok(())
    }

    async fn commit(&mut self, commit: &Commit) -> Outcome<()> {
        let next = with_other_proof(&self.key);
        let mut patch = patch(commit, self.now);
        if commit.login {
            let proof = *next.proof().expect("it has one");
            patch = patch.change_proof(ProofChange::Replace(proof));
        }
        let saw = commit.saw.and_then(|back| self.seen.iter().rev().nth(back));
        if let Some(record) = saw {
            patch = patch.on(Arc::clone(record));
        }
        let applied = self.scene.store.apply(&self.key, &patch, self.now).await?;
        let now = self.now.as_millis();
        let expected = self.alive().map(|session| session.commit(commit, now));
        check!(agrees(&applied, expected), "a commit is {applied:?}, and fits: {expected:?}");
        let done = expected == Some(true);
        self.sent.push(Sent { key: self.key.clone(), patch, at: self.now, done });
        if done && commit.login {
            self.key = next;
        }
        Ok(())
    }

    async fn repeat(&mut self, back: usize) -> Outcome<()> {
        let Some(sent) = self.sent.iter().rev().nth(back) else { return Ok(()) };
        // Beyond the horizon a store may have forgotten it; one that took no effect is just sent
        // for the first time; and with a secret that is retired by now both answers are right.
        let retired = sent.key.proof() != self.key.proof();
        if !sent.done || retired || self.now.since(sent.at) >= RETRY_HORIZON {
            return Ok(());
        }
        let applied = self.scene.store.apply(&sent.key, &sent.patch, self.now).await?;
        let expected = self.alive().map(|_| true);
        check!(agrees(&applied, expected), "a repeat is {applied:?}, not done: {expected:?}");
        Ok(())
    }

    async fn compare(&mut self) -> Outcome<()> {
        let found = self.scene.store.load(&self.key, self.now).await?;
        let model = self.alive().cloned();
        let Some(record) = found else {
            check!(model.is_none(), "the session is gone, and should be {model:?}");
            return Ok(());
        };
        let data = record.data.iter().filter_map(|(key, text)| {
            let key = super::history::KEYS.into_iter().find(|known| *known == key)?;
            Some((key, text.to_owned()))
        });
        let user = match &record.user {
            None => None,
            Some(user) => Some(user.as_str().parse().map_err(|_| Violation::new("a user"))?),
        };
        let session = Session {
            data: data.collect(),
            user,
            idle_timeout: millis(record.idle_timeout),
            idle_deadline: record.idle_deadline.as_millis(),
            absolute_deadline: record.absolute_deadline.as_millis(),
            last_seen: record.last_seen.as_millis(),
        };
        check!(
            model.as_ref() == Some(&session) && record.data.len() == session.data.len(),
            "it is {session:?} with {} keys, not {model:?}",
            record.data.len()
        );
        self.seen.push(Arc::new(record));
        Ok(())
    }
}

fn agrees(applied: &Applied, fits: Option<bool>) -> bool {
    match applied {
        Applied::Done(_) => fits == Some(true),
        Applied::Refused(_) => fits == Some(false),
        _ => fits.is_none(),
    }
}

/// The patch that a request's journal becomes.
fn patch(request: &Commit, now: Timestamp) -> Patch {
    let take = |seen: Option<&Json>| {
        seen.map(|text| text.decode::<String>()).transpose()?;
        Ok(None)
    };
    let wrap = |seen: Option<&Json>| {
        Ok(Some(json(&format!("[{}]", seen.map_or("\"none\"", Json::as_str)))))
    };
    let mut patch = Patch::new(commit());
    for operation in &request.operations {
        patch = match *operation {
            Operation::Set(key, value) => patch.set(key, json(value)),
            Operation::Remove(key) => patch.remove(key),
            Operation::Add(key, by) => patch.add(key, Number::Int(by)),
            Operation::AddQuarters(key, by) => patch.add(key, Number::Float(f64::from(by) / 4.0)),
            Operation::Push(key, item) => patch.push(key, json(item)),
            Operation::UpdateIsSome(key) => {
                patch.update(key, |seen| Ok(Some(Json::of(&seen.is_some())?)))
            }
            Operation::UpdateWrap(key) => patch.update(key, wrap),
            Operation::UpdateTake(key) => patch.update(key, take),
            Operation::Clear => patch.clear(),
        };
    }
    let ahead = |millis: u64| now + std::time::Duration::from_millis(millis);
    if let Some(extend) = request.extend {
        patch = patch.extend(ahead(extend));
    }
    if let Some(timeout) = request.idle_timeout {
        patch = patch.set_idle_timeout(std::time::Duration::from_millis(timeout));
    }
    if let Some(user) = request.user {
        let user = user.map(|user| UserId::new(user).expect("a digit is an id"));
        patch = patch.bind(user, now);
    }
    patch
}
