use std::collections::BTreeMap;

use ureq::Agent;
use ureq::http::{Response, StatusCode};

/// A browser: it keeps cookies and follows no redirect.
#[derive(Clone)]
pub(crate) struct Visitor {
    agent: Agent,
    url: String,
    cookies: BTreeMap<String, String>,
}

/// What came back.
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) location: Option<String>,
    /// The `Set-Cookie` lines.
    pub(crate) cookies: Vec<String>,
    pub(crate) html: String,
}

impl Visitor {
    pub(crate) fn of(url: &str) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            // Servers may close a connection after an answer to a form that they did not read.
            .max_idle_connections(0)
            .build();
        Self { agent: agent.into(), url: url.to_owned(), cookies: BTreeMap::new() }
    }

    /// The same browser, at a server that was started anew.
    pub(crate) fn at(mut self, url: &str) -> Self {
        url.clone_into(&mut self.url);
        self
    }

    pub(crate) fn get(&mut self, path: &str) -> Page {
        let request = self.agent.get(format!("{}{path}", self.url));
        let response = request.header("Cookie", self.cookie_line()).call().expect("an answer");
        self.keep(response)
    }

    pub(crate) fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Page {
        let request = self.agent.post(format!("{}{path}", self.url));
        let response = request
            .header("Cookie", self.cookie_line())
            .send_form(form.iter().copied())
            .expect("an answer");
        self.keep(response)
    }

    /// Posts a form as a browser does that shows a page of another origin.
    pub(crate) fn post_from(&mut self, origin: &str, path: &str, form: &[(&str, &str)]) -> Page {
        let request = self.agent.post(format!("{}{path}", self.url));
        let response = request
            .header("Cookie", self.cookie_line())
            .header("Origin", origin)
            .header("Sec-Fetch-Site", "cross-site")
            .send_form(form.iter().copied())
            .expect("an answer");
        self.keep(response)
    }

    /// Posts what must lead to another page, and gives the shop's page as it is then.
    pub(crate) fn submit(&mut self, path: &str, form: &[(&str, &str)]) -> Page {
        let answer = self.post(path, form);
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}");
        assert!(answer.location.is_some_and(|location| location.starts_with('/')));
        self.get("/")
    }

    pub(crate) fn has_cookies(&self) -> bool {
        !self.cookies.is_empty()
    }

    fn cookie_line(&self) -> String {
        let pairs: Vec<_> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    fn keep(&mut self, mut response: Response<ureq::Body>) -> Page {
        let text = |value: &ureq::http::HeaderValue| value.to_str().expect("ASCII").to_owned();
        let cookies: Vec<_> = response.headers().get_all("set-cookie").iter().map(text).collect();
        for line in &cookies {
            let (name, value) =
                line.split(';').next().and_then(|pair| pair.split_once('=')).expect("a pair");
            if line.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Page {
            status: response.status(),
            location: response.headers().get("location").map(text),
            cookies,
            html: response.body_mut().read_to_string().expect("text"),
        }
    }
}

impl Page {
    /// Whether an element has this `id`.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.html.contains(&format!(" id=\"{id}\""))
    }

    /// The handles of the devices with a button to log them out.
    pub(crate) fn revocable(&self) -> Vec<&str> {
        let buttons = self.html.split(" id=\"revoke-").skip(1);
        buttons.map(|rest| rest.split('"').next().unwrap_or_default()).collect()
    }

    /// The value of the input with this `id`.
    pub(crate) fn value(&self, id: &str) -> &str {
        let (_, rest) = (self.html.split_once(&format!(" id=\"{id}\"")))
            .unwrap_or_else(|| panic!("no {id} in {}", self.html));
        let tag = rest.split('>').next().unwrap_or_default();
        let (_, value) = tag.split_once(" value=\"").expect("it has a value");
        value.split('"').next().unwrap_or_default()
    }

    /// The text of the element with this `id`, which holds no other element.
    pub(crate) fn text(&self, id: &str) -> &str {
        let (_, rest) = (self.html.split_once(&format!(" id=\"{id}\"")))
            .unwrap_or_else(|| panic!("no {id} in {}", self.html));
        let (_, rest) = rest.split_once('>').expect("the tag ends");
        rest.split('<').next().unwrap_or_default()
    }
}
