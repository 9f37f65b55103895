//! What is recorded of a value: all of its keys in one step.

use std::sync::Arc;

use crate::engine::Slot;
use crate::error::Result;
use crate::store::changes::Call;
use crate::value::Json;

/// What happens to the key of one field.
pub(super) struct Write {
    pub(super) key: String,
    /// What the value was made from, if it matters.
    pub(super) saw: Option<Json>,
    pub(super) with: Option<Json>,
    /// How it is made again.
    pub(super) call: Option<Call>,
}

impl Write {
    pub(super) fn put(key: String, value: Option<&Json>) -> Self {
        Self { key, saw: None, with: value.cloned(), call: None }
    }

    /// The value, unless another request is faster.
    pub(super) fn absent(key: String, value: Json) -> Self {
        let with = Some(value.clone());
        let call: Call = Arc::new(move |there| Ok(Some(there.unwrap_or(&value).clone())));
        Self { key, saw: None, with, call: Some(call) }
    }
}

impl Slot {
    /// Records all of it or, on an error, nothing. False, and nothing, if a value is not the one
    /// any more that it was made from.
    pub(super) fn write_fields(&self, operation: &'static str, writes: Vec<Write>) -> Result<bool> {
        for write in &writes {
            self.validators().check(operation, &write.key, write.with.as_ref())?;
        }
        let mut is_done = true;
        self.checked(operation, usize::MAX, |state| {
            for write in writes.iter().filter(|write| write.call.is_some()) {
                is_done &= state.journal.view(&write.key)? == write.saw;
            }
            if is_done {
                for Write { key, with, call, .. } in writes {
                    match call {
                        Some(call) => state.journal.call(&key, call, with),
                        None => state.journal.put(&key, with),
                    }
                }
            }
            Ok(())
        })?;
        Ok(is_done)
    }
}
