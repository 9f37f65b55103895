//! Ktor's directory storage: where its files are.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use tenure_interop::ktor::{self, directory_path};

use crate::support::octets;
use crate::vectors::{KTOR, of_kind, text};

fn files(folder: &Path, below: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, below, found);
        } else {
            found.insert(path.strip_prefix(below).unwrap().to_owned());
        }
    }
}

/// The same steps as Ktor did, with the same files left over.
#[test]
fn k6_files_are_where_ktor_has_them() {
    let case = &of_kind(KTOR, "directory", 1)[0];
    let folder = tempfile::tempdir().unwrap();
    for step in case["steps"].as_array().unwrap() {
        if let Some(id) = step["write"].as_str() {
            let path = directory_path(id).unwrap();
            if let Some(expected) = step["path"].as_str() {
                assert_eq!(path, Path::new(expected));
                assert_eq!(text(step, "value").as_bytes(), octets(text(step, "content_hex")));
            }
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text(step, "value")).unwrap();
        } else if let Some(id) = step["read"].as_str() {
            match text(step, "error") {
                "IllegalArgumentException" => assert_eq!(directory_path(id), None, "{id:?}"),
                "NoSuchElementException" => {
                    let path = directory_path(id).unwrap();
                    assert!(!folder.path().join(&path).exists());
                    if let Some(made) = step["folders_made_by_reading"].as_array() {
                        let above = path.parent().unwrap();
                        let mut above: Vec<&Path> = above.ancestors().collect();
                        above.reverse();
                        let made = made.iter().map(|folder| Path::new(folder.as_str().unwrap()));
                        assert_eq!(above[1..], made.collect::<Vec<_>>());
                    }
                }
                other => panic!("{other}"),
            }
        } else {
            let path = directory_path(text(step, "invalidate")).unwrap();
            fs::remove_file(folder.path().join(path)).unwrap();
            let mut left = BTreeSet::new();
            files(folder.path(), folder.path(), &mut left);
            let expected = step["files_left"].as_array().unwrap();
            let expected = expected.iter().map(|file| PathBuf::from(file.as_str().unwrap()));
            assert_eq!(left, expected.collect());
        }
    }
}

/// Nothing leaves the folder, and no two ids have one file.
#[test]
fn k6_no_path_leaves_the_folder() {
    for bad in [
        "", ".", "..", "...", "../x", "a/../b", "/etc", "a\\b", "a\0b", "a..b", "ab..", "..ab",
        ".a", "a b", "a\nb", "é", "日本", "a:b", "a*b", "a\"b", "a|b", "a\x7fb",
    ] {
        assert_eq!(directory_path(bad), None, "{bad:?}");
    }
    assert_eq!(directory_path(&"a".repeat(257)), None);
    assert_eq!(directory_path(&"a/".repeat(1 << 19)), None);
    let ids = ["a", "ab", "abc", "abcd", "abcde", "ab.c", "abc.d", "a.dat", "ab.dat", "abc.dat"];
    let paths: BTreeSet<PathBuf> = ids.iter().map(|id| directory_path(id).unwrap()).collect();
    assert_eq!(paths.len(), ids.len());
    assert!(paths.iter().all(|path| {
        path.components().all(|part| matches!(part, std::path::Component::Normal(_)))
    }));
}

#[test]
fn k6_generated_ids_have_the_shape() {
    let case = &of_kind(KTOR, "ids", 1)[0];
    let ids = case["ids"].as_array().unwrap();
    assert_eq!(ids.len(), 6);
    for id in ids.iter().map(|id| id.as_str().unwrap()) {
        assert!(ktor::IDS.admits(id), "{id}");
        assert!(directory_path(id).is_some());
        assert!(!ktor::IDS.admits(&id.to_uppercase()) && !ktor::IDS.admits(&id[1..]));
    }
}
