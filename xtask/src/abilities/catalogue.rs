//! The page: tables of which each row begins with an id and whether it is proven.

use std::collections::HashSet;
use std::fs;

use super::ids;
use crate::Result;
use crate::cargo::root;

pub(super) const FILE: &str = "docs/abilities.md";

#[derive(Debug)]
pub(super) struct Catalogue {
    text: String,
    /// In the order of the page.
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    id: String,
    proven: bool,
}

impl Catalogue {
    pub(super) fn read() -> Result<Self> {
        let text = fs::read_to_string(root().join(FILE)).map_err(|e| format!("{FILE}: {e}"))?;
        Self::parse(text)
    }

    pub(super) fn parse(text: String) -> Result<Self> {
        let (mut rows, mut ids) = (Vec::new(), HashSet::new());
        for line in text.lines() {
            let Some(row) = row(line) else { continue };
            let row = row.map_err(|why| format!("{FILE}: {why}: {line}"))?;
            if !ids.insert(row.id.clone()) {
                return Err(format!("{FILE} has {} twice", row.id));
            }
            rows.push(row);
        }
        if rows.is_empty() {
            return Err(format!("{FILE} has no row that begins with an id"));
        }
        Ok(Self { text, rows })
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().map(|row| row.id.as_str())
    }

    pub(super) fn is_proven(&self, id: &str) -> bool {
        self.rows.iter().any(|row| row.proven && row.id == id)
    }

    /// Marks what is proven and was not, and tells which. Nothing loses its mark here: that is
    /// done by hand, on purpose.
    pub(super) fn mark(&mut self, is_proven: impl Fn(&str) -> bool) -> Vec<String> {
        let mut added = Vec::new();
        for row in self.rows.iter_mut().filter(|row| !row.proven && is_proven(&row.id)) {
            let (before, after) = (format!("| {} | no |", row.id), format!("| {} | yes |", row.id));
            self.text = self.text.replacen(&before, &after, 1);
            row.proven = true;
            added.push(row.id.clone());
        }
        added
    }

    pub(super) fn write(&self) -> Result {
        fs::write(root().join(FILE), &self.text).map_err(|error| format!("{FILE}: {error}"))
    }
}

/// `| V1 | yes | …`; other lines are none.
fn row(line: &str) -> Option<Result<Row>> {
    let mut cells = line.strip_prefix("| ")?.split(" | ");
    let id = cells.next().filter(|cell| ids::is_id(cell))?.to_owned();
    let proven = match cells.next() {
        Some("yes") => true,
        Some("no") => false,
        _ => return Some(Err("`yes` or `no` is expected in the second column".into())),
    };
    Some(Ok(Row { id, proven }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# Abilities\n\n| id | proven | ability |\n| --- | --- | --- |\n\
        | V1 | yes | one |\n| T-FIX-1 | no | two |\n| R1 | no | three |\n";

    #[test]
    fn rows_are_read_and_marked() {
        let mut page = Catalogue::parse(PAGE.to_owned()).expect("a page");
        assert_eq!(page.ids().collect::<Vec<_>>(), ["V1", "T-FIX-1", "R1"]);
        assert!(page.is_proven("V1") && !page.is_proven("R1") && !page.is_proven("V2"));
        assert_eq!(page.mark(|id| id != "R1"), ["T-FIX-1"]);
        assert_eq!(page.text, PAGE.replace("T-FIX-1 | no", "T-FIX-1 | yes"));
        assert_eq!(page.mark(|_| false), [""; 0], "nothing loses its mark");
        assert!(page.is_proven("V1"));
    }

    #[test]
    fn damage_is_named() {
        let parse = |text: &str| Catalogue::parse(text.to_owned()).expect_err("damage");
        assert!(parse("| V1 | maybe | one |").contains("`yes` or `no`"));
        assert!(parse("| V1 | yes | one |\n| V1 | no | two |").contains("V1 twice"));
        assert!(parse("# Abilities").contains("no row"));
    }

    #[test]
    fn the_page_is_sound() {
        Catalogue::read().expect("sound");
    }
}
