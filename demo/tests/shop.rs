//! The demo as its visitors have it: the real program, over HTTP, on a free port.

#[cfg(unix)]
mod browser;
#[cfg(unix)]
mod stores;
mod support;

use std::path::Path;

use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnectOptions;
use ureq::http::StatusCode;

use crate::support::{Server, Visitor, refused};

const SECRET: &str = "Zm9yIHRoZSB0ZXN0cyBvZiB0aGUgZGVtbyBvbmx5";

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

/// Does something with the database file from outside.
fn with_database<T>(folder: &Path, work: impl AsyncFnOnce(SqlitePool) -> sqlx::Result<T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let options = SqliteConnectOptions::new().filename(folder.join("tenure-demo.sqlite"));
    let done = async { work(SqlitePool::connect_with(options).await?).await };
    runtime.expect("a runtime").block_on(done).expect("the database has done it")
}

/// How many sessions are in the file.
fn rows(folder: &Path) -> i64 {
    with_database(folder, async |database| {
        sqlx::query_scalar("SELECT count(*) FROM tenure_sessions").fetch_one(&database).await
    })
}

#[test]
fn who_only_looks_gets_no_cookie_and_no_row() {
    let folder = folder();
    let server = Server::start(folder.path());
    let mut visitor = Visitor::of(&server.url);
    for path in ["/", "/nowhere", "/login", "/static/style.css"] {
        assert_eq!(visitor.get(path).cookies, [""; 0], "{path}");
    }
    assert_eq!(visitor.post("/cart/sencha/remove", &[]).cookies, [""; 0]);
    assert_eq!(visitor.post("/logout", &[]).cookies, [""; 0]);
    assert_eq!(visitor.post("/login", &[("name", " ")]).cookies, [""; 0]);
    assert_eq!(rows(folder.path()), 0);
}

#[cfg(unix)]
#[test]
fn sessions_survive_a_restart() {
    let folder = folder();
    let server = Server::start(folder.path());
    let mut visitor = Visitor::of(&server.url);

    let page = visitor.submit("/cart/sencha/add", &[]);
    assert_eq!(page.text("cart-count"), "1");
    assert!(page.has("login") && page.has("remove-sencha") && !page.has("visits"));
    visitor.submit("/theme", &[("theme", "dark")]);
    let page = visitor.submit("/login", &[("name", " Ada <Lovelace> ")]);
    assert_eq!(page.text("user"), "Ada &lt;Lovelace&gt;");
    assert_eq!((page.text("visits"), page.text("cart-count")), ("1", "1"), "the cart came along");
    visitor.submit("/cart/sencha/add", &[]);
    visitor.submit("/cart/teapot/add", &[]);
    server.stop();

    let server = Server::start(folder.path());
    let mut visitor = visitor.at(&server.url);
    let page = visitor.get("/");
    assert_eq!(page.text("user"), "Ada &lt;Lovelace&gt;");
    assert_eq!((page.text("visits"), page.text("cart-count")), ("4", "3"));
    assert!(page.html.contains("data-theme=\"dark\""));
    assert_eq!(rows(folder.path()), 1);

    visitor.submit("/cart/sencha/remove", &[]);
    let page = visitor.submit("/cart/sencha/remove", &[]);
    assert_eq!(page.text("cart-count"), "1");
    assert!(!page.has("remove-sencha") && page.has("remove-teapot"));
}

#[test]
fn after_a_logout_the_old_cookie_is_anonymous() {
    let folder = folder();
    let server = Server::start(folder.path());
    let mut visitor = Visitor::of(&server.url);
    visitor.submit("/cart/cup/add", &[]);
    let mut planted = visitor.clone();
    visitor.submit("/login", &[("name", "Ada")]);
    let mut stolen = visitor.clone();
    assert!(stolen.get("/").has("user"));
    assert!(planted.get("/").has("login"), "a login replaces the secret");

    let page = visitor.submit("/logout", &[]);
    assert!(page.has("login") && !page.has("user"));
    assert!(!visitor.has_cookies());
    let page = stolen.get("/");
    assert!(page.has("login") && !page.has("user"));
    assert_eq!(page.text("cart-count"), "0");
    assert_eq!(rows(folder.path()), 0);
}

/// A13: what an action did is said on the next page, and on no other.
#[test]
fn a13_messages_are_seen_once() {
    let folder = folder();
    let server = Server::start(folder.path());
    let mut visitor = Visitor::of(&server.url);
    assert!(!visitor.get("/").has("flash"));
    let page = visitor.submit("/cart/sencha/add", &[]);
    assert!(page.has("flash") && page.html.contains(" is in your cart.</p>"), "{}", page.html);
    assert!(!visitor.get("/").has("flash"));
    visitor.post("/cart/sencha/add", &[]);
    visitor.post("/theme", &[("theme", "dark")]);
    assert!(!visitor.get("/static/style.css").has("flash"), "which has no session");
    let page = visitor.get("/nowhere");
    assert!(page.html.contains("in your cart.") && page.html.contains("The shop is dark now."));
    assert!(!visitor.get("/").has("flash"));
    let page = visitor.submit("/login", &[("name", "<Ada>")]);
    assert!(page.html.contains("Welcome, &lt;Ada&gt;."));
}

/// A20: a form that is wrong comes back with what was typed, once, and says what is wrong.
#[test]
fn a20_a_wrong_form_keeps_its_values() {
    let folder = folder();
    let server = Server::start(folder.path());
    let mut visitor = Visitor::of(&server.url);
    assert_eq!(visitor.get("/profile").location.as_deref(), Some("/"), "nobody is logged in");
    visitor.submit("/login", &[("name", "Ada")]);

    let token = visitor.get("/profile").value("csrf").to_owned();
    let token = ("_csrf", token.as_str());
    let wrong = [("name", "Ada <L>"), ("email", "nowhere"), ("password", "secret"), token];
    assert_eq!(visitor.post("/profile", &wrong).location.as_deref(), Some("/profile"));
    let page = visitor.get("/profile");
    assert!(page.has("error-email") && !page.has("error-name"));
    assert!(page.html.contains(r#"value="Ada &lt;L&gt;""#), "{}", page.html);
    assert!(page.html.contains(r#"value="nowhere""#) && !page.html.contains("secret"));
    let page = visitor.get("/profile");
    assert!(!page.has("error-email") && !page.html.contains("nowhere"), "said once");

    visitor.post("/profile", &[("name", " Ada "), ("email", "ada@example.org"), token]);
    let page = visitor.get("/profile");
    assert!(page.has("flash") && page.html.contains(r#"value="ada@example.org""#));
}

/// X9: a form without the session's token changes nothing, nor does one that another page sent.
#[test]
fn x9_forged_forms_are_refused() {
    let folder = folder();
    let server = Server::start(folder.path());
    let [mut ada, mut eve] = [(); 2].map(|()| Visitor::of(&server.url));
    for (visitor, name) in [(&mut ada, "Ada"), (&mut eve, "Eve")] {
        visitor.submit("/login", &[("name", name)]);
    }
    let token = eve.get("/profile").value("csrf").to_owned();
    for token in ["", "forged", &token] {
        let form = [("name", "Mallory"), ("email", "m@example.org"), ("_csrf", token)];
        let page = ada.post("/profile", &form);
        assert_eq!(page.status, StatusCode::FORBIDDEN);
        assert!(page.html.contains("This form is out of date"));
    }
    let before = ada.get("/profile").value("csrf").to_owned();
    ada.submit("/login", &[("name", "Ada")]);
    let page = ada.post("/profile", &[("name", "A"), ("email", "a@b.c"), ("_csrf", &before)]);
    assert_eq!(page.status, StatusCode::FORBIDDEN, "made before the log-in");
    assert!(!ada.get("/profile").html.contains("Mallory"));

    let page = ada.post_from("https://evil.example", "/cart/sencha/add", &[]);
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert_eq!(ada.get("/").text("cart-count"), "0");
}

/// A22: the page of the sessions shows who is there.
#[test]
fn a22_live_sessions_are_on_a_page() {
    let folder = folder();
    let server = Server::start(folder.path());
    let [mut ada, mut eve] = [(); 2].map(|()| Visitor::of(&server.url));
    assert_eq!(ada.get("/admin").location.as_deref(), Some("/"));
    ada.submit("/login", &[("name", "Ada")]);
    eve.submit("/login", &[("name", "Eve")]);
    let page = ada.get("/admin");
    assert!(page.has("chart") && page.html.contains("<td>Eve</td>"), "{}", page.html);
    assert_eq!(page.text("live"), "2");
    eve.post("/logout", &[]);
    assert_eq!(ada.get("/admin").text("live"), "1");
}

/// F11: who ticks the box has a cookie that outlives the browser.
#[test]
fn f11_who_wants_to_be_remembered_is() {
    let folder = folder();
    let server = Server::start(folder.path());
    let mut visitor = Visitor::of(&server.url);
    let page = visitor.post("/login", &[("name", "Ada")]);
    assert!(!page.cookies[0].contains("Max-Age"), "{:?}", page.cookies);
    let page = visitor.post("/login", &[("name", "Ada"), ("remember", "yes")]);
    assert!(page.cookies[0].contains("Max-Age=1209600"), "two weeks: {:?}", page.cookies);
    let mut other = Visitor::of(&server.url);
    assert!(other.get("/").has("remember"));
}

/// X6: two browsers see each other, and one logs the other out.
#[test]
fn x6_devices_are_listed_and_logged_out() {
    let folder = folder();
    let server = Server::start(folder.path());
    let [mut phone, mut laptop, mut eve] = [(); 3].map(|()| Visitor::of(&server.url));
    assert_eq!(phone.get("/devices").location.as_deref(), Some("/"), "nobody is logged in");
    phone.submit("/login", &[("name", "Ada")]);
    laptop.submit("/login", &[("name", "Ada")]);
    eve.submit("/login", &[("name", "Eve")]);

    let page = laptop.get("/devices");
    assert!(page.has("devices") && page.has("logout-everywhere"));
    let handles = page.revocable();
    assert_eq!(handles.len(), 1, "not the one that asks, and not Eve's");
    assert_eq!(page.html.matches("From 127.0.0.1. ").count(), 2);
    assert_eq!(eve.get("/devices").revocable(), [""; 0]);
    let revoke = format!("/devices/{}/revoke", handles[0]);
    assert_eq!(eve.post(&revoke, &[]).location.as_deref(), Some("/devices"));
    assert!(phone.get("/").has("user"), "Eve cannot");
    assert_eq!(laptop.post("/devices/nonsense/revoke", &[]).status, StatusCode::NOT_FOUND);

    assert_eq!(laptop.post(&revoke, &[]).location.as_deref(), Some("/devices"));
    let page = laptop.get("/devices");
    assert!(page.has("flash") && page.revocable().is_empty());
    let page = phone.get("/");
    assert!(page.has("login") && !page.has("user"), "its next click is a stranger's");

    phone.submit("/login", &[("name", "Ada")]);
    let page = phone.submit("/devices/logout-everywhere", &[]);
    assert!(page.has("login") && laptop.get("/").has("login"));
    assert!(eve.get("/").has("user"));
}

#[test]
fn parallel_additions_all_survive() {
    let folder = folder();
    let server = Server::start(folder.path());
    let mut visitor = Visitor::of(&server.url);
    visitor.submit("/login", &[("name", "Ada")]);
    std::thread::scope(|scope| {
        for sku in ["sencha", "honey"].repeat(4) {
            let mut tab = visitor.clone();
            scope.spawn(move || tab.post(&format!("/cart/{sku}/add"), &[]));
        }
    });
    assert_eq!(visitor.get("/").text("cart-count"), "8");
}

#[test]
fn somebody_else_gets_a_cart_of_their_own() {
    let folder = folder();
    let server = Server::start(folder.path());
    let mut visitor = Visitor::of(&server.url);
    visitor.submit("/login", &[("name", "Ada")]);
    visitor.submit("/theme", &[("theme", "light")]);
    visitor.submit("/cart/cup/add", &[]);
    let page = visitor.submit("/login", &[("name", "Grace")]);
    assert_eq!((page.text("user"), page.text("cart-count")), ("Grace", "0"));
    assert!(page.html.contains("data-theme=\"light\""), "the theme belongs to the browser");
}

#[test]
fn what_cannot_be_done_is_answered_with_a_page() {
    let folder = folder();
    let server = Server::start(folder.path());
    let mut visitor = Visitor::of(&server.url);
    let long = "a".repeat(41);
    for (path, form, status) in [
        ("/login", ("name", " "), StatusCode::UNPROCESSABLE_ENTITY),
        ("/login", ("name", long.as_str()), StatusCode::UNPROCESSABLE_ENTITY),
        ("/login", ("user", "Ada"), StatusCode::UNPROCESSABLE_ENTITY),
        ("/theme", ("theme", "pink"), StatusCode::UNPROCESSABLE_ENTITY),
        ("/cart/gold/add", ("", ""), StatusCode::NOT_FOUND),
        ("/nowhere", ("", ""), StatusCode::NOT_FOUND),
        ("/", ("", ""), StatusCode::METHOD_NOT_ALLOWED),
    ] {
        let page = visitor.post(path, &[form]);
        assert_eq!(page.status, status, "{path} {form:?}");
        assert!(page.html.contains("</html>"), "{path} {form:?}: {}", page.html);
    }
    let page = visitor.post("/login", &[("name", &long)]);
    assert!(page.has("login-problem") && page.html.contains(&long), "what was typed is there");
}

#[test]
fn a_store_that_is_down_is_said_on_a_page() {
    let folder = folder();
    let server = Server::start(folder.path());
    let mut visitor = Visitor::of(&server.url);
    visitor.submit("/login", &[("name", "Ada")]);
    let page = with_database(folder.path(), async |database| {
        let mut connection = database.acquire().await?;
        sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
        // The counter of visits cannot be written.
        let page = visitor.get("/");
        sqlx::query("ROLLBACK").execute(&mut *connection).await?;
        Ok(page)
    });
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.html.contains("</html>") && !page.has("login"));
    assert!(page.cookies.is_empty(), "none set, none removed");
    assert_eq!(visitor.get("/").text("user"), "Ada", "she is still logged in");
}

#[cfg(unix)]
#[test]
fn the_key_is_for_its_owner_alone() {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    let folder = folder();
    Server::start(folder.path()).stop();
    let file = folder.path().join("tenure-demo.key");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
    let complaint = refused(folder.path(), &[]);
    assert!(complaint.contains("chmod 600 tenure-demo.key"), "{complaint}");
}

#[test]
fn without_files_nothing_is_left_behind() {
    let folder = folder();
    for settings in [
        &[("TENURE_STORE", "memory:")][..],
        &[("TENURE_STORE", "memory:"), ("TENURE_SECRET", SECRET)],
    ] {
        let server = Server::start_with(folder.path(), settings);
        let mut visitor = Visitor::of(&server.url);
        assert_eq!(visitor.submit("/login", &[("name", "Ada")]).text("visits"), "1");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn wrong_settings_are_refused_by_name() {
    let folder = folder();
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let taken = taken.local_addr().map(|address| (taken, address.port().to_string())).unwrap();
    for (name, value, remedy) in [
        ("PORT", "http", "3000"),
        ("PORT", "70000", "65535"),
        ("PORT", &taken.1, "in use; set PORT"),
        ("TENURE_STORE", "carrier-pigeon:home", "sqlite:path"),
        ("TENURE_STORE", "sqlite:", "path"),
        ("TENURE_STORE", "sqlite:no/such/folder/x.sqlite", "folder"),
        ("TENURE_SECRET", "sixteen letters!", "at least 32"),
        ("TENURE_SECRET", "", "at least 32"),
    ] {
        let complaint = refused(folder.path(), &[(name, value)]);
        let named = complaint.starts_with(&format!("error: {name}: "));
        assert!(named && complaint.contains(remedy), "{name}={value}: {complaint}");
    }
}
