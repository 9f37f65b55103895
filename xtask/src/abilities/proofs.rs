//! Which tests prove what.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::catalogue::Catalogue;
use super::ids;
use super::ran::{Ran, Times};
use super::source::{Item, Kind};

/// By id, and then by the test's own name.
#[derive(Debug, Default)]
pub(super) struct Proofs {
    by_id: BTreeMap<String, BTreeMap<String, Times>>,
    /// Ids in names; those in comments may be of other lists.
    named: BTreeSet<String>,
}

impl Proofs {
    pub(super) fn of(ran: &Ran, items: &[Item]) -> Self {
        let sources = Sources::of(items);
        let mut proofs = Self::default();
        for (test, times) in ran.names() {
            let path: Vec<&str> = test.split("::").collect();
            let named: BTreeSet<String> = path.iter().flat_map(|part| ids::in_name(part)).collect();
            proofs.named.extend(named.iter().cloned());
            let own = path.last().copied().unwrap_or_default();
            for id in sources.ids(&path).chain(named).collect::<BTreeSet<_>>() {
                let tests = proofs.by_id.entry(id).or_default();
                let all = tests.entry(own.to_owned()).or_default();
                all.passed += times.passed;
                all.skipped += times.skipped;
            }
        }
        proofs
    }

    pub(super) fn passed(&self, id: &str) -> u64 {
        self.times(id).map(|times| times.passed).sum()
    }

    pub(super) fn skipped(&self, id: &str) -> u64 {
        self.times(id).map(|times| times.skipped).sum()
    }

    /// The id, how many tests passed, and their names; those that several stores passed once.
    pub(super) fn line(&self, id: &str) -> String {
        let tests = self.by_id.get(id).into_iter().flatten();
        let names = tests.filter(|(_, times)| times.passed > 0).map(|(name, times)| {
            let count =
                if times.passed > 1 { format!(" ×{}", times.passed) } else { String::new() };
            format!("{name}{count}")
        });
        let names = names.collect::<Vec<_>>().join(", ");
        format!(
            "{id:<11}{:>5}  {}",
            self.passed(id),
            if names.is_empty() { "none" } else { &names }
        )
    }

    /// The ids in names that the page does not have.
    pub(super) fn beside(&self, catalogue: &Catalogue) -> Vec<&str> {
        let known: BTreeSet<&str> = catalogue.ids().collect();
        self.named.iter().map(String::as_str).filter(|id| !known.contains(id)).collect()
    }

    fn times(&self, id: &str) -> impl Iterator<Item = &Times> {
        self.by_id.get(id).into_iter().flat_map(BTreeMap::values)
    }
}

/// The items by their names, to be found again in the paths of tests.
struct Sources<'a>(HashMap<&'a str, Vec<&'a Item>>);

impl<'a> Sources<'a> {
    fn of(items: &'a [Item]) -> Self {
        let mut by_name: HashMap<_, Vec<_>> = HashMap::new();
        for item in items {
            by_name.entry(item.name.as_str()).or_default().push(item);
        }
        Self(by_name)
    }

    /// What the comments of a test, of the modules around it, and of their files name.
    fn ids(&self, path: &[&str]) -> impl Iterator<Item = String> {
        let (own, modules) = path.split_last().unwrap_or((&"", &[]));
        let function = self.matching(own, path, |kind| kind == Kind::Function);
        let modules = modules.iter().flat_map(|module| {
            self.matching(module, path, |kind| match kind {
                Kind::Module(tests) => own.starts_with(tests),
                Kind::Function => false,
            })
        });
        function
            .into_iter()
            .chain(modules)
            .flat_map(|item| item.ids.clone())
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// Of several of one name, those count whose file is a module of the path, or else those that
    /// are in the root of a crate.
    fn matching(&self, name: &str, path: &[&str], of: impl Fn(Kind) -> bool) -> Vec<&'a Item> {
        let named = self.0.get(name).into_iter().flatten().copied();
        let all: Vec<_> = named.filter(|item| of(item.kind)).collect();
        if all.len() < 2 {
            return all;
        }
        let is_in =
            |item: &&Item| item.module.as_deref().is_some_and(|module| path.contains(&module));
        let (inside, others): (Vec<_>, Vec<_>) = all.into_iter().partition(is_in);
        if !inside.is_empty() {
            return inside;
        }
        others.into_iter().filter(|item| item.module.is_none()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(module: Option<&str>, name: &str, kind: Kind, id: &str) -> Item {
        let ids = vec![id.to_owned()];
        Item { name: name.to_owned(), kind, ids, module: module.map(str::to_owned) }
    }

    fn proofs(items: &[Item], tests: &[&str]) -> Proofs {
        let mut ran = Ran::default();
        tests.iter().for_each(|test| ran.read_line(&format!("test {test} ... ok")));
        Proofs::of(&ran, items)
    }

    #[test]
    fn names_and_comments_prove_once() {
        let items = [item(None, "x1_none_lost", Kind::Function, "X1")];
        let proofs = proofs(&items, &["x1_none_lost", "x10_near::law_1", "other"]);
        assert_eq!((proofs.passed("X1"), proofs.passed("X10"), proofs.passed("V1")), (1, 1, 0));
        assert_eq!(proofs.line("X10"), "X10            1  law_1");
        assert_eq!(proofs.line("V1"), "V1             0  none");
    }

    #[test]
    fn laws_count_by_their_source_on_every_store() {
        let items = [
            item(Some("law_04"), "law_04_final", Kind::Function, "X2"),
            item(None, "redis", Kind::Module("fault_"), "X14"),
        ];
        let tests = ["redis::law_04_final", "file::law_04_final", "redis::fault_slow"];
        let proofs = proofs(&items, &tests);
        assert_eq!(proofs.line("X2"), "X2             2  law_04_final ×2");
        assert_eq!(proofs.line("X14"), "X14            1  fault_slow");
    }

    #[test]
    fn tests_of_one_name_are_told_apart_by_their_file() {
        let items = [
            item(Some("open"), "it_works", Kind::Function, "V1"),
            item(Some("close"), "it_works", Kind::Function, "V2"),
            item(None, "it_works", Kind::Function, "V3"),
        ];
        let one = proofs(&items, &["sqlite::close::it_works"]);
        assert_eq!((one.passed("V1"), one.passed("V2"), one.passed("V3")), (0, 1, 0));
        let root = proofs(&items, &["it_works"]);
        assert_eq!((root.passed("V1"), root.passed("V2"), root.passed("V3")), (0, 0, 1));
    }
}
