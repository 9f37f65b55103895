use crate::error::{Error, Result};

/// The paths that are not checked.
#[derive(Clone, Debug, Default)]
pub(super) struct Bypass {
    exact: Vec<String>,
    beginnings: Vec<String>,
}

impl Bypass {
    pub(super) fn exact(&mut self, path: &str) -> Result<()> {
        check("bypass_path", path, path)?;
        self.exact.push(path.to_owned());
        Ok(())
    }

    pub(super) fn beginning(&mut self, pattern: &str) -> Result<()> {
        let Some(beginning) = pattern.strip_suffix('*').filter(|path| path.ends_with('/')) else {
            return Err(Error::config(format!(
                "insecure_bypass_below: {pattern:?} does not end in `/*`; write `/webhooks/*`, or \
                 name one path by `bypass_path`"
            )));
        };
        check("insecure_bypass_below", pattern, beginning)?;
        self.beginnings.push(beginning.to_owned());
        Ok(())
    }

    pub(super) fn covers(&self, path: &str) -> bool {
        let below = |beginning: &String| {
            path.strip_prefix(&**beginning).is_some_and(|rest| !may_lead_elsewhere(rest))
        };
        self.exact.iter().any(|exact| exact == path) || self.beginnings.iter().any(below)
    }
}

fn check(setting: &str, given: &str, path: &str) -> Result<()> {
    let plain = |octet: u8| octet.is_ascii_graphic() && !b"*?#{}\\".contains(&octet);
    if path.starts_with('/') && path.bytes().all(plain) {
        return Ok(());
    }
    Err(Error::config(format!(
        "{setting}: {given:?} is not a path; it begins with `/`, is compared to the letter with the \
         path of the URI, and has neither query nor pattern"
    )))
}

/// Whether something behind may take the path for one that is elsewhere: by going up, or by
/// decoding what hides a step up.
fn may_lead_elsewhere(rest: &str) -> bool {
    let rest = rest.to_ascii_lowercase();
    rest.contains('\\')
        || ["%2e", "%2f", "%5c"].iter().any(|hidden| rest.contains(hidden))
        || rest.split('/').any(|step| matches!(step, "." | ".."))
        || rest.starts_with('/')
        || rest.contains("//")
}
