//! Secrets: by value, by a variable, or by a file.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;

use tenure_core::transform::{Keyring, SecretKey};

use super::reader::Reader;

/// More than any list of secrets takes.
const MOST: u64 = 64 << 10;

/// The signing keys: of one setting of three, the first signs.
pub(super) fn keys(reader: &mut Reader, vars: &BTreeMap<String, String>) -> Option<Keyring> {
    let given: Vec<_> = ["secret", "secret_env", "secret_file"]
        .into_iter()
        .filter(|path| reader.has(path))
        .collect();
    if given.len() > 1 {
        reader.problem(format!("{}: keep one of them", given.join(", ")));
    }
    let keyring = |secrets: Vec<String>| match secrets.is_empty() {
        true => Err("there is no secret in it; put one from `openssl rand -base64 33`".to_owned()),
        false => Ok(secrets),
    };
    let keyring = |secrets| {
        let keys: Result<Vec<_>, _> = keyring(secrets)?.iter().map(SecretKey::new).collect();
        keys.map(Keyring::new).map_err(|error| plain(&error))
    };
    let by_value = reader.read("secret", |entry| match &entry.value {
        // One secret may hold commas and spaces.
        serde_json::Value::String(secret) => keyring(vec![secret.clone()]),
        _ => keyring(entry.as_list().ok_or("write a text, or a list of them")?),
    });
    let by_variable = reader.read("secret_env", |entry| {
        let names = entry.as_list().ok_or("write the name of a variable, or a list of them")?;
        keyring(names.iter().map(|name| variable(name, vars)).collect::<Result<_, _>>()?)
    });
    let by_file = reader.read("secret_file", |entry| {
        let path = entry.value.as_str().ok_or("write the path of a file")?;
        let text = file(path)?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        keyring(lines.map(str::to_owned).collect())
    });
    by_value.or(by_variable).or(by_file)
}

/// The password of a connection.
pub(super) fn password(
    reader: &mut Reader,
    connection: &str,
    vars: &BTreeMap<String, String>,
) -> Option<String> {
    let [plain, env, path] = ["password", "password_env", "password_file"]
        .map(|field| format!("connections.{connection}.{field}"));
    if [&plain, &env, &path].into_iter().filter(|path| reader.has(path)).count() > 1 {
        reader.problem(format!("{plain}, {env}, {path}: keep one of them"));
    }
    let by_value = reader.text(&plain);
    let by_variable = reader.read(&env, |entry| {
        variable(entry.value.as_str().ok_or("write the name of a variable")?, vars)
    });
    let by_file = reader.read(&path, |entry| {
        let text = file(entry.value.as_str().ok_or("write the path of a file")?)?;
        Ok(text.trim_end_matches(['\r', '\n']).to_owned())
    });
    by_value.or(by_variable).or(by_file)
}

fn variable(name: &str, vars: &BTreeMap<String, String>) -> Result<String, String> {
    let value = vars.get(name).cloned().or_else(|| std::env::var(name).ok());
    value.filter(|value| !value.is_empty()).ok_or_else(|| "there is no such variable".to_owned())
}

fn file(path: &str) -> Result<String, String> {
    let cannot = |error: std::io::Error| format!("the file cannot be read: {error}");
    let file = File::open(path).map_err(cannot)?;
    check(path, &file.metadata().map_err(cannot)?)?;
    let mut text = String::new();
    file.take(MOST + 1).read_to_string(&mut text).map_err(cannot)?;
    if text.len() as u64 > MOST {
        return Err("the file is too large for secrets".to_owned());
    }
    Ok(text)
}

/// Refuses what others can read or change. The group may read, as it must where a container gets its
/// secrets as files of root.
#[cfg(unix)]
fn check(path: &str, file: &fs::Metadata) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;

    let mode = file.permissions().mode() & 0o7777;
    if mode & 0o037 == 0 {
        return Ok(());
    }
    Err(format!(
        "the file has mode {mode:04o}, so that others can read or change it; run `chmod 600 {path}`, \
         and take a new secret if somebody may have seen this one"
    ))
}

/// Elsewhere the folder's own protection is all there is.
#[cfg(not(unix))]
fn check(_path: &str, _file: &fs::Metadata) -> Result<(), String> {
    Ok(())
}

/// The message without what was being done.
fn plain(error: &tenure_core::Error) -> String {
    let text = error.to_string();
    text.split_once(": ").map_or(text.clone(), |(_, message)| message.to_owned())
}
