use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use ureq::Agent;

use super::driver::{get, post};

/// How long a page may take, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(60);
/// A phone, and a laptop: width and height.
const SIZES: [(u32, u32); 2] = [(390, 844), (1280, 800)];
/// Under this name the standard has the reference to an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// One browser with cookies of its own. It ends with the value.
pub(super) struct Session {
    agent: Agent,
    url: String,
}

impl Session {
    pub(super) fn new(agent: Agent, url: String) -> Self {
        Self { agent, url }
    }

    pub(super) fn go(&self, url: &str) {
        self.post("url", &json!({ "url": url }));
    }

    pub(super) fn reload(&self) {
        self.post("refresh", &json!({}));
    }

    /// Whether an element has this `id`.
    pub(super) fn has(&self, id: &str) -> bool {
        !self.find_all(&format!("[id='{id}']")).is_empty()
    }

    /// The text of the element with this `id`, as it is seen.
    pub(super) fn text(&self, id: &str) -> String {
        self.get(&format!("element/{}/text", self.element(id)))
    }

    pub(super) fn title(&self) -> String {
        self.get("title")
    }

    /// What the field with this `id` holds.
    pub(super) fn value(&self, id: &str) -> String {
        self.get(&format!("element/{}/property/value", self.element(id)))
    }

    /// The ids that begin so.
    pub(super) fn ids(&self, prefix: &str) -> Vec<String> {
        let elements = self.find_all(&format!("[id^='{prefix}']"));
        elements
            .iter()
            .map(|element| self.get(&format!("element/{element}/attribute/id")))
            .collect()
    }

    /// How many elements there are.
    pub(super) fn count(&self, selector: &str) -> usize {
        self.find_all(selector).len()
    }

    pub(super) fn fill(&self, id: &str, text: &str) {
        let element = self.element(id);
        self.post(&format!("element/{element}/clear"), &json!({}));
        self.post(&format!("element/{element}/value"), &json!({ "text": text }));
    }

    /// Clicks what leads to another page, and waits for that.
    pub(super) fn click(&self, id: &str) {
        let page = self.find_all("html").pop().expect("a page");
        self.post(&format!("element/{}/click", self.element(id)), &json!({}));
        // The element is gone with its page; the next command waits for the new one to be loaded.
        let began = Instant::now();
        while get(&self.agent, &format!("{}/element/{page}/name", self.url)).is_ok() {
            assert!(began.elapsed() < PATIENCE, "{id} leads nowhere");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What this function body gives, or the promise that it returns.
    pub(super) fn run(&self, script: &str) -> Value {
        self.post("execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Does something in another tab of this browser.
    pub(super) fn in_another_tab(&self, work: impl FnOnce()) {
        let first = self.get("window");
        let other = self.post("window/new", &json!({ "type": "tab" }));
        self.post("window", &json!({ "handle": other["handle"] }));
        work();
        self.post("window", &json!({ "handle": first }));
    }

    /// Looks at what is in the page's frame with this `id`, from here on.
    pub(super) fn enter(&self, id: &str) {
        let frame = json!({ ELEMENT: self.element(id) });
        self.post("frame", &json!({ "id": frame }));
    }

    /// All cookies that the browser has, of whatever site.
    pub(super) fn cookies(&self) -> Vec<Value> {
        let mut answer = self.devtools("Storage.getCookies", &json!({}));
        serde_json::from_value(answer["cookies"].take()).expect("a list")
    }

    /// Keeps what the page looks like on a phone and on a laptop, in the target folder, and sees that
    /// nothing sticks out.
    pub(super) fn screenshots(&self, name: &str) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser");
        fs::create_dir_all(&folder).expect("a folder");
        for (width, height) in SIZES {
            let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
            self.devtools("Emulation.setDeviceMetricsOverride", &size);
            let needed = self.run("return document.documentElement.scrollWidth");
            let needed = needed.as_u64().expect("a width");
            assert!(needed <= u64::from(width), "{name}: {needed} pixels on {width}");
            let picture =
                self.devtools("Page.captureScreenshot", &json!({ "captureBeyondViewport": true }));
            let picture = BASE64_STANDARD.decode(picture["data"].as_str().expect("a picture"));
            let file = folder.join(format!("{name}-{width}.png"));
            fs::write(file, picture.expect("base64")).expect("written");
        }
        self.devtools("Emulation.clearDeviceMetricsOverride", &json!({}));
    }

    /// A command of Chromium's own protocol, for what the standard has none.
    fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.post("goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    fn element(&self, id: &str) -> String {
        let mut found = self.find_all(&format!("[id='{id}']"));
        assert_eq!(found.len(), 1, "elements with the id {id}");
        found.remove(0)
    }

    fn find_all(&self, selector: &str) -> Vec<String> {
        let by = json!({ "using": "css selector", "value": selector });
        let found = self.post("elements", &by);
        let element = |value: &Value| value[ELEMENT].as_str().expect("an element").to_owned();
        found.as_array().expect("a list").iter().map(element).collect()
    }

    fn post(&self, command: &str, body: &Value) -> Value {
        let answer = post(&self.agent, &format!("{}/{command}", self.url), body);
        answer.unwrap_or_else(|error| panic!("{command} {body}: {error}"))
    }

    fn get(&self, command: &str) -> String {
        let answer = get(&self.agent, &format!("{}/{command}", self.url));
        let answer = answer.unwrap_or_else(|error| panic!("{command}: {error}"));
        answer.as_str().expect("text").to_owned()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // It fails when the browser has ended already.
        let _ = self.agent.delete(&self.url).call();
    }
}
