use std::collections::BTreeMap;
use std::error::Error as _;

use minijinja::{Environment, Error, UndefinedBehavior, context};
use tenure::session::Level;
use tenure::template::SessionView;
use tenure::{ErrorKind, Session};

use crate::next::{after, following, sessions};

fn render(session: &Session, source: &str) -> Result<String, Error> {
    render_view(SessionView::new(session), source)
}

fn render_view(view: SessionView, source: &str) -> Result<String, Error> {
    let mut templates = Environment::new();
    templates.add_template("page.html", source)?;
    templates.get_template("page.html")?.render(context! { title => "Shop", ..view })
}

fn check(session: &Session, pages: &[(&str, &str)]) {
    for (source, page) in pages {
        assert_eq!(render(session, source).unwrap(), *page, "{source}");
    }
}

#[tokio::test]
async fn a17_keys_paths_and_defaults() {
    let sessions = sessions();
    let session = after(&sessions, |session| {
        session.login("ada")?;
        session.set("cart", [BTreeMap::from([("sku", "tea")])])?;
        session.set("a.b", 1.5)?;
        session.set("none", ())?;
        session.set("user", "a key like any other")
    })
    .await;
    check(
        &session,
        &[
            ("{{ title }}", "Shop"),
            ("{{ session.cart.0.sku }} {{ session.cart[0].sku }}", "tea tea"),
            ("{{ session.get('cart.0.sku') }}", "tea"),
            ("{{ session.get('cart.1.sku', '-') }}", "-"),
            ("{{ session.get('cart.1.sku', default='-') }}", "-"),
            ("{{ session.get('cart.0.sku', default='-') }}", "tea"),
            ("{{ session.get('none', 3) }}", "3"),
            ("[{{ session.get('x') }}][{{ session.x }}]", "[][]"),
            ("{{ session.get('x')|default('y') }}", "y"),
            ("{{ session.get('a.b') }} {{ session['a.b'] }}", "1.5 1.5"),
            ("{{ session.has('cart.0') }} {{ session.has('cart.1') }}", "True False"),
            (
                "{{ session.has('none') }} {{ 'cart' in session }} {{ 'x' in session }}",
                "True True False",
            ),
            ("{% for key in session %}{{ key }} {% endfor %}", "a.b cart none user "),
            ("{{ session|length }}{% if session %}!{% endif %}", "4!"),
            ("{% for key, value in session|items if key == 'a.b' %}{{ value }}{% endfor %}", "1.5"),
            ("{{ session.user() }}, {{ session.user }}", "ada, a key like any other"),
            ("{{ session }}", "session(a.b, cart, none, user)"),
        ],
    );
    assert!(!session.is_modified());
}

#[tokio::test]
async fn a17_a_template_cannot_write() {
    let sessions = sessions();
    let session = after(&sessions, |session| session.set("theme", "dark")).await;
    for source in [
        "{{ session.set('theme', 'light') }}",
        "{{ session.remove('theme') }}",
        "{{ session.destroy() }}",
        "{{ session.flash('a', 1) }}",
        "{{ flash_messages.reflash() }}",
        "{% set session.theme = 'light' %}",
        "{{ old('a', 1, 2) }}",
        "{{ session.get('a', defualt=1) }}",
        "{{ session.get(1) }}",
        "{{ csrf_field('x') }}",
    ] {
        render(&session, source).expect_err(source);
    }
    // A name of the template hides ours, in this template alone.
    check(
        &session,
        &[("{% set session = 1 %}{{ session }}", "1"), ("{{ session.theme }}", "dark")],
    );
    assert!(!session.is_modified());
}

#[tokio::test]
async fn a16_messages_by_key_and_path() {
    let sessions = sessions();
    let left = async || {
        after(&sessions, |session| {
            session.flash(Level::Success, "Saved.")?;
            session.flash(Level::Warning, "Hm.")?;
            session.flash(Level::Success, "Sent.")?;
            session.flash("count", 2)?;
            session.flash_errors([("title", "is missing")])
        })
        .await
    };
    for (source, page) in [
        ("{{ flash_messages.get('errors.title.0') }}", "is missing"),
        ("{{ flash_messages.get('errors.body', 'fine') }}", "fine"),
        ("{{ flash_messages.get('errors.body', default='fine') }}", "fine"),
        ("{{ flash_messages.has('errors.title') }}", "True"),
        ("{{ flash_messages.has('errors.body') }}", "False"),
        ("{{ flash_messages.success }} {{ flash_messages.errors.title[0] }}", "Sent. is missing"),
        ("{% for key in flash_messages %}{{ key }} {% endfor %}", "count errors success warning "),
        ("{{ flash_messages.all().count }} {{ flash_messages.all()|length }}", "2 4"),
        ("{{ flash_messages.is_empty() }} {{ flash_messages.is_empty }}", "False False"),
        ("{% if flash_messages %}some{% endif %}", "some"),
        (
            "{% for message in flash_messages.levels() %}{{ message.level }}: {{ message.text }} {% endfor %}",
            "success: Saved. warning: Hm. success: Sent. ",
        ),
    ] {
        let session = left().await;
        check(&session, &[(source, page)]);
    }
    check(
        &sessions.start().await.unwrap(),
        &[
            ("{{ flash_messages.is_empty() }} {{ flash_messages.is_empty }}", "True True"),
            ("{% if flash_messages %}some{% else %}none{% endif %}", "none"),
            ("[{{ flash_messages.get('a') }}]", "[]"),
        ],
    );
}

#[tokio::test]
async fn a16_a13_a_page_that_reads_no_message_leaves_them() {
    let sessions = sessions();
    let mut session = after(&sessions, |session| session.flash(Level::Info, "once")).await;
    for source in [
        "{{ title }} {{ session.theme }} {{ session|length }}",
        "{% if session.theme == 'dark' %}{{ flash_messages.info }}{{ old('a') }}{% endif %}",
        "{% set later = flash_messages %}{% set old_one = old %}",
        "{{ flash_messages }}",
    ] {
        render(&session, source).unwrap();
        assert!(!session.is_modified(), "{source}");
        session = following(&sessions, &session).await.unwrap();
    }
    check(
        &session,
        &[("{{ flash_messages.info }}", "once"), ("{{ flash_messages.info }}", "once")],
    );
    session = following(&sessions, &session).await.unwrap();
    check(&session, &[("[{{ flash_messages.info }}]", "[]")]);
}

#[tokio::test]
async fn a17_error_reports_neither_use_up_messages_nor_print_values() {
    let sessions = sessions();
    let session = after(&sessions, |session| {
        session.set("card", "4000 0000")?;
        session.flash(Level::Info, "once")
    })
    .await;
    let mut templates = Environment::new();
    templates.set_debug(true);
    let source = "{% if missing() %}{{ flash_messages }}{{ session }}{% endif %}{{ debug() }}";
    templates.add_template("page.html", source).unwrap();
    let template = templates.get_template("page.html").unwrap();
    let error = template.render(SessionView::new(&session)).unwrap_err();
    let report = format!("{error:#}{error:?}{}", error.display_debug_info());
    assert!(report.contains("session") && !report.contains("4000"), "{report}");
    assert!(!session.is_modified(), "{report}");
}

#[tokio::test]
async fn a20_old_values_and_errors_of_fields() {
    let sessions = sessions();
    let session = after(&sessions, |session| {
        session.flash_all(&Form { name: "Ada", guests: 3, password: "secret" })?;
        session.flash_errors([("guests", "are too many"), ("guests", "are too loud")])
    })
    .await;
    check(
        &session,
        &[
            ("{{ old('name') }}, {{ old('guests', 1) }}", "Ada, 3"),
            ("[{{ old('password') }}] {{ old('mail', 'none') }}", "[] none"),
            ("{{ old('mail', default=title) }}", "Shop"),
            ("{% if error('guests') %}They {{ error('guests') }}{% endif %}", "They are too many"),
            ("{{ errors('guests')|join(', ') }}", "are too many, are too loud"),
            ("[{{ error('name') }}]{{ errors('name')|length }}", "[]0"),
        ],
    );
}

#[derive(serde::Serialize)]
struct Form {
    name: &'static str,
    guests: u8,
    password: &'static str,
}

#[tokio::test]
async fn a20_helpers_print_where_what_is_undefined_may_not() {
    let session = sessions().start().await.unwrap();
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    let source = "[{{ old('a') }}{% if error('a') %}{{ error('a') }}{% endif %}\
                  {% if session.user() %}!{% endif %}{{ session.get('a', '') }}]";
    let page = templates.render_str(source, SessionView::new(&session)).unwrap();
    assert_eq!(page, "[]");
    let session = SessionView::new(&session);
    templates.render_str("{{ session.get('a') }}", session).expect_err("undefined");
}

#[tokio::test]
async fn a17_what_users_wrote_is_escaped() {
    const EVIL: &str = r#""><script>alert('&')</script>"#;
    let sessions = sessions();
    let session = after(&sessions, |session| {
        session.set("name", EVIL)?;
        session.set(EVIL, 1)?;
        session.login(EVIL)?;
        session.flash(Level::Error, EVIL)?;
        session.flash_all(&BTreeMap::from([("title", EVIL)]))?;
        session.flash_errors([("title", EVIL)])
    })
    .await;
    for source in [
        "{{ session.name }}",
        "{{ session.get('name') }}",
        "{{ session.user() }}",
        "{{ session }}",
        "{% for key in session if key != 'name' %}{{ key }}{% endfor %}",
        "{{ session.get('x', session.name) }}",
        "{{ flash_messages.error }}",
        "{{ flash_messages.get('error') }}",
        "{{ flash_messages.all() }}",
        "{% for message in flash_messages.levels() %}{{ message.text }}{% endfor %}",
        "{{ old('title') }}",
        "{{ old('x', session.name) }}",
        "{{ error('title') }}",
        "{{ errors('title') }}",
        "{{ errors('title')|join }}",
    ] {
        let page = render(&session, source).unwrap();
        assert!(page.contains("&lt;script&gt;"), "{source}: {page}");
        assert!(!page.contains(['<', '>']) && !page.contains(r#"">"#), "{source}: {page}");
    }
}

#[tokio::test]
async fn a17_tokens_are_good_and_begin_a_session() {
    let sessions = sessions();
    let session = sessions.start().await.unwrap();
    render(&session, "{{ session.x }}{{ old('x') }}{{ flash_messages.all() }}").unwrap();
    assert!(!session.is_modified(), "a form without a token begins no session");
    let token = render(&session, "{{ csrf_token() }}").unwrap();
    assert!(session.verify_csrf(&token).unwrap());
    let field = render(&session, "{{ csrf_field() }}").unwrap();
    assert!(field.starts_with(r#"<input type="hidden" name="_csrf" value=""#), "{field}");
    let next = following(&sessions, &session).await.unwrap();
    assert!(next.verify_csrf(&token).unwrap());
}

#[test]
fn a17_a_view_without_a_session_is_empty() {
    let page = |source: &str| render_view(SessionView::absent(), source);
    let source = "[{{ session.theme }}{{ session.get('theme', 'light') }}{{ session.has('theme') }}\
                  {{ session|length }}{{ flash_messages.is_empty() }}{{ old('a', 'b') }}\
                  {{ error('a') }}{{ errors('a') }}{% if session.user() %}!{% endif %}]";
    assert_eq!(page(source).unwrap(), "[lightFalse0Trueb[]]");
    for source in ["{{ csrf_token() }}", "{{ csrf_field() }}"] {
        let error = page(source).unwrap_err();
        assert!(error.to_string().contains("made without a session"), "{error}");
        let cause = error.source().unwrap().downcast_ref::<tenure::Error>().unwrap();
        assert_eq!(cause.kind(), ErrorKind::Misuse);
    }
}
