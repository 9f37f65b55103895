//! Where settings come from.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use tenure_core::Result;

use super::SessionConfig;
use super::names::{self, Variable};
use super::reader::{Entries, Entry, Reader};

/// Gathers settings from several places: what comes later stands above what came before.
///
/// ```
/// use tenure::config::SessionConfig;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> tenure::Result<()> {
/// let sessions = SessionConfig::sources()
///     .json(r#"{"store": "memory:", "idle_timeout": "30m", "cookie": {"name": "__Host-shop"}}"#)
///     .vars([("TENURE_IDLE_TIMEOUT", "2h")])
///     .read()?
///     .build()
///     .await?;
/// assert_eq!(sessions.name(), "__Host-shop");
/// assert!(sessions.describe().to_string().contains("idle_timeout: 2 hours"));
/// # Ok(())
/// # }
/// ```
///
/// It is deserialized, too, as a part of an application's own configuration:
///
/// ```
/// use serde::Deserialize;
/// use tenure::config::Sources;
///
/// #[derive(Deserialize)]
/// struct Application {
///     port: u16,
///     session: Sources,
/// }
///
/// let text = r#"{"port": 3000, "session": {"store": "memory:"}}"#;
/// let application: Application = serde_json::from_str(text)?;
/// let config = application.session.vars([("TENURE_AGE", "2h")]).read()?; // or `.env()`
/// assert_eq!(config.to_string().lines().count(), 2);
/// # assert_eq!(application.port, 3000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default)]
#[must_use = "nothing is checked until `read` is called"]
pub struct Sources {
    entries: Entries,
    problems: Vec<String>,
    /// All that was given, since settings may name variables.
    vars: BTreeMap<String, String>,
}

/// Settings that say the same in different ways: one in a later place drops the others.
const ALTERNATIVES: &[&[&str]] = &[
    &["secret", "secret_env", "secret_file"],
    &["age", "idle_timeout"],
    &["clear_with_browser", "cookie.max_age"],
];

impl Sources {
    /// A file, in JSON when its name ends with `.json`, else in TOML, which needs the feature
    /// `toml`.
    ///
    /// ```
    /// # use tenure::config::SessionConfig;
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("sessions.json");
    /// std::fs::write(&path, r#"{"store": "memory:"}"#).unwrap();
    /// assert!(SessionConfig::sources().file(&path).read().is_ok());
    /// assert!(SessionConfig::sources().file("missing.json").read().is_err());
    /// ```
    pub fn file(mut self, path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        let name = path.display().to_string();
        match fs::read_to_string(path) {
            Ok(text) if path.extension().is_some_and(|end| end.eq_ignore_ascii_case("json")) => {
                self.parsed(&name, parse_json(&text));
            }
            Ok(text) => self.parsed(&name, parse_toml(&text)),
            Err(error) => self.problems.push(format!("{name} cannot be read: {error}")),
        }
        self
    }

    /// Settings as TOML.
    ///
    /// ```
    /// # use tenure::config::SessionConfig;
    /// let text = "store = 'memory:'\n[cookie]\nsame_site = 'strict'";
    /// let config = SessionConfig::sources().toml(text).read()?;
    /// assert!(config.to_string().contains(r#"cookie.same_site = "strict""#));
    /// # Ok::<(), tenure::Error>(())
    /// ```
    #[cfg(feature = "toml")]
    pub fn toml(mut self, text: &str) -> Self {
        self.parsed("the TOML text", parse_toml(text));
        self
    }

    /// Settings as JSON.
    ///
    /// ```
    /// # use tenure::config::SessionConfig;
    /// let config = SessionConfig::sources().json(r#"{"profile": "aal2"}"#).read()?;
    /// assert!(config.to_string().contains(r#"profile = "aal2""#));
    /// # Ok::<(), tenure::Error>(())
    /// ```
    pub fn json(mut self, text: &str) -> Self {
        self.parsed("the JSON text", parse_json(text));
        self
    }

    /// The variables of this process: `TENURE_COOKIE_NAME` is `cookie.name`, and so on; the file
    /// that `TENURE_CONFIG` names lies below them. An empty one counts as missing.
    ///
    /// ```
    /// # use tenure::config::SessionConfig;
    /// let config = SessionConfig::sources().json(r#"{"store": "memory:"}"#).env().read();
    /// # assert!(config.is_ok());
    /// ```
    pub fn env(mut self) -> Self {
        let mut vars = Vec::new();
        for (name, value) in std::env::vars_os() {
            let Some(name) = name.to_str().map(str::to_owned) else { continue };
            match value.into_string() {
                Ok(value) => vars.push((name, value)),
                Err(_) if names::variable(&name) == Variable::NotOurs => {}
                Err(_) => self.problems.push(format!("{name}: the value is not UTF-8")),
            }
        }
        self.vars(vars)
    }

    /// These variables, as if they were the environment's.
    ///
    /// ```
    /// # use tenure::config::SessionConfig;
    /// let error = SessionConfig::sources().vars([("TENURE_STOER", "memory:")]).read().unwrap_err();
    /// assert!(error.to_string().contains("is `TENURE_STORE` meant?"), "{error}");
    /// ```
    pub fn vars<N: Into<String>, V: Into<String>>(
        mut self,
        vars: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let vars = vars.into_iter().map(|(name, value)| (name.into(), value.into()));
        let vars: BTreeMap<String, String> = vars.filter(|(_, value)| !value.is_empty()).collect();
        let mut found = Entries::new();
        for (name, value) in &vars {
            match names::variable(name) {
                Variable::NotOurs => {}
                Variable::File => self = self.file(value),
                Variable::Setting(path) => {
                    let (value, from) = (Value::String(value.clone()), name.as_str().into());
                    found.insert(path, Entry { value, from, untyped: true });
                }
                Variable::Unknown => self.problems.push(unknown_variable(name)),
            }
        }
        self.put(found);
        self.vars.extend(vars);
        self
    }

    /// Checks all settings.
    ///
    /// ```
    /// # use tenure::config::SessionConfig;
    /// let text = r#"{"idle_timeout": "soon", "cookie": {"samesite": "lax"}}"#;
    /// let error = SessionConfig::sources().json(text).read().unwrap_err().to_string();
    /// assert!(error.contains("idle_timeout = \"soon\""), "{error}");
    /// assert!(error.contains("is `cookie.same_site` meant?"), "both are told");
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`](tenure_core::ErrorKind::Config) for settings that there are not, values
    /// that are not allowed, and files that cannot be read: all of them at once, by name. What is
    /// secret is not in it.
    pub fn read(self) -> Result<SessionConfig> {
        SessionConfig::of(Reader::new(self.entries, self.problems), &self.vars)
    }

    fn parsed(&mut self, name: &str, parsed: Result<Value, String>) {
        match parsed {
            Ok(Value::Object(table)) => {
                let mut found = Entries::new();
                flatten("", Value::Object(table), &name.into(), &mut found);
                self.put(found);
            }
            Ok(_) => self.problems.push(format!("{name} holds no table of settings")),
            Err(problem) => self.problems.push(format!("{name}: {problem}")),
        }
    }

    /// Puts the settings of one place above those that are there.
    fn put(&mut self, found: Entries) {
        for group in ALTERNATIVES {
            if group.iter().any(|path| found.contains_key(*path)) {
                self.entries.retain(|path, _| !group.contains(&path.as_str()));
            }
        }
        self.entries.extend(found);
    }
}

fn parse_json(text: &str) -> Result<Value, String> {
    // What it says tells the place, and nothing of the text.
    serde_json::from_str(text).map_err(|error| format!("this is not JSON: {error}"))
}

#[cfg(feature = "toml")]
fn parse_toml(text: &str) -> Result<Value, String> {
    toml::from_str(text).map_err(|error: toml::de::Error| {
        // The error's own text quotes the line, which may hold a secret.
        let start = error.span().map_or(0, |span| span.start);
        let line = 1 + text.bytes().take(start).filter(|octet| *octet == b'\n').count();
        format!("line {line} is not TOML; mind quotes, brackets, and keys that come twice")
    })
}

#[cfg(not(feature = "toml"))]
fn parse_toml(_text: &str) -> Result<Value, String> {
    Err("TOML needs the feature `toml` of the crate `tenure`; switch it on, or write JSON into a \
         file whose name ends with `.json`"
        .to_owned())
}

/// Tables become paths; an empty one, and what is null, is nothing.
fn flatten(path: &str, value: Value, from: &Arc<str>, into: &mut Entries) {
    match value {
        Value::Null => {}
        Value::Object(table) => {
            for (name, value) in table {
                let path = if path.is_empty() { name } else { format!("{path}.{name}") };
                flatten(&path, value, from, into);
            }
        }
        value => {
            into.insert(path.to_owned(), Entry { value, from: Arc::clone(from), untyped: false });
        }
    }
}

fn unknown_variable(name: &str) -> String {
    let path = name.trim_start_matches(names::PREFIX).to_ascii_lowercase();
    match names::nearest(&path) {
        Some(known) => {
            let known = names::of_setting(&known);
            format!("{name}: there is no such setting; is `{known}` meant?")
        }
        None => format!("{name}: there is no such setting; remove it"),
    }
}

impl<'de> Deserialize<'de> for Sources {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (mut sources, settings) = (Self::default(), Value::deserialize(deserializer)?);
        sources.parsed("the configuration", Ok(settings));
        Ok(sources)
    }
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.entries.keys()).finish()
    }
}
