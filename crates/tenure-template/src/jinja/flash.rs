use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, Value, from_args};
use minijinja::{Error, ErrorKind, State};
use tenure_core::Result;
use tenure_core::session::Level;

use super::{failed, name_and_default, value};
use crate::SessionView;

/// `flash_messages`: a map of the messages, which are read when something is asked of it.
#[derive(Debug)]
pub(super) struct Flash(pub(super) SessionView);

impl Flash {
    fn get(&self, path: &str) -> Result<Option<Value>> {
        Ok(self.0.flash_messages()?.get::<Option<Value>>(path)?.flatten())
    }

    /// The last message of each key.
    fn all(&self) -> Result<BTreeMap<String, Value>> {
        let messages = self.0.flash_messages()?;
        messages.iter().map(|(key, value)| Ok((key.to_owned(), value.decode()?))).collect()
    }

    fn is_empty(&self) -> Result<bool> {
        Ok(self.0.flash_messages()?.is_empty())
    }

    fn levels(&self) -> Result<Value> {
        let messages = self.0.flash_messages()?;
        let line = |(level, text): (Level, String)| {
            Value::from_pairs([("level", level.to_string()), ("text", text)])
        };
        Ok(messages.levels().map(line).collect())
    }
}

impl Object for Flash {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        match value(self.get(key)) {
            None if key == "is_empty" => value(self.is_empty().map(|empty| Some(empty.into()))),
            found => found,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(match self.all() {
            Ok(all) => all.into_keys().map(Value::from).collect(),
            Err(error) => vec![Value::from(failed(error))],
        })
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        if matches!(method, "all" | "is_empty" | "levels") {
            let () = from_args(args)?;
        }
        match method {
            "get" => {
                let (path, default) = name_and_default(args)?;
                Ok(self.get(path).map_err(failed)?.or(default).unwrap_or_default())
            }
            "has" => {
                let (path,): (&str,) = from_args(args)?;
                let messages = self.0.flash_messages().map_err(failed)?;
                Ok(messages.contains(path).into())
            }
            "all" => self.all().map(Value::from_pairs).map_err(failed),
            "is_empty" => self.is_empty().map(Value::from).map_err(failed),
            "levels" => self.levels().map_err(failed),
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Error reports print what a template refers to, and must not use the messages up.
        f.write_str("flash_messages")
    }
}
