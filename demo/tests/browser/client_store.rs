//! Sessions that the browser keeps, in cookies seen through its own protocol.
//!
//! Chromium takes `localhost` and `127.0.0.1` for trustworthy: over plain HTTP it keeps and sends
//! cookies with `Secure`, `__Host-` and `Partitioned` there, and the two are different sites.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{Html, Redirect};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tenure::Sessions;
use tenure::axum::{Error, Session};
use tenure::store::ClientStore;
use tenure::tower::SessionLayer;
use tenure::transform::{Keyring, SecretKey};
use tenure::transport::{Cookie, SameSite};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;

use super::driver::Driver;
use super::elsewhere::Elsewhere;
use super::session::Session as Browser;

const NAMES: [&str; 3] = ["__Host-id", "__Host-id.1", "__Host-id.2"];
const LARGE: usize = 7 * 1024;
const PAGES: [(&str, usize); 3] = [("large", LARGE), ("medium", 4_000), ("small", 10)];

/// An application that remembers a text. It is gone with the value.
struct App {
    url: String,
    _runtime: Runtime,
}

/// Puts parallel requests into an order.
struct Order {
    /// Requests that have come and wait.
    waiting: Semaphore,
    /// Those of them that may go on.
    released: Semaphore,
}

impl App {
    fn start(cookie: Cookie) -> Self {
        let keys = Keyring::new([SecretKey::generate().expect("a key")]);
        let sessions = Sessions::builder().client_store(ClientStore::sealed(keys)).cookie(cookie);
        let order = Order { waiting: Semaphore::new(0), released: Semaphore::new(0) };
        let app = Router::new()
            .route("/", get(page))
            .route("/text/{text}/{octets}", post(write))
            .route("/text/{text}/{octets}/first", post(write_first))
            .route("/text/{text}/{octets}/last", post(write_last))
            .route("/logout", post(log_out))
            .route("/logout/last", post(log_out_last))
            .layer(SessionLayer::new(sessions.build().expect("in order")))
            .route("/release", post(release))
            .with_state(Arc::new(order));
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        runtime.spawn(async move { axum::serve(listener, app).await });
        Self { url: format!("http://localhost:{port}/"), _runtime: runtime }
    }
}

/// What the session has, and a button for each thing to do.
async fn page(session: Session) -> Result<Html<String>, Error> {
    let text: String = session.get("text")?.unwrap_or_default();
    let button = |id: &str, action: &str| {
        format!(
            "<form method=\"post\" action=\"{action}\"><button id=\"{id}\">{id}</button></form>"
        )
    };
    let buttons: String =
        PAGES.map(|(id, octets)| button(id, &format!("/text/{id}-/{octets}"))).concat();
    Ok(Html(format!(
        "<!doctype html><title>Text</title><p id=\"text\">{}</p>{buttons}{}",
        summary(&text),
        button("logout", "/logout")
    )))
}

/// Its length, and the words of which it consists.
fn summary(text: &str) -> String {
    let mut words: Vec<_> = text.split_inclusive('-').collect();
    words.sort_unstable();
    words.dedup();
    format!("{} octets of {:?}", text.len(), words.concat())
}

async fn write(
    session: Session,
    Path((text, octets)): Path<(String, usize)>,
) -> Result<Redirect, Error> {
    session.set("text", text.chars().cycle().take(octets).collect::<String>())?;
    Ok(Redirect::to("/"))
}

/// Answers once another request has come and waits.
async fn write_first(
    State(order): State<Arc<Order>>,
    session: Session,
    path: Path<(String, usize)>,
) -> Result<Redirect, Error> {
    order.waiting.acquire().await.expect("open").forget();
    write(session, path).await
}

/// Answers once it is released.
async fn write_last(
    State(order): State<Arc<Order>>,
    session: Session,
    path: Path<(String, usize)>,
) -> Result<Redirect, Error> {
    order.wait().await;
    write(session, path).await
}

async fn log_out(session: Session) -> Result<Redirect, Error> {
    session.logout()?;
    Ok(Redirect::to("/"))
}

async fn log_out_last(
    State(order): State<Arc<Order>>,
    session: Session,
) -> Result<Redirect, Error> {
    order.wait().await;
    log_out(session).await
}

async fn release(State(order): State<Arc<Order>>) {
    order.released.add_permits(1);
}

impl Order {
    async fn wait(&self) {
        self.waiting.add_permits(1);
        self.released.acquire().await.expect("open").forget();
    }
}

/// The browser's cookies by name, all of which have these attributes.
#[track_caller]
fn names(browser: &Browser, attributes: &Value) -> Vec<String> {
    let mut names = Vec::new();
    for cookie in browser.cookies() {
        let name = cookie["name"].as_str().expect("a name");
        let value = cookie["value"].as_str().expect("a value");
        let octets = name.len() + value.len();
        assert!((name.len() + 1..=4096).contains(&octets), "{name}: {octets} octets");
        for (attribute, wanted) in attributes.as_object().expect("attributes") {
            assert_eq!(cookie[attribute], *wanted, "{attribute} of {name}");
        }
        names.push(name.to_owned());
    }
    names.sort_unstable();
    names
}

/// Two requests with the same cookies, the first of which is answered before the second.
fn in_parallel(browser: &Browser, first: &str, last: &str) {
    browser.run(&format!(
        "const post = path => fetch(path, {{ method: 'POST', redirect: 'manual' }});
         const last = post('{last}');
         return post('{first}').then(() => post('/release')).then(() => last).then(() => null);"
    ));
}

fn shown(browser: &Browser) -> String {
    browser.text("text")
}

fn text(id: &str) -> String {
    let (_, octets) = PAGES.into_iter().find(|(known, _)| *known == id).expect("a button");
    summary(&format!("{id}-").chars().cycle().take(octets).collect::<String>())
}

/// A2, K5, T-COOK-1, T-COOK-2: 7 KiB travel in three cookies, which shrink to one, and a logout leaves
/// none.
#[test]
fn a2_a_browser_keeps_a_large_session_in_several_cookies() {
    let Some(driver) = Driver::start() else { return };
    let app = App::start(Cookie::default());
    let attributes = json!({
        "domain": "localhost", "path": "/", "secure": true, "httpOnly": true, "sameSite": "Lax",
        "session": true, "partitionKey": null,
    });
    let browser = driver.browser();
    browser.go(&app.url);
    assert_eq!(names(&browser, &attributes), [""; 0], "who only looks");
    for (id, cookies) in [("large", 3), ("small", 1), ("medium", 2), ("large", 3), ("medium", 2)] {
        browser.click(id);
        assert_eq!(shown(&browser), text(id));
        assert_eq!(names(&browser, &attributes), NAMES[..cookies], "{id}");
        browser.reload();
        assert_eq!(shown(&browser), text(id));
    }
    browser.in_another_tab(|| {
        browser.go(&app.url);
        assert_eq!(shown(&browser), text("medium"));
        browser.click("large");
        assert_eq!(shown(&browser), text("large"));
    });
    browser.reload();
    assert_eq!(shown(&browser), text("large"), "as the other tab has it");
    let script = browser.run("return document.cookie");
    assert_eq!(script, json!(""), "no script reads them");

    // A page of another site that has it in a frame: `Lax` cookies stay at home.
    let elsewhere = Elsewhere::framing(&app.url);
    browser.go(&elsewhere.url("127.0.0.1"));
    browser.enter("frame");
    assert_eq!(shown(&browser), summary(""));
    browser.go(&app.url);
    assert_eq!(shown(&browser), text("large"));

    browser.click("logout");
    assert_eq!(shown(&browser), summary(""));
    assert_eq!(browser.cookies(), [Value::Null; 0]);
}

/// K5, A2: of two parallel requests the last answer wins, however many cookies each takes; what it
/// leaves of the other's goes with the next change, and in any case at the logout.
#[test]
fn k5_a_browser_never_mixes_parallel_answers() {
    let Some(driver) = Driver::start() else { return };
    let app = App::start(Cookie::default());
    let browser = driver.browser();
    browser.go(&app.url);
    for before in ["small", "large"] {
        for (first, last) in [
            (LARGE, 10),
            (10, LARGE),
            (LARGE, 4_000),
            (4_000, LARGE),
            (LARGE, LARGE - 1),
            (4_000, 10),
        ] {
            browser.click(before);
            let of = |text: &str, octets| format!("/text/{text}/{octets}");
            in_parallel(
                &browser,
                &format!("{}/first", of("one-", first)),
                &format!("{}/last", of("two-", last)),
            );
            browser.reload();
            let wanted = summary(&"two-".chars().cycle().take(last).collect::<String>());
            assert_eq!(shown(&browser), wanted, "{before}, then {first} and {last} octets");
            browser.click("small");
            assert_eq!(names(&browser, &json!({})), NAMES[..1]);
        }
        browser.click(before);
        in_parallel(&browser, &format!("/text/one-/{LARGE}/first"), "/logout/last");
        browser.reload();
        assert_eq!(shown(&browser), summary(""));
        assert_eq!(browser.cookies(), [Value::Null; 0], "after {before}");
    }
}

/// T-COOK-10, A2: with `Partitioned` the browser keeps one session for each site in whose pages the
/// application stands, its own included, and the server learns of no partition.
#[test]
fn t_cook_10_a_browser_keeps_a_session_for_each_partition() {
    let Some(driver) = Driver::start() else { return };
    let app = App::start(Cookie::default().same_site(SameSite::None).partitioned(true));
    let attributes = json!({
        "domain": "localhost", "path": "/", "secure": true, "httpOnly": true, "sameSite": "None",
        "session": true,
    });
    let at = |browser: &Browser, site: &str| -> Vec<String> {
        names(browser, &attributes);
        let mut names: Vec<_> = browser
            .cookies()
            .into_iter()
            .filter(|cookie| {
                let key = &cookie["partitionKey"];
                let of_another = site != "http://localhost";
                key["topLevelSite"] == site && key["hasCrossSiteAncestor"] == of_another
            })
            .map(|cookie| cookie["name"].as_str().expect("a name").to_owned())
            .collect();
        names.sort_unstable();
        names
    };
    let (own, partner) = ("http://localhost", "http://127.0.0.1");
    let browser = driver.browser();
    browser.go(&app.url);
    browser.click("large");
    assert_eq!(at(&browser, own), NAMES);
    assert_eq!(browser.cookies().len(), 3, "all have a partition");

    let elsewhere = Elsewhere::framing(&app.url);
    let embedded = || {
        browser.go(&elsewhere.url("127.0.0.1"));
        browser.enter("frame");
        shown(&browser)
    };
    assert_eq!(embedded(), summary(""), "the session of the other partition is not seen");
    for (id, cookies) in [("medium", 2), ("large", 3), ("small", 1), ("large", 3)] {
        browser.click(id);
        assert_eq!(shown(&browser), text(id));
        assert_eq!(embedded(), text(id));
        assert_eq!(at(&browser, partner), NAMES[..cookies], "{id}");
        assert_eq!(at(&browser, own), NAMES);
    }
    browser.click("logout");
    assert_eq!(shown(&browser), summary(""));
    assert_eq!(at(&browser, partner), [""; 0]);
    assert_eq!(at(&browser, own), NAMES, "the other partition's session stays");

    browser.go(&app.url);
    assert_eq!(shown(&browser), text("large"));
    browser.click("small");
    assert_eq!(at(&browser, own), NAMES[..1]);
    browser.click("logout");
    assert_eq!(browser.cookies(), [Value::Null; 0]);
}
