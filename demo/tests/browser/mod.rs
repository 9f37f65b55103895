//! The demo in a real browser, and what no other client shows: Chromium without a window, driven by chromedriver.

mod client_store;
mod driver;
mod elsewhere;
mod session;

use tempfile::TempDir;

use self::driver::Driver;
use self::elsewhere::Elsewhere;
use self::session::Session;
use crate::support::Server;

/// The demo and what opens browsers, for one test.
struct Stage {
    server: Server,
    driver: Driver,
    _folder: TempDir,
}

impl Stage {
    /// None where there is no browser, and the test is skipped.
    fn set() -> Option<Self> {
        let driver = Driver::start()?;
        let folder = tempfile::tempdir().expect("a folder");
        Some(Self { server: Server::start(folder.path()), driver, _folder: folder })
    }

    /// A browser that looks at the shop.
    fn visitor(&self) -> Session {
        let browser = self.driver.browser();
        browser.go(&self.server.url);
        browser
    }

    fn logged_in(&self, name: &str) -> Session {
        let browser = self.visitor();
        log_in(&browser, name);
        browser
    }

    fn devices(&self, browser: &Session) {
        self.go(browser, "/devices");
    }

    fn go(&self, browser: &Session, path: &str) {
        browser.go(&format!("{}{path}", self.server.url));
    }
}

fn log_in(browser: &Session, name: &str) {
    browser.fill("login-name", name);
    browser.click("login");
    assert_eq!(browser.text("user"), name);
}

fn is_logged_out(browser: &Session) -> bool {
    browser.has("login") && !browser.has("user")
}

/// A13: what an action did is seen once, whatever the browser asks for beside the page.
#[test]
fn a13_a_browser_shows_messages_once() {
    let Some(stage) = Stage::set() else { return };
    let browser = stage.visitor();
    assert!(!browser.has("flash"));
    browser.screenshots("shop");
    log_in(&browser, "Ada");
    assert_eq!(browser.text("flash"), "Welcome, Ada.");
    browser.screenshots("flash");
    browser.reload();
    assert!(!browser.has("flash") && browser.has("user"));
    browser.click("add-sencha");
    assert!(browser.text("flash").ends_with("is in your cart."));
    browser.click("theme-dark");
    assert_eq!(browser.text("flash"), "The shop is dark now.");
    browser.screenshots("dark");
    browser.reload();
    assert!(!browser.has("flash"));
}

/// X6: two browsers see each other, and one logs the other out.
#[test]
fn x6_a_browser_logs_out_another() {
    let Some(stage) = Stage::set() else { return };
    let [phone, laptop] = [(); 2].map(|()| stage.logged_in("Ada"));
    stage.devices(&phone);
    stage.devices(&laptop);
    let [of_phone, of_laptop] = [&phone, &laptop].map(|browser| {
        assert_eq!(browser.count("#devices > li"), 2);
        let mut buttons = browser.ids("revoke-");
        assert_eq!(buttons.len(), 1, "the other one's: {buttons:?}");
        buttons.remove(0)
    });
    assert_ne!(of_phone, of_laptop);
    laptop.screenshots("devices");

    laptop.click(&of_laptop);
    assert_eq!(laptop.text("flash"), "That device is logged out.");
    assert_eq!(laptop.count("#devices > li"), 1);
    phone.click("theme-dark");
    assert!(is_logged_out(&phone), "by its next click");
    laptop.reload();
    assert!(laptop.has("user") && !laptop.has("flash"));
}

/// X6: one browser logs out all.
#[test]
fn x6_a_browser_logs_out_everywhere() {
    let Some(stage) = Stage::set() else { return };
    let [phone, laptop] = [(); 2].map(|()| stage.logged_in("Ada"));
    stage.devices(&laptop);
    laptop.click("logout-everywhere");
    assert!(is_logged_out(&laptop));
    phone.click("add-cup");
    assert!(is_logged_out(&phone), "by its next click");
    log_in(&phone, "Ada");
    stage.devices(&phone);
    assert_eq!(phone.count("#devices > li"), 1);
}

/// A20: a form that is wrong comes back with what was typed, and says at each field what is wrong.
#[test]
fn a20_a_browser_keeps_what_was_typed() {
    let Some(stage) = Stage::set() else { return };
    let browser = stage.logged_in("Ada");
    stage.go(&browser, "/profile");
    browser.fill("profile-name", "Ada \"<L>\"");
    browser.fill("profile-email", "nowhere");
    browser.screenshots("profile");
    browser.click("profile-save");
    assert!(browser.text("error-email").contains("ada@example.org"));
    assert!(!browser.has("error-name"));
    assert_eq!(browser.value("profile-name"), "Ada \"<L>\"");
    assert_eq!(browser.value("profile-email"), "nowhere");
    browser.screenshots("profile-wrong");
    browser.fill("profile-email", "ada@example.org");
    browser.click("profile-save");
    assert_eq!(browser.text("flash"), "Your profile is saved.");
    browser.reload();
    assert_eq!(browser.value("profile-email"), "ada@example.org");
    assert!(!browser.has("flash") && !browser.has("error-email"));
}

/// X9, T-CSRF-1: forms on pages of other origins change nothing, be they of another site or the same.
#[test]
fn x9_a_browser_is_refused_with_forms_from_elsewhere() {
    let Some(stage) = Stage::set() else { return };
    let browser = stage.logged_in("Ada");
    for (host, path) in [("127.0.0.1", "/cart/sencha/add"), ("localhost", "/logout")] {
        let elsewhere = Elsewhere::posting(&format!("{}{path}", stage.server.url));
        browser.go(&elsewhere.url(host));
        browser.click("steal");
        assert_eq!(browser.title(), "This form is out of date \u{b7} Leaf & Cup", "from {host}");
    }
    browser.screenshots("refused");
    stage.go(&browser, "/");
    assert_eq!(browser.text("user"), "Ada");
    assert_eq!(browser.text("cart-count"), "0");
    browser.click("add-sencha");
    assert_eq!(browser.text("cart-count"), "1", "the shop's own forms work");
}

/// A22: who is in the shop is on a page.
#[test]
fn a22_a_browser_shows_who_is_there() {
    let Some(stage) = Stage::set() else { return };
    let [ada, eve] = ["Ada", "Eve"].map(|name| stage.logged_in(name));
    stage.go(&ada, "/admin");
    assert_eq!(ada.text("live"), "2");
    assert_eq!(ada.count("#sessions tbody tr"), 2);
    ada.screenshots("admin");
    eve.click("logout");
    ada.reload();
    assert_eq!(ada.text("live"), "1");
}
