//! Law 8: every key and every value comes back byte for byte.

use std::time::Duration;

use tenure_core::Timestamp;
use tenure_core::id::CommitId;
use tenure_core::store::{Applied, Client, Former, Pending, Record, Store, StoreKey};
use tenure_core::value::{Json, Number};

use crate::store::scene::{ABSOLUTE, IDLE, MS, Scene, commit, json, patch, proof, user, value};
use crate::store::{Finding, Outcome, StoreHarness, Trial, Violation, check};

/// Keys that some server, language or file system would mix up, trim, fold or refuse.
const KEYS: [&str; 40] = [
    "",
    "\0",
    "a",
    "A",
    "a ",
    " a",
    "a\0",
    "a\0b",
    ".",
    "..",
    "a.b",
    "$",
    "$set",
    "$.a",
    "'",
    "\"",
    "''",
    "\\",
    "\\\"",
    "`",
    "/",
    "%",
    "_",
    "*",
    "?",
    "[0]",
    "{}",
    "id",
    "_id",
    "null",
    "0",
    "00",
    "é",
    "e\u{301}",
    "ß",
    "ss",
    "İ",
    "\u{1f980}",
    "\u{10ffff}",
    "\u{feff}",
];

/// Values that some server or language would round, reorder, escape or drop.
const VALUES: [&str; 36] = [
    "null",
    "true",
    "false",
    "0",
    "-0",
    "-1",
    "1.0",
    "1.10",
    "1e3",
    "1E+3",
    "0.1",
    "-0.0",
    "9007199254740993",
    "-9007199254740993",
    "9223372036854775807",
    "18446744073709551616",
    "123456789012345678901234567890.123456789012345678901234567890",
    "1e400",
    "\"\"",
    "\" \"",
    "\"\\u0000\"",
    "\"\\ud83e\\udd80\"",
    "\"\u{1f980}\u{10ffff}\"",
    "\"\\/\"",
    "\"/\"",
    "\"'\"",
    "\"e\u{301}\"",
    "\"\u{2028}\u{7f}\"",
    "[]",
    "{}",
    "[[]]",
    "[ ]",
    "{\"b\":1,\"a\":2,\"b\":3}",
    "{\"\":{\"$a.b\":[]}}",
    "[1, 2 ,3]",
    "\"12345678901234567890\"",
];

/// All odd keys live side by side, each with a value of its own, filed and changed alike.
pub async fn law_08_every_key_is_its_own<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let text = |at: usize| format!("\"value {at}\"");
    let texts: Vec<_> = (0..KEYS.len()).map(text).collect();
    let all: Vec<_> = KEYS.iter().zip(&texts).map(|(key, text)| (*key, text.as_str())).collect();
    let filed = scene.begin(&all).await?;
    let applied = scene.begin(&[]).await?;
    for (key, text) in &all {
        scene.apply(&applied, &patch().set(*key, json(text)), scene.start).await?;
    }
    let expected = all.iter().copied().collect();
    for key in [&filed, &applied] {
        let record = scene.load(key, scene.start).await?;
        check!(record.data == expected, "the keys are {:?}", record.data);
    }
    for at in 0..KEYS.len() {
        scene.apply(&filed, &patch().remove(KEYS[at]), scene.start).await?;
        let left = all[at + 1..].iter().copied().collect();
        let record = scene.load(&filed, scene.start).await?;
        check!(record.data == left, "after removing {:?}: {:?}", KEYS[at], record.data);
    }
    Ok(Finding::Kept)
}

/// Every step works under every odd key.
pub async fn law_08_every_step_takes_every_key<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    for name in KEYS {
        let key = scene.begin(&[]).await?;
        let update = |seen: Option<&Json>| Ok(Some(json(&format!("[{}]", seen.is_some()))));
        for (patch, expected) in [
            (patch().add(name, Number::Int(2)), "2"),
            (patch().add(name, Number::Int(3)), "5"),
            (patch().update(name, update), "[true]"),
            (patch().push(name, json("{}")), "[true,{}]"),
            (patch().clear().push(name, json("1")), "[1]"),
        ] {
            scene.apply(&key, &patch, scene.start).await?;
            let record = scene.load(&key, scene.start).await?;
            check!(value(&record, name) == Some(expected), "{name:?}: {record:?}");
            check!(record.data.len() == 1, "{name:?}: {record:?}");
        }
    }
    Ok(Finding::Kept)
}

/// A value comes back as it was written, however it was written and whatever is changed beside it.
pub async fn law_08_values_come_back_byte_for_byte<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let filed: Vec<_> = VALUES.map(|text| (text, text)).into();
    let key = scene.begin(&filed).await?;
    let mut all = patch();
    for text in VALUES {
        let written = text.to_owned();
        all = all
            .set(format!("set {text}"), json(text))
            .update(format!("update {text}"), move |_| Ok(Some(json(&written))))
            .push(format!("push {text}"), json(text));
    }
    scene.apply(&key, &all, scene.start).await?;
    scene.apply(&key, &patch().add("beside", Number::Int(1)), scene.start).await?;
    check!(scene.store.touch(&key, scene.after(IDLE), scene.start).await?, "touch found nothing");
    let record = scene.load(&key, scene.start).await?;
    for text in VALUES {
        for (name, expected) in [
            (text.to_owned(), text.to_owned()),
            (format!("set {text}"), text.to_owned()),
            (format!("update {text}"), text.to_owned()),
            (format!("push {text}"), format!("[{text}]")),
        ] {
            let found = value(&record, &name);
            check!(found == Some(&expected), "{name}: {found:?}");
        }
    }
    Ok(Finding::Kept)
}

/// A closure that saw an odd value is compared with it byte for byte, too.
pub async fn law_08_updates_compare_byte_for_byte<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    for text in VALUES {
        let key = scene.begin(&[("v", text)]).await?;
        let base = scene.load(&key, scene.start).await?;
        let echo = |seen: Option<&Json>| Ok(seen.cloned());
        let patch = patch().update("v", echo).update("w", echo).on(base.into());
        scene.apply(&key, &patch, scene.start).await?;
        let record = scene.load(&key, scene.start).await?;
        check!(value(&record, "v") == Some(text), "{text}: {record:?}");
        check!(value(&record, "w").is_none(), "{text}: {record:?}");
    }
    Ok(Finding::Kept)
}

/// A value of a mebibyte is kept, whatever its characters, and pushed onto.
pub async fn law_08_values_of_a_mebibyte<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    const MEBIBYTE: usize = 1 << 20;
    let scene = trial.scene().await;
    for character in ["x", "\u{1f980}", "\\u0000"] {
        let text = format!("\"{}\"", character.repeat((MEBIBYTE - 2) / character.len()));
        let filed = scene.begin(&[("v", &text)]).await?;
        let applied = scene.begin(&[]).await?;
        scene.apply(&applied, &patch().set("v", json(&text)), scene.start).await?;
        for key in [&filed, &applied] {
            scene.apply(key, &patch().add("n", Number::Int(1)), scene.start).await?;
            let record = scene.load(key, scene.start).await?;
            check!(value(&record, "v") == Some(&text), "{character:?} times many is lost");
        }
    }
    let item = format!("\"{}\"", "y".repeat(MEBIBYTE / 2 - 4));
    let key = scene.begin(&[("l", &format!("[{item}]"))]).await?;
    scene.apply(&key, &patch().push("l", json(&item)), scene.start).await?;
    let record = scene.load(&key, scene.start).await?;
    check!(value(&record, "l") == Some(&format!("[{item},{item}]")), "a long list is lost");
    Ok(Finding::Kept)
}

/// Sums are exact to the ends of 64 bits; beyond them, and on what is no number, the patch is
/// refused and changes nothing.
pub async fn law_08_sums_are_exact<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let int = Number::Int;
    for (before, by, expected) in [
        (None, int(0), Some("0")),
        (None, int(i64::MIN), Some("-9223372036854775808")),
        (None, int(999_999_999_999_999_999), Some("999999999999999999")),
        (Some("5"), int(-5), Some("0")),
        (Some("0"), int(-999_999_999_999_999), Some("-999999999999999")),
        (Some("999999999999999"), int(999_999_999_999_999), Some("1999999999999998")),
        (Some("-1000000000000000"), int(1), Some("-999999999999999")),
        (Some("999999999999999999"), int(999_999_999_999_999_999), Some("1999999999999999998")),
        (Some("9007199254740992"), int(1), Some("9007199254740993")),
        (Some("9223372036854775806"), int(1), Some("9223372036854775807")),
        (Some("9223372036854775807"), int(1), None),
        (Some("-9223372036854775808"), int(-1), None),
        (Some("9223372036854775808"), int(-1), None),
        (Some("1.5"), int(1), Some("2.5")),
        (Some("1"), Number::Float(0.25), Some("1.25")),
        (Some("1.5"), Number::Float(0.5), Some("2.0")),
        (Some("9007199254740991.0"), int(0), Some("9007199254740991.0")),
        (Some("9007199254740993"), Number::Float(0.5), None),
        (Some("1e308"), Number::Float(1.7e308), None),
        (Some("\"1\""), int(1), None),
        (Some("null"), int(1), None),
        (Some("true"), int(1), None),
        (Some("[1]"), int(1), None),
    ] {
        let data: Vec<_> = before.map(|text| ("n", text)).into_iter().collect();
        let key = scene.begin(&data).await?;
        let sum = patch().add("n", by).set("beside", json("1"));
        let applied = scene.store.apply(&key, &sum, scene.start).await?;
        let record = scene.load(&key, scene.start).await?;
        let found = value(&record, "n");
        match expected {
            Some(text) => check!(found == Some(text), "{before:?} + {by:?} is {found:?}"),
            None => {
                check!(matches!(applied, Applied::Refused(_)), "{before:?} + {by:?}: {applied:?}");
                check!(found == before, "a refused sum left {found:?}");
                check!(value(&record, "beside").is_none(), "a refused sum wrote beside");
            }
        }
    }
    Ok(Finding::Kept)
}

/// Lists grow at the end and keep what is in them; nothing else is a list.
pub async fn law_08_lists_keep_their_text<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    for (before, expected) in [
        (None, Some("[9.0,[]]")),
        (Some("[]"), Some("[9.0,[]]")),
        (Some("[{}]"), Some("[{},9.0,[]]")),
        (Some("[1.0,12345678901234567890]"), Some("[1.0,12345678901234567890,9.0,[]]")),
        (Some("[\"]\",\"[\"]"), Some("[\"]\",\"[\",9.0,[]]")),
        (Some("{}"), None),
        (Some("\"[]\""), None),
        (Some("null"), None),
        (Some("0"), None),
    ] {
        let data: Vec<_> = before.map(|text| ("l", text)).into_iter().collect();
        let key = scene.begin(&data).await?;
        let push = patch().push("l", json("9.0")).push("l", json("[]"));
        let applied = scene.store.apply(&key, &push, scene.start).await?;
        let record = scene.load(&key, scene.start).await?;
        let found = value(&record, "l");
        match expected {
            Some(text) => check!(found == Some(text), "{before:?} grew to {found:?}"),
            None => {
                check!(matches!(applied, Applied::Refused(_)), "{before:?}: {applied:?}");
                check!(found == before, "a refused push left {found:?}");
            }
        }
    }
    Ok(Finding::Kept)
}

/// A session holds as many keys as the library allows, and more.
pub async fn law_08_many_keys<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    let texts: Vec<_> = (0..512).map(|n| (format!("key {n}"), n.to_string())).collect();
    let key = scene.begin(&[]).await?;
    let all = texts.iter().fold(patch(), |patch, (name, text)| patch.set(&**name, json(text)));
    scene.apply(&key, &all, scene.start).await?;
    let record = scene.load(&key, scene.start).await?;
    check!(record.data == texts.into_iter().collect(), "{} keys came back", record.data.len());
    Ok(Finding::Kept)
}

/// Every field of a record comes back as it was filed, and as it was swapped in.
pub async fn law_08_every_field_comes_back<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let scene = trial.scene().await;
    for ip in ["203.0.113.7", "2001:db8::1", "::"] {
        let key = scene.key();
        let full = full(&scene, &key, ip);
        scene.file(&key, &full).await?;
        same(&scene.load(&key, scene.start).await?, &full)?;
        let bare = scene.begin(&[]).await?;
        let seen = scene.load(&bare, scene.start).await?;
        let mut swapped = full;
        swapped.proofs.present = bare.proof().copied();
        let revision = scene.swap(&bare, &seen.revision, &swapped, scene.start).await?;
        let found = scene.load(&bare, scene.start).await?;
        same(&found, &swapped)?;
        check!(found.revision == revision, "load tells another revision than swap");
        let mut plain = scene.record(&bare, &[]);
        plain.commits.clear();
        scene.swap(&bare, &revision, &plain, scene.start).await?;
        same(&scene.load(&bare, scene.start).await?, &plain)?;
    }
    Ok(Finding::Kept)
}

/// A record with something in every field.
fn full<S: Store>(scene: &Scene<S>, key: &StoreKey, ip: &str) -> Record {
    let mut record = scene.record(key, &[("n", "1")]);
    record.proofs.pending = Some(Pending { proof: proof(), since: scene.after(MS) });
    record.proofs.former = Some(Former { proof: proof(), until: scene.after(2 * MS) });
    record.created = Timestamp::from_millis(scene.start.as_millis() - 86_400_001);
    record.last_seen = scene.after(3 * MS);
    record.renewed = Timestamp::from_millis(scene.start.as_millis() - 1);
    record.idle_timeout = Duration::from_millis(7_200_001);
    record.idle_deadline = scene.after(IDLE + 5 * MS);
    record.absolute_deadline = scene.after(ABSOLUTE + 7 * MS);
    record.user = Some(user("Ada O'\"\\\u{1f980}%_\0 "));
    record.authenticated = Some(scene.after(9 * MS));
    let agent = format!("Mozilla/5.0 (\"'\\; \u{e9})\t{}", "x".repeat(480));
    record.client = Client::new(ip.parse().ok(), Some(&agent));
    let ids = [commit(), CommitId::from_bytes([0; 16]), CommitId::from_bytes([0xff; 16])];
    record.commits = ids.map(|id| (id, scene.start)).into();
    record
}

/// Whether both are the same but for what the store itself makes.
fn same(found: &Record, expected: &Record) -> Outcome<()> {
    let mut expected = expected.clone();
    expected.epochs = found.epochs;
    expected.revision = found.revision.clone();
    if *found == expected {
        return Ok(());
    }
    Err(Violation::new(format!("it came back as {found:?}, not as {expected:?}")))
}
