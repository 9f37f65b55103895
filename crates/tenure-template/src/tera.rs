//! The view as functions of Tera, whose templates call them with named arguments.
//!
//! | in a template | what it gives |
//! | --- | --- |
//! | `session(key="cart.0.sku", default="-")` | the value at a path, or the default, or none |
//! | `session()` | all keys and values, as a map |
//! | `session_has(key="cart")` | whether there is anything at a path |
//! | `session_user()` | who is logged in, or none |
//! | `flash_messages(key="errors.title", default=[])` | the message at a path, or the default, or none |
//! | `flash_messages()` | all messages, as a map, which is empty if there are none |
//! | `flash_messages_has(key="errors.title")` | whether there is anything at a path |
//! | `flash_levels()` | the messages with a level, in order, each with `level` and `text` |
//! | `old(field="title", default=post.title)` | what the user had typed, or the default, or an empty text |
//! | `error(field="title")` | the first thing that is wrong with a field, or an empty text |
//! | `errors(field="title")` | all of them, as a list |
//! | `csrf_token()`, `csrf_field()` | a token, and a hidden field with one |
//!
//! Maps have their keys in no order, unless Tera has its feature `preserve_order`.
//!
//! [`render`] also gives the variable `session` to templates that name it, for `session.cart[0].sku`.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde::Serialize;
use tenure_core::Result;
use tenure_core::session::{FlashMessages, Level};
use tera::{Context, Error, Kwargs, State, Tera, TeraResult, Value};

use crate::SessionView;

thread_local! {
    /// The views of the pages that this thread renders, the innermost last. Tera's functions belong to
    /// all pages, and its contexts hold data alone, so that a function finds its page's view here.
    static VIEWS: RefCell<Vec<SessionView>> = const { RefCell::new(Vec::new()) };
}

/// Adds the functions. Templates that call them can be added only then.
///
/// ```
/// use tenure_template::{SessionView, tera::{register, render}};
/// use tera::{Context, Tera};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sessions = tenure_core::Sessions::in_memory()?;
/// # let session = sessions.start().await?;
/// session.set("theme", "dark")?;
/// let mut templates = Tera::new();
/// register(&mut templates);
/// templates.add_raw_template("page.html", r#"{{ session.theme }}, {{ session(key="tabs", default=1) }}"#)?;
/// let page = render(&templates, "page.html", &Context::new(), &SessionView::new(&session))?;
/// assert_eq!(page, "dark, 1");
/// # Ok(())
/// # }
/// ```
pub fn register(templates: &mut Tera) {
    templates.register_function("session", session);
    templates.register_function("session_has", |arguments: Kwargs, _: &State<'_>| {
        view()?.contains(arguments.must_get("key")?).map_err(failed)
    });
    templates.register_function("session_user", |_: Kwargs, _: &State<'_>| {
        let user = view()?.user();
        TeraResult::Ok(user.map_or_else(Value::none, |user| user.as_str().into()))
    });
    templates.register_function("flash_messages", flash_messages);
    templates.register_function("flash_messages_has", |arguments: Kwargs, _: &State<'_>| {
        let path: &str = arguments.must_get("key")?;
        TeraResult::Ok(messages()?.contains(path))
    });
    templates.register_function("flash_levels", flash_levels);
    templates.register_function("old", |arguments: Kwargs, _: &State<'_>| {
        let old = messages()?.old(arguments.must_get("field")?).map(Value::from);
        let default = arguments.get("default")?;
        TeraResult::Ok(old.or(default).unwrap_or_else(|| "".into()))
    });
    templates.register_function("error", |arguments: Kwargs, _: &State<'_>| {
        let error = view()?.error(arguments.must_get("field")?).map_err(failed)?;
        TeraResult::Ok(error.unwrap_or_default())
    });
    templates.register_function("errors", |arguments: Kwargs, _: &State<'_>| {
        view()?.errors(arguments.must_get("field")?).map_err(failed)
    });
    templates.register_function("csrf_token", |_: Kwargs, _: &State<'_>| {
        view()?.csrf_token().map_err(failed)
    });
    templates.register_function("csrf_field", |_: Kwargs, _: &State<'_>| {
        let field = view()?.csrf_field().map_err(failed)?;
        TeraResult::Ok(Value::safe_string(&field))
    });
}

/// Renders a template of these for the visitor of the view. If the template, or one that it includes
/// or extends, names the variable `session` and the context has none, it is put there. See the example of
/// [`register`].
///
/// # Errors
/// Whatever the template fails with. Errors of the session are among them, as text.
pub fn render(
    templates: &Tera,
    template: &str,
    context: &Context,
    view: &SessionView,
) -> TeraResult<String> {
    let names = templates.get_template_variables(template)?;
    if !names.contains("session") || context.contains_key("session") {
        return scope(view, || templates.render(template, context));
    }
    let mut context = context.clone();
    context.insert_value("session", keys(view)?);
    scope(view, || templates.render(template, &context))
}

/// Runs `render`, in which the functions know this view: for what [`render`] is not for, blocks and
/// components and templates that are no files. It has to render on the thread that called it.
///
/// ```
/// use tenure_template::{SessionView, tera::{register, scope}};
/// use tera::{Context, Tera};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sessions = tenure_core::Sessions::in_memory()?;
/// # let session = sessions.start().await?;
/// session.set("theme", "dark")?;
/// let mut templates = Tera::new();
/// register(&mut templates);
/// templates.add_raw_template("page.html", r#"…{% block body %}{{ session(key="theme") }}{% endblock %}"#)?;
/// let body = scope(&SessionView::new(&session), || {
///     templates.render_block("page.html", "body", &Context::new())
/// })?;
/// assert_eq!(body, "dark");
/// # Ok(())
/// # }
/// ```
pub fn scope<T>(view: &SessionView, render: impl FnOnce() -> T) -> T {
    /// Takes the view away also when `render` panics.
    struct Entered;

    impl Drop for Entered {
        fn drop(&mut self) {
            VIEWS.with_borrow_mut(Vec::pop);
        }
    }

    VIEWS.with_borrow_mut(|views| views.push(view.clone()));
    let _entered = Entered;
    render()
}

fn view() -> TeraResult<SessionView> {
    VIEWS.with_borrow(|views| views.last().cloned()).ok_or_else(|| {
        Error::message(
            "no session is known here: render by `tenure_template::tera::render`, or inside of \
             `scope`, on one thread",
        )
    })
}

fn messages() -> TeraResult<FlashMessages> {
    view()?.flash_messages().map_err(failed)
}

fn session(arguments: Kwargs, _: &State<'_>) -> TeraResult<Value> {
    let view = view()?;
    match arguments.get::<&str>("key")? {
        Some(path) => found(view.get(path), &arguments),
        None => keys(&view),
    }
}

fn flash_messages(arguments: Kwargs, _: &State<'_>) -> TeraResult<Value> {
    let messages = messages()?;
    match arguments.get::<&str>("key")? {
        Some(path) => found(messages.get::<Option<_>>(path).map(Option::flatten), &arguments),
        None => converted(&messages),
    }
}

fn flash_levels(_: Kwargs, _: &State<'_>) -> TeraResult<Value> {
    let line = |(level, text): (Level, String)| {
        Value::from(BTreeMap::from([("level", level.to_string()), ("text", text)]))
    };
    Ok(Value::from(messages()?.levels().map(line).collect::<Vec<_>>()))
}

/// All keys and values.
fn keys(view: &SessionView) -> TeraResult<Value> {
    let value = |key: String| Ok((key.clone(), view.get::<serde_json::Value>(&key)?));
    let all = view.keys().into_iter().map(value).collect::<Result<Vec<_>>>().map_err(failed)?;
    converted(&all.into_iter().collect::<BTreeMap<_, _>>())
}

/// What is at a path, or the default, or none.
fn found(value: Result<Option<serde_json::Value>>, arguments: &Kwargs) -> TeraResult<Value> {
    match value.map_err(failed)? {
        Some(value) => converted(&value),
        None => Ok(arguments.get("default")?.unwrap_or_else(Value::none)),
    }
}

fn converted<T: Serialize>(value: &T) -> TeraResult<Value> {
    Value::try_from_serializable(value)
}

/// The library's error as Tera's, with its message and as its source.
fn failed(error: tenure_core::Error) -> Error {
    let message = error.to_string();
    Error::chain(message, error)
}
