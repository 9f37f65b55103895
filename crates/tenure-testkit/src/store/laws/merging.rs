//! Law 3, merging: what two commits that saw the same record make of one key, in both orders.

use std::sync::Arc;

use tenure_core::store::{Applied, Patch, ProofChange, Record, Store, StoreKey};
use tenure_core::value::{Json, Number};

use crate::store::scene::{IDLE, MS, Scene, json, patch, with_other_proof};
use crate::store::{Finding, Outcome, StoreHarness, Trial, check};

const KEY: &str = "k";
/// What the key holds before both commits.
const BEFORE: [Option<&str>; 4] = [None, Some("5"), Some("[5]"), Some("\"text\"")];

/// One request's whole change.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Change {
    Set,
    Increment,
    Push,
    Update,
    Remove,
    Clear,
    Touch,
    Renew,
    Login,
    Destroy,
}

const ALL: [Change; 10] = [
    Change::Set,
    Change::Increment,
    Change::Push,
    Change::Update,
    Change::Remove,
    Change::Clear,
    Change::Touch,
    Change::Renew,
    Change::Login,
    Change::Destroy,
];

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Done,
    Refused,
    Gone,
}

/// What the table says of a session.
#[derive(Clone, Debug)]
struct Expected {
    value: Option<String>,
    /// Whether another key is still there, which only `clear` drops.
    other: bool,
    /// Whether a login has replaced the secret.
    rotated: bool,
    deleted: bool,
}

impl Expected {
    /// The table: what `change` does to the key, and what becomes of the change.
    fn then(&mut self, change: Change) -> Fate {
        if self.deleted || (self.rotated && change != Change::Destroy) {
            return Fate::Gone;
        }
        let number = self.value.as_deref().map(str::parse::<i64>);
        let list = self.value.as_deref().map(|text| text.strip_prefix('[')?.strip_suffix(']'));
        match change {
            Change::Set => self.value = Some("70".to_owned()),
            Change::Increment => match number {
                None => self.value = Some("2".to_owned()),
                Some(Ok(number)) => self.value = Some((number + 2).to_string()),
                Some(Err(_)) => return Fate::Refused,
            },
            Change::Push => match list {
                None => self.value = Some("[9]".to_owned()),
                Some(Some(items)) => self.value = Some(format!("[{items},9]")),
                Some(None) => return Fate::Refused,
            },
            Change::Update => {
                let seen = self.value.as_deref().unwrap_or("null");
                self.value = Some(format!("{{\"was\":{seen}}}"));
            }
            Change::Remove => self.value = None,
            Change::Clear => (self.value, self.other) = (None, false),
            Change::Touch | Change::Renew => {}
            Change::Login => self.rotated = true,
            Change::Destroy => self.deleted = true,
        }
        Fate::Done
    }
}

/// Two requests on one session.
struct Pair<S> {
    scene: Scene<S>,
    key: StoreKey,
    /// The key after a login.
    next: StoreKey,
    base: Option<Arc<Record>>,
}

impl<S: Store> Pair<S> {
    async fn begin(scene: &Scene<S>, before: Option<&str>, with_base: bool) -> Outcome<Self> {
        let data: Vec<_> =
            before.map(|text| (KEY, text)).into_iter().chain([("other", "1")]).collect();
        let key = scene.begin(&data).await?;
        let base = match with_base {
            true => Some(Arc::new(scene.load(&key, scene.start).await?)),
            false => None,
        };
        Ok(Self { scene: scene.clone(), next: with_other_proof(&key), key, base })
    }

    fn patch(&self, change: Change) -> Option<Patch> {
        let next = *self.next.proof().expect("it has one");
        let was = |seen: Option<&Json>| {
            let seen = seen.map_or("null", Json::as_str);
            Ok(Some(json(&format!("{{\"was\":{seen}}}"))))
        };
        let patch = match change {
            Change::Set => patch().set(KEY, json("70")),
            Change::Increment => patch().add(KEY, Number::Int(2)),
            Change::Push => patch().push(KEY, json("9")),
            Change::Update => patch().update(KEY, was),
            Change::Remove => patch().remove(KEY),
            Change::Clear => patch().clear(),
            Change::Renew => {
                patch().change_proof(ProofChange::Prepare(crate::store::scene::proof()))
            }
            Change::Login => patch().change_proof(ProofChange::Replace(next)),
            Change::Touch | Change::Destroy => return None,
        };
        Some(match &self.base {
            Some(base) => patch.on(Arc::clone(base)),
            None => patch,
        })
    }

    async fn commit(&self, change: Change) -> Outcome<Fate> {
        let (store, now) = (&self.scene.store, self.scene.after(MS));
        let found = match self.patch(change) {
            Some(patch) => {
                return Ok(match store.apply(&self.key, &patch, now).await? {
                    Applied::Done(_) => Fate::Done,
                    Applied::Refused(_) => Fate::Refused,
                    _ => Fate::Gone,
                });
            }
            None if change == Change::Touch => store.touch(&self.key, now + IDLE, now).await?,
            None => store.delete(&self.key, now).await?,
        };
        Ok(if found { Fate::Done } else { Fate::Gone })
    }

    async fn ends_as(&self, expected: &Expected, what: &str) -> Outcome<()> {
        let now = self.scene.after(MS);
        let (here, elsewhere) =
            if expected.rotated { (&self.next, &self.key) } else { (&self.key, &self.next) };
        let other = self.scene.store.load(elsewhere, now).await?;
        check!(other.is_none(), "{what}: the wrong secret opens {other:?}");
        let found = self.scene.store.load(here, now).await?;
        check!(found.is_none() == expected.deleted, "{what}: the session is {found:?}");
        if let Some(record) = found {
            let value = record.data.get(KEY);
            check!(value == expected.value.as_deref(), "{what}: the value is {value:?}");
            let other = record.data.get("other").is_some();
            check!(other == expected.other, "{what}: another key is there: {other}");
        }
        Ok(())
    }
}

async fn after<H: StoreHarness>(trial: &Trial<H>, first: Change) -> Outcome {
    let scene = trial.scene().await;
    for second in ALL {
        for before in BEFORE {
            for with_base in [false, true] {
                let what = format!("{first:?}, then {second:?}, on {before:?}");
                let pair = Pair::begin(&scene, before, with_base).await?;
                let mut expected = Expected {
                    value: before.map(ToOwned::to_owned),
                    other: true,
                    rotated: false,
                    deleted: false,
                };
                for change in [first, second] {
                    let (should, is) = (expected.then(change), pair.commit(change).await?);
                    check!(is == should, "{what}: {change:?} is {is:?}, not {should:?}");
                }
                pair.ends_as(&expected, &what).await?;
            }
        }
    }
    Ok(Finding::Kept)
}

/// After a set: the last set wins, a sum counts on from it, a list or a sum that does not fit it is
/// refused.
pub async fn law_03_merging_after_set<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    after(trial, Change::Set).await
}

/// After an increment: increments add up.
pub async fn law_03_merging_after_increment<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    after(trial, Change::Increment).await
}

/// After a push: lists keep what both appended, in the store's order.
pub async fn law_03_merging_after_push<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    after(trial, Change::Push).await
}

/// After an update: the second closure sees what the first made.
pub async fn law_03_merging_after_update<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    after(trial, Change::Update).await
}

/// After a removal: the second commit finds nothing.
pub async fn law_03_merging_after_remove<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    after(trial, Change::Remove).await
}

/// After a clear: what the second commit writes stays, and nothing else.
pub async fn law_03_merging_after_clear<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    after(trial, Change::Clear).await
}

/// After a touch: everything as without it.
pub async fn law_03_merging_after_touch<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    after(trial, Change::Touch).await
}

/// After the first phase of a renewal: both secrets write.
pub async fn law_03_merging_after_renewal<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    after(trial, Change::Renew).await
}

/// After a login the commit of the old secret finds the session gone, and only its delete works.
pub async fn law_03_merging_after_login<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    after(trial, Change::Login).await
}

/// After a delete everything finds the session gone.
pub async fn law_03_merging_after_destroy<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    after(trial, Change::Destroy).await
}
