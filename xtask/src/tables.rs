//! Tests of every store whose findings are printed as a table.

use crate::Result;
use crate::cargo::cargo;
use crate::services::Running;
use crate::workspace::Workspace;

/// All stores, by the names under which commands and tests know them.
const STORES: [&str; 10] = [
    "memory",
    "file",
    "sqlite",
    "postgres",
    "mariadb",
    "redis",
    "valkey",
    "redis-cluster",
    "mongodb",
    "couchdb",
];
/// Stores with a near cache, named after the service before which it stands.
const CACHED: [&str; 2] = ["redis-cached", "redis-cluster-cached"];
/// The others are services.
const WITHOUT_SERVICE: [&str; 3] = ["memory", "file", "sqlite"];

/// Tests, one a store, that print lines of the form `mark: store: column: what was found`.
struct Suite {
    mark: &'static str,
    /// Whether it has the stores with a near cache, too.
    cached: bool,
    /// The arguments of `cargo test` that choose the tests.
    chosen_by: &'static [&'static str],
    /// What stands before the store in the name of its test.
    prefix: &'static str,
    columns: &'static [&'static str],
}

const LOST: Suite = Suite {
    mark: "lost",
    cached: true,
    chosen_by: &["--release", "--package", "tenure-bench-server", "--test", "two_processes"],
    prefix: "x1_nothing_is_lost_in_",
    columns: &["set", "set, slow", "incr", "incr, slow", "coherence"],
};

const DEMO: Suite = Suite {
    mark: "demo",
    cached: false,
    chosen_by: &["--package", "tenure-demo", "--test", "shop"],
    prefix: "stores::the_shop_works_on_",
    columns: &["log-in", "cart", "theme", "visits", "restart", "messages", "devices", "log-out"],
};

/// 50 parallel requests with one cookie through two processes, on every store or those named.
pub(crate) fn lost(arguments: &[&str]) -> Result {
    LOST.run(arguments)
}

/// The demo's shop, on every store or those named.
pub(crate) fn demo(arguments: &[&str]) -> Result {
    DEMO.run(arguments)
}

impl Suite {
    fn run(&self, arguments: &[&str]) -> Result {
        let cached = if self.cached { &CACHED[..] } else { &[] };
        let stores = chosen(arguments, &[&STORES, cached].concat())?;
        let services: Vec<&str> = stores
            .iter()
            .map(|store| store.strip_suffix("-cached").unwrap_or(store))
            .filter(|store| !WITHOUT_SERVICE.contains(store))
            .collect();
        let workspace = Workspace::load()?;
        let running = Running::start_some(&workspace, &services)?;
        let tests: Vec<String> = stores
            .iter()
            .map(|store| format!("{}{}", self.prefix, store.replace('-', "_")))
            .collect();
        let mut command = vec!["test"];
        command.extend(self.chosen_by);
        command.extend(["--", "--nocapture", "--test-threads=1", "--exact"]);
        command.extend(tests.iter().map(String::as_str));
        let mut found = Found::default();
        let passed = cargo(command)
            .envs(running.variables.iter().map(|(name, value)| (name, value)))
            .lines(|line| found.read(self.mark, line))?;
        println!("\n{}", found.table(&stores, self.columns));
        if !passed {
            return Err("a test failed or did not compile: see above".into());
        }
        found.complete(&stores, self.columns)
    }
}

/// The stores that are named, or all of them.
fn chosen(arguments: &[&str], stores: &[&'static str]) -> Result<Vec<&'static str>> {
    let unknown = arguments.iter().find(|name| !stores.contains(name));
    if let Some(name) = unknown {
        return Err(format!("`{name}` is none of the stores {}", stores.join(", ")));
    }
    let wanted = |store: &&str| arguments.is_empty() || arguments.contains(store);
    Ok(stores.iter().copied().filter(wanted).collect())
}

/// What the tests have told so far, as store, column and text.
#[derive(Default)]
struct Found(Vec<(String, String, String)>);

impl Found {
    /// Takes one line into account, which may have the name of the test before it.
    fn read(&mut self, mark: &str, line: &str) {
        let Some((_, told)) = line.split_once(&format!("{mark}: ")) else { return };
        let mut parts = told.splitn(3, ": ").map(str::to_owned);
        if let (Some(store), Some(column), Some(text)) = (parts.next(), parts.next(), parts.next())
        {
            self.0.push((store, column, text));
        }
    }

    fn cell(&self, store: &str, column: &str) -> Option<&str> {
        let mut cells = self.0.iter();
        cells.find(|cell| cell.0 == store && cell.1 == column).map(|cell| cell.2.as_str())
    }

    fn table(&self, stores: &[&str], columns: &[&str]) -> String {
        let rule = "| --- ".repeat(columns.len());
        let mut table = format!("| store | {} |\n| --- {rule}|\n", columns.join(" | "));
        for store in stores {
            let cells = columns.iter().map(|column| self.cell(store, column).unwrap_or("-"));
            table += &format!("| {store} | {} |\n", cells.collect::<Vec<_>>().join(" | "));
        }
        table
    }

    /// A test whose server is missing passes, and tells nothing.
    fn complete(&self, stores: &[&str], columns: &[&str]) -> Result {
        let lacks = |store: &&&str| columns.iter().any(|column| self.cell(store, column).is_none());
        let missing: Vec<&str> = stores.iter().filter(lacks).copied().collect();
        if missing.is_empty() {
            return Ok(());
        }
        let missing = missing.join(", ");
        Err(format!("nothing is known of {missing}: see what `cargo xtask services up` says"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_a_table_without_holes() {
        let mut found = Found::default();
        found.read("lost", "test x1_nothing_is_lost_in_redis ... lost: redis: set, slow: 50 49");
        found.read("lost", "lost: redis: coherence: [\"1: 2\"] instead");
        found.read("lost", "ok");
        let columns = ["set, slow", "coherence"];
        let table = found.table(&["redis", "file"], &columns);
        assert!(table.starts_with("| store | set, slow | coherence |\n| --- | --- | --- |\n"));
        assert!(table.contains("| redis | 50 49 | [\"1: 2\"] instead |\n| file | - | - |\n"));
        assert!(found.complete(&["redis"], &columns).is_ok());
        let error = found.complete(&["redis", "file"], &columns).unwrap_err();
        assert!(error.starts_with("nothing is known of file:"), "{error}");
    }

    #[test]
    fn stores_are_chosen_in_their_order() {
        assert_eq!(chosen(&[], &STORES).unwrap(), STORES);
        assert_eq!(chosen(&["redis", "file"], &STORES).unwrap(), ["file", "redis"]);
        assert!(chosen(&["oracle"], &STORES).unwrap_err().contains("`oracle`"));
    }
}
