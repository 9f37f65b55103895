use std::path::PathBuf;

/// The longest id that is looked at, in characters.
const MAX_ID: usize = 256;

/// The file, below the folder, in which Ktor's directory storage keeps the session with this id: a
/// folder for every two characters, and the rest with `.dat`.
///
/// None for what Ktor refuses, which is an empty id and one with `..` or one of `/\!?><` or NUL; and
/// also for characters that are not visible ASCII, signs that mean something to some file system, a
/// dot in the first place, and more than 256 characters. No id that Ktor generates is like that.
///
/// ```
/// use std::path::Path;
/// use tenure_interop::ktor;
///
/// let path = ktor::directory_path("0123abc").unwrap();
/// assert_eq!(path, Path::new("01/23/ab/c.dat"));
/// assert!(ktor::directory_path("../secrets").is_none());
/// ```
///
/// # Deployment caveat
/// A reader with a cache (`cached = true` there) sees no write of anybody else for as long as it goes
/// on reading: set `cached = false`. The layout knows neither locks nor an end of a session's life,
/// and an empty file is an error: write another one beside it, and rename that.
#[must_use]
pub fn directory_path(id: &str) -> Option<PathBuf> {
    let refused = |octet: u8| !octet.is_ascii_graphic() || br#"/\!?><:*"|"#.contains(&octet);
    if id.is_empty()
        || id.len() > MAX_ID
        || id.bytes().any(refused)
        || id.starts_with('.')
        || id.contains("..")
    {
        return None;
    }
    let (folders, file) = id.split_at((id.len() - 1) / 2 * 2);
    let mut path: PathBuf =
        folders.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).unwrap_or_default()).collect();
    path.push(format!("{file}.dat"));
    Some(path)
}
