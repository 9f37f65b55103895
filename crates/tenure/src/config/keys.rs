//! Secrets: by value, by a variable, or by a file.

use std::collections::BTreeMap;

use tenure_core::transform::{Keyring, read_secret_file};

use super::reader::Reader;

/// The keys, and the file that they are from, if it is one.
pub(super) struct Secrets {
    pub(super) ring: Keyring,
    pub(super) file: Option<String>,
}

/// The keys: of one setting of three, the first signs.
pub(super) fn keys(reader: &mut Reader, vars: &BTreeMap<String, String>) -> Option<Secrets> {
    let given: Vec<_> = ["secret", "secret_env", "secret_file"]
        .into_iter()
        .filter(|path| reader.has(path))
        .collect();
    if given.len() > 1 {
        reader.problem(format!("{}: keep one of them", given.join(", ")));
    }
    let keyring = |secrets: Vec<String>| match secrets.is_empty() {
        true => Err("there is no secret in it; put one from `openssl rand -base64 33`".to_owned()),
        false => Keyring::from_secrets(secrets).map_err(|error| plain(&error)),
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
    let of_file = reader.read("secret_file", |entry| {
        let path = entry.value.as_str().ok_or("write the path of a file")?;
        let ring = Keyring::from_file(path).map_err(|error| plain(&error))?;
        Ok(Secrets { ring, file: Some(path.to_owned()) })
    });
    by_value.or(by_variable).map(|ring| Secrets { ring, file: None }).or(of_file)
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
    read_secret_file(path).map_err(|error| plain(&error))
}

/// The message without what was being done.
pub(super) fn plain(error: &tenure_core::Error) -> String {
    let text = error.to_string();
    text.split_once(": ").map_or(text.clone(), |(_, message)| message.to_owned())
}
