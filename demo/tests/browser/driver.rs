use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use tenure_testkit::server;
use ureq::Agent;

use super::session::Session;

/// chromedriver, which starts browsers and answers WebDriver commands (W3C). It ends with the value.
pub(super) struct Driver {
    process: Child,
    url: String,
    /// Open for as long as it may write.
    _said: BufReader<ChildStdout>,
}

impl Driver {
    /// Without one the test is counted as skipped.
    pub(super) fn start() -> Option<Self> {
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = match command.spawn() {
            Ok(process) => process,
            Err(error) => {
                let remedy = "`cargo xtask services up` installs it";
                server::missing(&format!("no chromedriver: {error}; {remedy}"));
                return None;
            }
        };
        let mut said = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut all = String::new();
        let port = loop {
            let begin = all.len();
            assert!(said.read_line(&mut all).expect("text") > 0, "it ended: {all}");
            let line = all[begin..].trim_end().trim_end_matches('.');
            if let Some((_, port)) = line.split_once(" on port ")
                && let Ok(port) = port.parse::<u16>()
                && port != 0
            {
                break port;
            }
        };
        Some(Self { process, url: format!("http://127.0.0.1:{port}"), _said: said })
    }

    /// A browser without a window, and with a profile of its own.
    pub(super) fn browser(&self) -> Session {
        let mut arguments =
            vec!["--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"];
        if is_root() {
            // Chromium's sandbox refuses to run as root.
            arguments.push("--no-sandbox");
        }
        let options = json!({
            "browserName": "chrome",
            "goog:chromeOptions": { "args": arguments },
            // Milliseconds, on a machine that has other things to do.
            "timeouts": { "script": 120_000 },
        });
        let wanted = json!({ "capabilities": { "alwaysMatch": options } });
        let agent = agent();
        let answer = post(&agent, &format!("{}/session", self.url), &wanted);
        let answer = answer.unwrap_or_else(|error| panic!("no browser: {error}"));
        let id = answer["sessionId"].as_str().expect("an id");
        Session::new(agent, format!("{}/session/{id}", self.url))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Both fail when it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn agent() -> Agent {
    Agent::config_builder().http_status_as_error(false).build().into()
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

/// The value of the answer, or the error's code and message.
pub(super) fn post(agent: &Agent, url: &str, body: &Value) -> Result<Value, String> {
    let request = agent.post(url).header("Content-Type", "application/json");
    value(request.send(body.to_string()))
}

pub(super) fn get(agent: &Agent, url: &str) -> Result<Value, String> {
    value(agent.get(url).call())
}

fn value(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Value, String> {
    let text = answer
        .and_then(|mut answer| answer.body_mut().with_config().limit(64 << 20).read_to_string());
    let text = text.map_err(|error| error.to_string())?;
    let mut answer: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let value = answer["value"].take();
    match value["error"].as_str() {
        None => Ok(value),
        Some(code) => Err(format!("{code}: {}", value["message"].as_str().unwrap_or_default())),
    }
}
