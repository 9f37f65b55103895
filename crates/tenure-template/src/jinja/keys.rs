use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, Value, from_args};
use minijinja::{Error, ErrorKind, State};

use super::{failed, name_and_default, value};
use crate::SessionView;

/// `session`: a map of the keys, with methods for paths and defaults.
#[derive(Debug)]
pub(super) struct Keys(pub(super) SessionView);

impl Object for Keys {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        value(self.0.get(key))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.keys().into_iter().map(Value::from).collect())
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        match method {
            "get" => {
                let (path, default) = name_and_default(args)?;
                Ok(self.0.get(path).map_err(failed)?.or(default).unwrap_or_default())
            }
            "has" => {
                let (path,) = from_args(args)?;
                self.0.contains(path).map(Value::from).map_err(failed)
            }
            "user" => {
                let () = from_args(args)?;
                Ok(self.0.user().map_or(Value::from(()), |user| user.as_str().into()))
            }
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Printed as a whole it is for debugging, and also by error reports: the names alone.
        write!(f, "session({})", self.0.keys().join(", "))
    }
}
