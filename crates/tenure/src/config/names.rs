//! The names of settings, in files and in the environment.

/// Every setting, but for those of connections and the cookie's extension attributes.
pub(super) const SETTINGS: &[&str] = &[
    "enabled",
    "profile",
    "store",
    "format",
    "namespace",
    "secret",
    "secret_env",
    "secret_file",
    "seal_at_rest",
    "insecure_unsigned_tokens",
    "age",
    "idle_timeout",
    "absolute_timeout",
    "renewal_interval",
    "insecure_never_renew",
    "touch_interval",
    "touch_every_request",
    "rolling",
    "save_uninitialized",
    "clear_unknown",
    "require_merging",
    "clear_with_browser",
    "store_timeout",
    "when_unavailable",
    "undecodable",
    "max_sessions_per_user",
    "at_limit",
    "lock_ip",
    "lock_user_agent",
    "trusted_proxies",
    "proxy_headers",
    "skip_paths",
    "skip_below",
    "near_cache.enabled",
    "near_cache.max_sessions",
    "near_cache.stale_for",
    "max_session_bytes",
    "max_session_keys",
    "max_operations",
    "max_flash_bytes",
    "cookie.name",
    "cookie.path",
    "cookie.domain",
    "cookie.secure",
    "cookie.http_only",
    "cookie.same_site",
    "cookie.partitioned",
    "cookie.priority",
    "cookie.max_age",
    "transports",
    "header.name",
    "header.longest",
    "bearer.response_header",
    "bearer.longest",
    "client.protection",
    "client.revocations",
];

/// The settings of one connection. The longer one of two with the same end comes first.
pub(super) const CONNECTION: &[&str] =
    &["password_env", "password_file", "password", "driver", "host", "port", "user", "url", "db"];

pub(super) const PREFIX: &str = "TENURE_";
const CONNECTIONS: &str = "CONNECTIONS_";

/// Variables with the prefix that are no settings: those of this library's tests, and those by which
/// container platforms tell of a service that happens to be called so.
const NOT_OURS: &[&str] =
    &["TEST_", "SUITE_", "ADVISORIES", "SERVER_CHILD", "SERVERS_CHILD", "SERVICE_", "PORT"];

/// What a variable sets.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Variable {
    Setting(String),
    /// A file with settings.
    File,
    Unknown,
    NotOurs,
}

pub(super) fn variable(name: &str) -> Variable {
    let Some(rest) = name.strip_prefix(PREFIX) else { return Variable::NotOurs };
    if rest == "CONFIG" {
        return Variable::File;
    }
    if let Some(path) = SETTINGS.iter().find(|path| of_setting(path) == name) {
        return Variable::Setting((*path).to_owned());
    }
    if let Some(rest) = rest.strip_prefix(CONNECTIONS).map(str::to_ascii_lowercase) {
        let field = CONNECTION.iter().find_map(|field| {
            let name = rest.strip_suffix(field)?.strip_suffix('_')?;
            (!name.is_empty()).then(|| format!("connections.{name}.{field}"))
        });
        return field.map_or(Variable::Unknown, Variable::Setting);
    }
    if NOT_OURS.iter().any(|start| rest.starts_with(start)) {
        return Variable::NotOurs;
    }
    Variable::Unknown
}

/// The variable of a setting.
pub(super) fn of_setting(path: &str) -> String {
    format!("{PREFIX}{}", path.replace('.', "_").to_ascii_uppercase())
}

/// What to say about a setting that there is not.
pub(super) fn unknown(path: &str) -> String {
    let last = path.rsplit('.').next().unwrap_or(path);
    let hint = match last {
        "resave" => {
            "it would write whole sessions back, over what other requests have changed; for a \
             store that must see each use, take `touch_every_request`"
        }
        "unset" => "a session ends by `Session::destroy` and stays otherwise; leave it out",
        "proxy" | "trust proxy" | "trust_proxy" | "trustProxy" => {
            "it would believe everybody who says where a request comes from; name the proxies, or \
             count them, by `trusted_proxies`"
        }
        "genid" | "idGenerator" => "only code can make ids; use `SessionsBuilder::id_generator`",
        "expires" => "a date is set in code, by `Cookie::expires`; take `cookie.max_age`",
        _ => "",
    };
    if !hint.is_empty() {
        return format!("there is no such setting: {hint}");
    }
    if SETTINGS.iter().any(|known| known.strip_prefix(path).is_some_and(|r| r.starts_with('.'))) {
        return format!("it is a table; write `[{path}]` and settings below it");
    }
    if path.starts_with("connections.") && path.split('.').count() != 3 {
        return "a connection is a table below `connections`, with no dot in its name".to_owned();
    }
    match nearest(path) {
        Some(known) => format!("there is no such setting; is `{known}` meant?"),
        None => "there is no such setting; remove it".to_owned(),
    }
}

/// The setting whose name is most like `path`, if one is.
pub(super) fn nearest(path: &str) -> Option<String> {
    if let Some((rest, field)) =
        path.strip_prefix("connections.").and_then(|rest| rest.rsplit_once('.'))
    {
        let known = CONNECTION.iter().map(|known| (distance(&plain(known), &plain(field)), known));
        let (_, known) = known.min().filter(|(distance, _)| *distance <= 2)?;
        return Some(format!("connections.{rest}.{known}"));
    }
    let wanted = plain(path);
    let last = |path: &str| plain(path.rsplit('.').next().unwrap_or(path));
    let like = |known: &&str| last(known) == last(path) || plain(known) == wanted;
    if let Some(known) = SETTINGS.iter().find(|known| like(known)) {
        return Some((*known).to_owned());
    }
    let (distance, known) =
        SETTINGS.iter().map(|known| (distance(&plain(known), &wanted), known)).min()?;
    (distance <= 2.max(wanted.len() / 4)).then(|| (*known).to_owned())
}

/// Without what styles of writing differ in.
fn plain(path: &str) -> String {
    path.chars().filter(char::is_ascii_alphanumeric).map(|sign| sign.to_ascii_lowercase()).collect()
}

/// How many letters must be changed, put in or left out (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in other.bytes().enumerate() {
            let here = (diagonal + usize::from(a != b)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], here);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a1_each_setting_has_a_variable_of_its_own() {
        for path in SETTINGS {
            assert_eq!(variable(&of_setting(path)), Variable::Setting((*path).to_owned()));
        }
        assert_eq!(of_setting("cookie.same_site"), "TENURE_COOKIE_SAME_SITE");
    }

    #[test]
    fn a4_variables_of_connections() {
        let setting = |path: &str| Variable::Setting(path.to_owned());
        let connection = |name: &str| variable(&format!("TENURE_CONNECTIONS_{name}"));
        assert_eq!(connection("MAIN_HOST"), setting("connections.main.host"));
        assert_eq!(connection("MAIN_PASSWORD_FILE"), setting("connections.main.password_file"));
        assert_eq!(connection("NEAR_BY_URL"), setting("connections.near_by.url"));
        assert_eq!(connection("HOST"), Variable::Unknown);
        assert_eq!(connection("MAIN_HOTS"), Variable::Unknown);
    }

    #[test]
    fn a1_variables_of_others_are_left_alone() {
        for name in ["PATH", "TENURE_TEST_REDIS_URL", "TENURE_SERVICE_HOST", "TENURE_PORT_80_TCP"] {
            assert_eq!(variable(name), Variable::NotOurs, "{name}");
        }
        assert_eq!(variable("TENURE_CONFIG"), Variable::File);
        assert_eq!(variable("TENURE_SECRETS"), Variable::Unknown);
    }

    #[test]
    fn a1_the_nearest_name_is_named() {
        for (wrong, right) in [
            ("cookie.samesite", "cookie.same_site"),
            ("cookie.sameSite", "cookie.same_site"),
            ("same_site", "cookie.same_site"),
            ("cookieName", "cookie.name"),
            ("saveUninitialized", "save_uninitialized"),
            ("idle_timout", "idle_timeout"),
            ("stor", "store"),
            ("connections.main.hots", "connections.main.host"),
            ("connections.main.pasword", "connections.main.password"),
        ] {
            assert_eq!(nearest(wrong).as_deref(), Some(right), "{wrong}");
        }
        assert_eq!(nearest("weather"), None);
        assert_eq!(nearest("ｓtore"), Some("store".to_owned()));
    }
}
