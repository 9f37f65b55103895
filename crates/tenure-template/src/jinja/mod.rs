//! The view as values of minijinja, which read only what a template evaluates.

mod flash;
mod helper;
mod keys;

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Kwargs, Object, Value, from_args};
use minijinja::{Error, ErrorKind};

use self::flash::Flash;
use self::helper::Helper;
use self::keys::Keys;
use crate::SessionView;

/// The view as a template's context, or as a part of one. What the application's own part names comes
/// first.
///
/// ```
/// use minijinja::{Environment, context};
/// use tenure_template::SessionView;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sessions = tenure_core::Sessions::in_memory()?;
/// # let session = sessions.start().await?;
/// session.set("theme", "dark")?;
/// let mut templates = Environment::new();
/// templates.add_template("page.html", "{{ title }}: {{ session.theme }}, {{ session.get('tabs', 1) }}")?;
/// let view = SessionView::new(&session);
/// let page = templates.get_template("page.html")?.render(context! { title => "Shop", ..view })?;
/// assert_eq!(page, "Shop: dark, 1");
/// # Ok(())
/// # }
/// ```
impl From<SessionView> for Value {
    fn from(view: SessionView) -> Self {
        Self::from_object(Context(view))
    }
}

/// As the conversion of a [`SessionView`].
impl From<&SessionView> for Value {
    fn from(view: &SessionView) -> Self {
        Self::from(view.clone())
    }
}

#[derive(Debug)]
struct Context(SessionView);

const NAMES: &[&str] =
    &["session", "flash_messages", "old", "error", "errors", "csrf_token", "csrf_field"];

impl Object for Context {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let view = self.0.clone();
        match key {
            "session" => Some(Value::from_object(Keys(view))),
            "flash_messages" => Some(Value::from_object(Flash(view))),
            _ => Helper::named(key, view).map(Value::from_object),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(NAMES)
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&NAMES.join(", "))
    }
}

/// The library's error as the template's, with its message and as its source.
fn failed(error: tenure_core::Error) -> Error {
    Error::new(ErrorKind::InvalidOperation, error.to_string()).with_source(error)
}

/// What was found, or a value whose use fails with the error.
fn value(found: tenure_core::Result<Option<Value>>) -> Option<Value> {
    found.unwrap_or_else(|error| Some(Value::from(failed(error))))
}

/// A name, and a default that may also be given as `default=…`.
fn name_and_default(args: &[Value]) -> Result<(&str, Option<Value>), Error> {
    let (name, default, named): (&str, Option<Value>, Kwargs) = from_args(args)?;
    let default = match default {
        Some(default) => Some(default),
        None => named.get("default")?,
    };
    named.assert_all_used()?;
    Ok((name, default))
}
