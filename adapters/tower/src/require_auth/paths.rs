//! Which paths are guarded. What may be read in two ways is: for an exclusion only the plain form
//! counts, for an inclusion every form.

/// Inclusions and exclusions.
#[derive(Clone, Debug, Default)]
pub(super) struct Paths {
    /// None is everything.
    included: Option<Vec<Rule>>,
    excluded: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    path: String,
    under: bool,
}

impl Paths {
    pub(super) fn everywhere() -> Self {
        Self::default()
    }

    pub(super) fn nowhere() -> Self {
        Self { included: Some(Vec::new()), ..Self::default() }
    }

    pub(super) fn include(&mut self, path: &str, under: bool) {
        let path = plain(checked(path)).expect("few layers of encoding");
        self.included.get_or_insert_default().push(Rule { path, under });
    }

    pub(super) fn exclude(&mut self, path: &str, under: bool) {
        let path = checked(path);
        let path = if under { path.trim_end_matches('/') } else { path };
        self.excluded.push(Rule { path: path.to_owned(), under });
    }

    pub(super) fn guards(&self, path: &str) -> bool {
        let Some(plain) = plain(path) else { return true };
        let included = self.included.as_ref();
        included.is_none_or(|rules| rules.iter().any(|rule| rule.matches(&plain)))
            && !self
                .excluded
                .iter()
                .any(|rule| rule.matches(path) && (!rule.under || rule.matches(&plain)))
    }
}

impl Rule {
    fn matches(&self, path: &str) -> bool {
        match path.strip_prefix(self.path.as_str()) {
            Some("") => true,
            Some(rest) => self.under && (rest.starts_with('/') || self.path.ends_with('/')),
            None => false,
        }
    }
}

fn checked(path: &str) -> &str {
    assert!(
        path.starts_with('/') && !path.contains(['?', '#']),
        "{path:?} is no path: write one that begins with `/` and has no query"
    );
    path
}

/// The path as whatever is behind this layer may read it: decoded, with slashes for backslashes and
/// one for several, without `.`, `..` and a slash at the end. None if it is encoded too often.
fn plain(path: &str) -> Option<String> {
    let mut octets = path.as_bytes().to_vec();
    let mut rounds = 0;
    while let Some(decoded) = decoded(&octets) {
        octets = decoded;
        rounds += 1;
        if rounds > 3 {
            return None;
        }
    }
    let text = String::from_utf8_lossy(&octets).replace('\\', "/");
    let mut parts = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    Some(format!("/{}", parts.join("/")))
}

/// The octets without one layer of percent signs, if there is one.
fn decoded(octets: &[u8]) -> Option<Vec<u8>> {
    let digit = |at: usize| octets.get(at).and_then(|octet| char::from(*octet).to_digit(16));
    let (mut out, mut at, mut found) = (Vec::with_capacity(octets.len()), 0, false);
    while at < octets.len() {
        match (octets[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                found = true;
                at += 3;
            }
            (octet, ..) => {
                out.push(octet);
                at += 1;
            }
        }
    }
    found.then_some(out)
}
