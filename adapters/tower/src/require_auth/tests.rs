use super::paths::Paths;

fn guards(paths: &Paths, guarded: &[&str], free: &[&str]) {
    for path in guarded {
        assert!(paths.guards(path), "{path} is guarded");
    }
    for path in free {
        assert!(!paths.guards(path), "{path} is free");
    }
}

#[test]
fn p15_everything_is_guarded_but_exclusions() {
    let mut paths = Paths::everywhere();
    paths.exclude("/", false);
    paths.exclude("/login", false);
    paths.exclude_under("/assets/");
    guards(
        &paths,
        &["/x", "/login/", "/login/x", "/loginx", "//login", "/LOGIN", "/%6cogin", "/assetsx", ""],
        &["/", "/login", "/assets", "/assets/", "/assets/a/b.css", "/assets/a%20b"],
    );
    guards(
        &paths,
        &[
            "/assets/../orders",
            "/assets/%2e%2e/orders",
            "/assets/..%2forders",
            "/assets/..\\orders",
            "/assets/%5c..%5c../orders",
            "/assets/%252e%252e/orders",
            "/assets/%25252525252e",
            "/assets/..",
            "/x/../assets/a",
        ],
        &["/assets/a/../b"],
    );
}

#[test]
fn p15_only_inclusions_are_guarded_in_whatever_form() {
    let mut paths = Paths::everywhere();
    paths.include("/orders", false);
    paths.include_under("/account");
    paths.exclude("/account/new", false);
    guards(
        &paths,
        &[
            "/orders",
            "/orders/",
            "//orders",
            "/%6frders",
            "/x/../orders",
            "/./orders",
            "/account",
            "/account/a/b",
            "/account/new/x",
            "/account/%6eew",
            "/x%2f..%2faccount",
            "\\account",
            "/%2525252541",
        ],
        &["/", "/orders/x", "/ordersx", "/accounts", "/account/new", "/caf%C3%A9", "/%ff%zz%"],
    );
    guards(&Paths::nowhere(), &[], &["/", "/orders"]);
    let mut all = Paths::everywhere();
    all.include_under("/");
    guards(&all, &["/", "/x", "/x/y"], &[]);
}

#[test]
#[should_panic(expected = "begins with `/`")]
fn p15_what_is_no_path_is_refused_at_start() {
    Paths::everywhere().include("orders", false);
}

impl Paths {
    fn include_under(&mut self, path: &str) {
        self.include(path, true);
    }

    fn exclude_under(&mut self, path: &str) {
        self.exclude(path, true);
    }
}
