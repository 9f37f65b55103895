use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr, Value, from_args};
use minijinja::{Error, State};

use super::{failed, name_and_default};
use crate::SessionView;

/// A function of the template.
#[derive(Debug)]
pub(super) struct Helper {
    view: SessionView,
    is: Is,
}

#[derive(Clone, Copy, Debug)]
enum Is {
    Old,
    Error,
    Errors,
    CsrfToken,
    CsrfField,
}

impl Helper {
    pub(super) fn named(name: &str, view: SessionView) -> Option<Self> {
        let is = match name {
            "old" => Is::Old,
            "error" => Is::Error,
            "errors" => Is::Errors,
            "csrf_token" => Is::CsrfToken,
            "csrf_field" => Is::CsrfField,
            _ => return None,
        };
        Some(Self { view, is })
    }
}

impl Object for Helper {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, _state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        let view = &self.view;
        match self.is {
            Is::Old => {
                let (field, default) = name_and_default(args)?;
                let old = view.flash_messages().map_err(failed)?.old(field);
                // Text in any case, so that it can be printed also where what is undefined cannot.
                Ok(old.map(Value::from).or(default).unwrap_or_else(|| Value::from("")))
            }
            Is::Error => {
                let (field,) = from_args(args)?;
                Ok(view.error(field).map_err(failed)?.unwrap_or_default().into())
            }
            Is::Errors => {
                let (field,) = from_args(args)?;
                Ok(view.errors(field).map_err(failed)?.into_iter().collect())
            }
            Is::CsrfToken => {
                let () = from_args(args)?;
                view.csrf_token().map(Value::from).map_err(failed)
            }
            Is::CsrfField => {
                let () = from_args(args)?;
                view.csrf_field().map(Value::from_safe_string).map_err(failed)
            }
        }
    }
}
