//! What a closure over a whole value does to the keys of its fields.

use std::sync::Arc;

use super::fields::{Object, Scope, decoded, encoded};
use super::writes::Write;
use super::{SessionData, validated};
use crate::error::Result;
use crate::store::changes::Call;
use crate::value::Json;

pub(super) type Update<T> = Arc<dyn Fn(&mut T) + Send + Sync>;

/// Runs `update` on the value that is `stored`, or on the default, under no lock.
pub(super) fn writes<T: SessionData + Default>(
    update: &Update<T>,
    scope: &Scope,
    stored: Object,
) -> Result<Vec<Write>> {
    let is_there = !stored.is_empty();
    let mut value = if is_there { decoded(&stored)? } else { T::default() };
    let before = encoded(&value, scope)?;
    update(&mut value);
    validated("update", &value)?;
    let after = encoded(&value, scope)?;
    if is_there && before == after {
        return Ok(Vec::new());
    }
    // What was read under a former name must not stand beside the present one.
    let is_former = |field: &String| {
        let beside = || after.iter().chain(stored.get_key_value(field));
        let is_written = before.contains_key(field) || after.contains_key(field);
        !is_written && decoded::<T>(beside()).is_err()
    };
    let former: Vec<_> = stored.keys().filter(|field| is_former(field)).cloned().collect();
    let mut seen = before.clone();
    seen.extend(stored.clone().into_iter().filter(|(field, _)| !former.contains(field)));
    let seen = Arc::new(seen);

    let mut writes: Vec<_> = former.iter().map(|key| Write::put(scope.key(key), None)).collect();
    let fills = !is_there || !former.is_empty();
    let gone = before.keys().filter(|field| !after.contains_key(*field));
    for field in gone.chain(after.keys()) {
        let (saw, with) = (stored.get(field), after.get(field));
        if before.get(field) != with {
            let call = again(update, &seen, field, saw, with, scope);
            let (key, saw, with) = (scope.key(field), saw.cloned(), with.cloned());
            writes.push(Write { key, saw, with, call: Some(call) });
        } else if let (None, Some(value)) = (saw, with)
            && fills
        {
            writes.push(Write::absent(scope.key(field), value.clone()));
        }
    }
    Ok(writes)
}

/// What `update` makes of one field when it meets another value than `saw`.
fn again<T: SessionData>(
    update: &Update<T>,
    seen: &Arc<Object>,
    field: &str,
    saw: Option<&Json>,
    with: Option<&Json>,
    scope: &Scope,
) -> Call {
    let (update, seen, field) = (Arc::clone(update), Arc::clone(seen), field.to_owned());
    let (saw, with, scope) = (saw.cloned(), with.cloned(), scope.clone());
    Arc::new(move |there| {
        if there == saw.as_ref() {
            return Ok(with.clone());
        }
        // Removed meanwhile, perhaps with all the others: one alone would be half a value.
        let Some(there) = there else { return Ok(None) };
        let mut object = Object::clone(&seen);
        object.insert(field.clone(), there.clone());
        let mut value = decoded(&object)?;
        update(&mut value);
        validated("commit", &value)?;
        Ok(encoded(&value, &scope)?.remove(&field))
    })
}
