//! Pages through the layer: what they cost the store, and when it is too late to render them.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::response::Html;
use axum::routing::get;
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use minijinja::Environment;
use tenure::axum::{Error, Session};
use tenure::session::Level;
use tenure::store::MemoryStore;
use tenure::template::SessionView;
use tenure::tower::SessionLayer;
use tenure::transform::{Keyring, SecretKey};
use tenure::{ErrorKind, Sessions};
use tenure_testkit::{Operation, Recorder};
use tower::ServiceExt;

/// A browser with one cookie.
#[derive(Default)]
pub(crate) struct Client {
    pub(crate) cookie: Option<String>,
}

impl Client {
    pub(crate) async fn get(&mut self, app: &Router) -> (StatusCode, String) {
        self.send(app, Request::get("https://shop.test/"), String::new()).await
    }

    pub(crate) async fn send(
        &mut self,
        app: &Router,
        mut request: http::request::Builder,
        body: String,
    ) -> (StatusCode, String) {
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, cookie);
        }
        let request = request.body(Body::from(body)).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        self.keep(response.headers());
        let (status, body) = (response.status(), response.into_body());
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        (status, String::from_utf8(body).unwrap())
    }

    fn keep(&mut self, headers: &HeaderMap) {
        if let Some(line) = headers.get(SET_COOKIE) {
            let (pair, _) = line.to_str().unwrap().split_once(';').unwrap();
            self.cookie = Some(pair.to_owned());
        }
    }
}

const PAGE: &str = "{{ session.name }} {{ session.theme }} {{ session.get('cart.0') }} \
                    {{ session.has('cart') }} {{ session.tabs }}: {{ flash_messages.success }}";

fn render(view: SessionView, source: &str) -> Result<String, minijinja::Error> {
    Environment::new().render_str(source, view)
}

async fn page(session: Session) -> Html<String> {
    Html(render(SessionView::new(&session), PAGE).unwrap())
}

async fn fill(session: Session) -> Result<(), Error> {
    for key in ["name", "theme", "tabs"] {
        session.set(key, key)?;
    }
    session.push("cart", "tea")?;
    session.flash(Level::Success, "Saved.")?;
    Ok(())
}

#[tokio::test]
async fn a17_a_page_of_five_values_and_messages_costs_one_load_and_one_write() {
    let store = Recorder::new(MemoryStore::new());
    let keys = Keyring::new([SecretKey::generate().unwrap()]);
    let builder = Sessions::builder().store(store.clone()).signing_keys(keys);
    let sessions = builder.build().unwrap();
    let app = Router::new().route("/", get(page).post(fill)).layer(SessionLayer::new(sessions));
    let mut client = Client::default();
    client.send(&app, Request::post("https://shop.test/"), String::new()).await;
    for (text, operations) in
        [(" Saved.", &[Operation::Load, Operation::Apply][..]), (" ", &[Operation::Load])]
    {
        store.clear();
        let (_, body) = client.get(&app).await;
        assert_eq!(body, format!("name theme tea True tabs:{text}"));
        assert_eq!(store.operations(), operations);
    }
}

#[tokio::test]
async fn a17_messages_read_after_the_response_head_are_an_error() {
    let kept = Arc::new(Mutex::new(None));
    let keep = {
        let kept = Arc::clone(&kept);
        get(async move |session: Session| *kept.lock().unwrap() = Some(SessionView::new(&session)))
    };
    let layer = SessionLayer::new(Sessions::in_memory().unwrap());
    let app = Router::new().route("/", keep.post(fill)).layer(layer);
    let mut client = Client::default();
    client.send(&app, Request::post("https://shop.test/"), String::new()).await;
    client.get(&app).await;
    let view = kept.lock().unwrap().take().unwrap();
    for source in [
        "{{ flash_messages.success }}",
        "{{ flash_messages.get('success') }}",
        "{{ flash_messages.has('success') }}",
        "{{ flash_messages.levels() }}",
        "{% for key in flash_messages %}{{ key }}{% endfor %}",
        "{{ old('name') }}",
        "{{ error('name') }}",
    ] {
        let error = render(view.clone(), source).expect_err(source);
        assert!(error.to_string().contains("response head"), "{source}: {error}");
    }
    assert_eq!(render(view.clone(), "{{ session.name }}").unwrap(), "name");
    assert_eq!(view.flash_messages().unwrap_err().kind(), ErrorKind::Sealed);
}
