//! Conditions and changes, as commands have them.

use mongodb::bson::{Bson, Document, doc};
use tenure_core::Timestamp;
use tenure_core::store::{Patch, Record, Step, Steps, StoreKey};

use crate::document::{commit, date, date_of, millis, proof};
use crate::name::field;

/// Longer values are not sent twice, once to be compared: the revision is compared instead.
const COMPARED: usize = 1_024;

/// The session, if it is alive.
pub(crate) fn alive(id: &str, now: Timestamp) -> Document {
    doc! { "_id": id, "deadline": { "$gt": date(now) } }
}

/// The session, if it is alive and accepts the key's proof.
pub(crate) fn admitting(id: &str, key: &StoreKey, now: Timestamp) -> Document {
    let mut filter = alive(id, now);
    match key.proof().map(proof) {
        Some(proof) => {
            filter.insert("$or", vec![doc! { "proof": &proof }, doc! { "pending.proof": &proof }]);
        }
        None => {
            filter.insert("proof", doc! { "$exists": false });
        }
    }
    filter
}

/// The session, if it may be deleted with this key.
pub(crate) fn deletable(id: &str, key: &StoreKey, now: Timestamp) -> Document {
    let mut filter = alive(id, now);
    if let Some(proof) = key.proof().map(proof) {
        let former = doc! { "former.proof": &proof, "former.until": { "$gt": millis(now) } };
        let accepted = vec![doc! { "proof": &proof }, doc! { "pending.proof": &proof }, former];
        filter.insert("$or", accepted);
    }
    filter
}

/// The change of a touch: [`Record::touched`], on what the server has.
pub(crate) fn touch(until: Timestamp, now: Timestamp) -> Vec<Document> {
    let latest = doc! { "$add": [millis(now), "$idle_timeout"] };
    let wished = doc! { "$min": [millis(until), latest] };
    let forward = doc! { "$max": ["$idle_deadline", wished] };
    vec![
        doc! { "$set": {
            "revision": { "$add": ["$revision", 1_i64] },
            "idle_deadline": { "$min": ["$absolute_deadline", forward] },
            "last_seen": { "$max": ["$last_seen", millis(now)] },
        } },
        doc! { "$set": {
            "deadline": date_of(doc! { "$min": ["$idle_deadline", "$absolute_deadline"] }),
        } },
    ]
}

/// A commit as one command that needs only what it touches to be as it was seen, so that commits
/// of different keys are not in each other's way.
pub(crate) struct Merge {
    pub(crate) filter: Document,
    pub(crate) update: Document,
}

impl Merge {
    /// The command that makes `next` of `seen`, whatever else has changed; none where all of the
    /// record matters.
    pub(crate) fn new(
        filter: Document,
        seen: &Record,
        next: &Record,
        (patch, steps): (&Patch, &Steps),
        now: Timestamp,
    ) -> Option<Self> {
        let whole = steps.clears()
            || patch.user().is_some()
            || patch.proof().is_some()
            || patch.idle_timeout().is_some()
            || patch.absolute_deadline().is_some()
            || seen.idle_deadline > seen.absolute_deadline;
        if whole {
            return None;
        }
        let mut merge = Self { filter, update: Document::new() };
        merge.need(&format!("commits.{}", commit(patch.id())), None);
        merge.remember(seen, next);
        let mut compared = 0;
        for (key, step) in steps.iter() {
            let path = format!("data.{}", field(key));
            if !matches!(step, Step::Set(_) | Step::Remove) {
                let saw = seen.data.get(key);
                compared += saw.map_or(0, str::len);
                merge.need(&path, saw.map(Into::into));
            }
            match next.data.get(key) {
                Some(value) => merge.put("$set", &path, value),
                None => merge.put("$unset", &path, ""),
            }
        }
        if compared > COMPARED {
            return None;
        }
        if let Some(until) = patch.until() {
            // What bounds the deadline is as it was seen; the deadline itself only grows.
            merge.need("idle_timeout", Some(idle_timeout(seen).into()));
            merge.need("absolute_deadline", Some(millis(seen.absolute_deadline).into()));
            let latest = seen.absolute_deadline.min(now + seen.idle_timeout);
            let until = until.min(latest);
            merge.put("$max", "idle_deadline", millis(until));
            merge.put("$max", "deadline", date(until));
            merge.put("$max", "last_seen", millis(now));
        }
        merge.put("$inc", "revision", 1_i64);
        Some(merge)
    }

    /// Remembers the commit, and forgets those whose time is over or whose senders know.
    fn remember(&mut self, seen: &Record, next: &Record) {
        for (id, _) in seen.commits.iter().filter(|(id, _)| next.commits.iter().all(|c| c.0 != *id))
        {
            self.put("$unset", &format!("commits.{}", commit(*id)), "");
        }
        for (id, at) in
            next.commits.iter().filter(|(id, _)| seen.commits.iter().all(|c| c.0 != *id))
        {
            self.put("$set", &format!("commits.{}", commit(*id)), millis(*at));
        }
    }

    fn need(&mut self, path: &str, value: Option<Bson>) {
        let condition = match value {
            Some(value) => doc! { "$eq": value },
            None => doc! { "$exists": false },
        };
        self.filter.insert(path, condition);
    }

    fn put(&mut self, operator: &str, path: &str, value: impl Into<Bson>) {
        let changes = self.update.entry(operator.to_owned()).or_insert_with(|| doc! {}.into());
        if let Bson::Document(changes) = changes {
            changes.insert(path, value);
        }
    }
}

fn idle_timeout(record: &Record) -> i64 {
    millis(Timestamp::default() + record.idle_timeout)
}
