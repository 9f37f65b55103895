//! Reads settings one by one, and gathers what is wrong with them.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tenure_core::{Error, ErrorKind};

use super::{duration, names};

/// One setting as it was found.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) value: Value,
    /// Where: a file, or a variable.
    pub(super) from: Arc<str>,
    /// Whether it is text because everything is text there.
    pub(super) untyped: bool,
}

/// By its path, such as `cookie.name`.
pub(super) type Entries = BTreeMap<String, Entry>;

/// A setting and where it is from, without secrets.
pub(super) struct Shown {
    pub(super) path: String,
    pub(super) value: String,
    pub(super) from: Arc<str>,
}

pub(super) struct Reader {
    entries: Entries,
    problems: Vec<String>,
    shown: Vec<Shown>,
}

impl Reader {
    pub(super) fn new(entries: Entries, problems: Vec<String>) -> Self {
        let shown = entries.iter().map(|(path, entry)| Shown {
            path: path.clone(),
            value: show(path, &entry.value),
            from: Arc::clone(&entry.from),
        });
        Self { shown: shown.collect(), entries, problems }
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.entries.contains_key(path)
    }

    /// The paths that begin so.
    pub(super) fn below(&self, start: &str) -> Vec<String> {
        let paths = self.entries.keys().filter(|path| path.starts_with(start));
        paths.cloned().collect()
    }

    /// What `read` makes of a setting, if there is one; its error says what is allowed.
    pub(super) fn read<T>(
        &mut self,
        path: &str,
        read: impl FnOnce(&Entry) -> Result<T, String>,
    ) -> Option<T> {
        let entry = self.entries.remove(path)?;
        match read(&entry) {
            Ok(value) => Some(value),
            Err(allowed) => {
                let shown = show(path, &entry.value);
                self.problems.push(format!("{path} = {shown} ({}): {allowed}", entry.from));
                None
            }
        }
    }

    pub(super) fn text(&mut self, path: &str) -> Option<String> {
        self.read(path, |entry| {
            entry.value.as_str().map(str::to_owned).ok_or_else(|| "write a text".to_owned())
        })
    }

    pub(super) fn switch(&mut self, path: &str) -> Option<bool> {
        self.read(path, |entry| entry.as_bool().ok_or_else(|| "write true or false".to_owned()))
    }

    /// Whether a switch is there and on.
    pub(super) fn is_on(&mut self, path: &str) -> bool {
        self.switch(path).unwrap_or(false)
    }

    pub(super) fn number(&mut self, path: &str) -> Option<usize> {
        self.read(path, |entry| entry.as_number().ok_or_else(|| "write a whole number".to_owned()))
    }

    pub(super) fn duration(&mut self, path: &str) -> Option<Duration> {
        self.read(path, |entry| entry.as_duration().ok_or_else(|| DURATION.to_owned()))
    }

    pub(super) fn choice<T: Copy>(&mut self, path: &str, choices: &[(&str, T)]) -> Option<T> {
        self.read(path, |entry| {
            let text = entry.value.as_str();
            let found = choices.iter().find(|(name, _)| text == Some(name));
            found.map(|(_, choice)| *choice).ok_or_else(|| {
                let names: Vec<_> = choices.iter().map(|(name, _)| format!("{name:?}")).collect();
                format!("write one of {}", names.join(", "))
            })
        })
    }

    /// Something that is wrong with the settings taken together.
    pub(super) fn problem(&mut self, problem: impl Display) {
        self.problems.push(problem.to_string());
    }

    /// What is wrong, if anything is; what has not been read is not known.
    pub(super) fn finish(mut self) -> Result<Vec<Shown>, Error> {
        for (path, entry) in &self.entries {
            self.problems.push(format!("{path} ({}): {}", entry.from, names::unknown(path)));
        }
        if self.problems.is_empty() {
            return Ok(self.shown);
        }
        let message = match &self.problems[..] {
            [problem] => problem.clone(),
            many => format!("{} problems:\n  {}", many.len(), many.join("\n  ")),
        };
        Err(Error::new(ErrorKind::Config, "configuration", message))
    }
}

pub(super) const DURATION: &str =
    "write a time such as \"30m\", \"2h\", \"7 days\", or a number of seconds";

impl Entry {
    pub(super) fn as_bool(&self) -> Option<bool> {
        match &self.value {
            Value::Bool(value) => Some(*value),
            Value::String(text) if self.untyped => match text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "1" => Some(true),
                "false" | "no" | "off" | "0" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    pub(super) fn as_number(&self) -> Option<usize> {
        match &self.value {
            Value::String(text) if self.untyped => text.trim().parse().ok(),
            other => other.as_u64().and_then(|number| number.try_into().ok()),
        }
    }

    pub(super) fn as_duration(&self) -> Option<Duration> {
        match &self.value {
            Value::String(text) => duration::parse(text),
            other => other.as_u64().map(Duration::from_secs),
        }
    }

    /// One text, or several; in a variable with commas or white space between them.
    pub(super) fn as_list(&self) -> Option<Vec<String>> {
        match &self.value {
            Value::String(text) if self.untyped => {
                let items = text.split(|sign: char| sign == ',' || sign.is_whitespace());
                Some(items.filter(|item| !item.is_empty()).map(str::to_owned).collect())
            }
            Value::String(text) => Some(vec![text.clone()]),
            Value::Array(items) => {
                items.iter().map(|item| item.as_str().map(str::to_owned)).collect()
            }
            _ => None,
        }
    }
}

/// A value for a message or a log. What may be secret, or hold a password, is never shown.
fn show(path: &str, value: &Value) -> String {
    const MOST: usize = 60;
    let last = path.rsplit('.').next().unwrap_or(path);
    let known = names::SETTINGS.contains(&path)
        || path.starts_with("cookie.extensions.")
        || (path.starts_with("connections.") && names::CONNECTION.contains(&last));
    if !known || ["secret", "store", "revocations", "url", "password"].contains(&last) {
        return "…".to_owned();
    }
    let text = value.to_string();
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
