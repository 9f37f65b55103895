use std::collections::BTreeMap;

use super::history::{Commit, Operation};

/// A session as plain as can be: what the store should hold.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Session {
    pub(super) data: BTreeMap<&'static str, String>,
    pub(super) user: Option<u8>,
    pub(super) idle_timeout: u64,
    pub(super) idle_deadline: u64,
    pub(super) absolute_deadline: u64,
    pub(super) last_seen: u64,
}

impl Session {
    pub(super) fn is_alive(&self, now: u64) -> bool {
        now < self.idle_deadline.min(self.absolute_deadline)
    }

    pub(super) fn touch(&mut self, until: u64, now: u64) {
        let latest = until.min(now + self.idle_timeout).min(self.absolute_deadline);
        self.idle_deadline = self.idle_deadline.max(latest);
        self.last_seen = self.last_seen.max(now);
    }

    /// Carries out a commit, and tells whether it fits; if not, nothing has changed.
    pub(super) fn commit(&mut self, commit: &Commit, now: u64) -> bool {
        // Only what does not look at the value makes good an operation that did not fit it.
        let mut data: Data = self.data.iter().map(|(key, text)| (*key, Ok(text.clone()))).collect();
        for operation in &commit.operations {
            let (key, after) = match *operation {
                Operation::Clear => {
                    data.clear();
                    continue;
                }
                Operation::Set(key, value) => (key, Ok(Some(value.to_owned()))),
                Operation::Remove(key) => (key, Ok(None)),
                Operation::Add(key, by) => (key, on(&data, key, |seen| add(seen, by))),
                Operation::AddQuarters(key, by) => {
                    (key, on(&data, key, |seen| add_quarters(seen, by)))
                }
                Operation::Push(key, item) => (key, on(&data, key, |seen| push(seen, item))),
                Operation::UpdateIsSome(key) => {
                    (key, on(&data, key, |seen| Ok(Some(seen.is_some().to_string()))))
                }
                Operation::UpdateWrap(key) => {
                    let wrap = |seen: Option<&str>| format!("[{}]", seen.unwrap_or("\"none\""));
                    (key, on(&data, key, |seen| Ok(Some(wrap(seen)))))
                }
                Operation::UpdateTake(key) => {
                    let fits = |seen: Option<&str>| seen.is_none_or(|text| text.starts_with('"'));
                    (key, on(&data, key, |seen| if fits(seen) { Ok(None) } else { Err(()) }))
                }
            };
            match after {
                Ok(Some(text)) => data.insert(key, Ok(text)),
                Ok(None) => data.remove(key),
                Err(()) => data.insert(key, Err(())),
            };
        }
        let data: Result<_, ()> = data.into_iter().map(|(key, text)| Ok((key, text?))).collect();
        let Ok(data) = data else { return false };
        self.data = data;
        if let Some(user) = commit.user {
            self.user = user;
        }
        if let Some(timeout) = commit.idle_timeout {
            self.idle_timeout = timeout;
            self.idle_deadline = self.absolute_deadline.min(now + timeout);
            self.last_seen = self.last_seen.max(now);
        }
        if let Some(extend) = commit.extend {
            self.touch(now + extend, now);
        }
        true
    }
}

/// By key: a value, or that an operation did not fit it.
type Data = BTreeMap<&'static str, Result<String, ()>>;

/// What `change` makes of a key that nothing has failed to fit so far.
fn on(
    data: &Data,
    key: &str,
    change: impl Fn(Option<&str>) -> Result<Option<String>, ()>,
) -> Result<Option<String>, ()> {
    match data.get(key) {
        Some(Ok(text)) => change(Some(text)),
        Some(Err(())) => Err(()),
        None => change(None),
    }
}

fn add(seen: Option<&str>, by: i64) -> Result<Option<String>, ()> {
    let seen = seen.unwrap_or("0");
    if let Ok(int) = seen.parse::<i64>() {
        return int.checked_add(by).map(|sum| Some(sum.to_string())).ok_or(());
    }
    Ok(Some(format!("{:?}", float(seen)? + f64::from(i32::try_from(by).map_err(drop)?))))
}

fn add_quarters(seen: Option<&str>, by: i32) -> Result<Option<String>, ()> {
    let quarters = f64::from(by) / 4.0;
    match seen {
        None => Ok(Some(format!("{quarters:?}"))),
        Some(text) => Ok(Some(format!("{:?}", float(text)? + quarters))),
    }
}

/// The float that a number is, if it is one exactly.
fn float(text: &str) -> Result<f64, ()> {
    let is_number = text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    let beyond = text.parse::<i64>().is_ok_and(|int| int.unsigned_abs() > 1 << 53);
    if !is_number || beyond {
        return Err(());
    }
    text.parse().map_err(drop)
}

fn push(seen: Option<&str>, item: &str) -> Result<Option<String>, ()> {
    match seen {
        None | Some("[]") => Ok(Some(format!("[{item}]"))),
        Some(list) => {
            let items = list.strip_prefix('[').and_then(|list| list.strip_suffix(']')).ok_or(())?;
            Ok(Some(format!("[{items},{item}]")))
        }
    }
}
