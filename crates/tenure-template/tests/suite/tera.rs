use std::collections::BTreeMap;

use tenure::Session;
use tenure::session::Level;
use tenure::template::SessionView;
use tenure::template::tera::{register, render, scope};
use tera::{Context, Tera, TeraResult};

use crate::next::{after, following, sessions};

fn page(view: &SessionView, source: &str) -> TeraResult<String> {
    let mut templates = Tera::new();
    register(&mut templates);
    templates.add_raw_template("part.html", "{{ session.theme }}")?;
    templates.add_raw_template("page.html", source)?;
    let mut context = Context::new();
    context.insert("title", "Shop");
    render(&templates, "page.html", &context, view)
}

fn check(session: &Session, pages: &[(&str, &str)]) {
    for (source, expected) in pages {
        assert_eq!(page(&SessionView::new(session), source).unwrap(), *expected, "{source}");
    }
}

#[tokio::test]
async fn a17_keys_paths_and_defaults() {
    let sessions = sessions();
    let session = after(&sessions, |session| {
        session.login("ada")?;
        session.set("cart", [BTreeMap::from([("sku", "tea")])])?;
        session.set("theme", "dark")?;
        session.set("big", u64::MAX)?;
        session.set("none", ())
    })
    .await;
    check(
        &session,
        &[
            ("{{ title }}", "Shop"),
            ("{{ session.cart[0].sku }}", "tea"),
            (r#"{% include "part.html" %}"#, "dark"),
            (r#"{{ session(key="cart.0.sku") }}"#, "tea"),
            (r#"{{ session(key="cart.1.sku", default="-") }}"#, "-"),
            (
                r#"{{ session(key="none", default=3) }} {{ session(key="big") }}"#,
                "3 18446744073709551615",
            ),
            (r#"[{{ session(key="x") }}]"#, "[]"),
            (r#"{{ session_has(key="cart.0") }} {{ session_has(key="cart.1") }}"#, "true false"),
            (
                "{% for key, value in session() %}{% if value == 'dark' %}{{ key }}{% endif %}{% endfor %}",
                "theme",
            ),
            ("{{ session() | length }}", "4"),
            ("{{ session_user() }}", "ada"),
        ],
    );
    assert!(!session.is_modified());
}

#[tokio::test]
async fn a16_messages_by_key_and_path() {
    let sessions = sessions();
    let session = after(&sessions, |session| {
        session.flash(Level::Success, "Saved.")?;
        session.flash(Level::Warning, "Hm.")?;
        session.flash("count", 2)?;
        session.flash_errors([("title", "is missing")])
    })
    .await;
    check(
        &session,
        &[
            (r#"{{ flash_messages(key="errors.title.0") }}"#, "is missing"),
            (r#"{{ flash_messages(key="errors.body", default="fine") }}"#, "fine"),
            (r#"{{ flash_messages_has(key="errors.title") }}"#, "true"),
            (r#"{{ flash_messages_has(key="errors.body") }}"#, "false"),
            ("{% if flash_messages() %}some{% endif %}", "some"),
            ("{{ flash_messages() | length }}", "4"),
            (
                "{% for message in flash_levels() %}{{ message.level }}: {{ message.text }} {% endfor %}",
                "success: Saved. warning: Hm. ",
            ),
        ],
    );
    let empty = sessions.start().await.unwrap();
    check(&empty, &[("{% if flash_messages() %}some{% else %}none{% endif %}", "none")]);
}

#[tokio::test]
async fn a16_a13_a_page_that_reads_no_message_leaves_them() {
    let sessions = sessions();
    let mut session = after(&sessions, |session| session.flash(Level::Info, "once")).await;
    for source in [
        "{{ title }} {{ session|length }}",
        r#"{% if session_has(key="x") %}{{ flash_messages(key="info") }}{{ old(field="a") }}{% endif %}"#,
    ] {
        page(&SessionView::new(&session), source).unwrap();
        assert!(!session.is_modified(), "{source}");
        session = following(&sessions, &session).await.unwrap();
    }
    check(&session, &[(r#"{{ flash_messages(key="info") }}"#, "once")]);
    session = following(&sessions, &session).await.unwrap();
    check(&session, &[(r#"[{{ flash_messages(key="info") }}]"#, "[]")]);
}

#[tokio::test]
async fn a20_old_values_and_errors_of_fields() {
    let sessions = sessions();
    let session = after(&sessions, |session| {
        session.flash_all(&BTreeMap::from([("name", "Ada"), ("password", "x")]))?;
        session.flash_errors([("guests", "are too many"), ("guests", "are too loud")])
    })
    .await;
    check(
        &session,
        &[
            (r#"{{ old(field="name") }}[{{ old(field="password") }}]"#, "Ada[]"),
            (r#"{{ old(field="mail", default=title) }}"#, "Shop"),
            (
                r#"{% if error(field="guests") %}{{ error(field="guests") }}{% endif %}"#,
                "are too many",
            ),
            (r#"{{ errors(field="guests") | join(sep=", ") }}"#, "are too many, are too loud"),
            (r#"[{{ error(field="name") }}]{{ errors(field="name") | length }}"#, "[]0"),
        ],
    );
}

#[tokio::test]
async fn a17_what_users_wrote_is_escaped() {
    const EVIL: &str = r#""><script>alert('&')</script>"#;
    let sessions = sessions();
    let session = after(&sessions, |session| {
        session.set("name", EVIL)?;
        session.login(EVIL)?;
        session.flash(Level::Error, EVIL)?;
        session.flash_all(&BTreeMap::from([("title", EVIL)]))?;
        session.flash_errors([("title", EVIL)])
    })
    .await;
    for source in [
        "{{ session.name }}",
        "{{ session() }}",
        r#"{{ session(key="name") }}"#,
        "{{ session_user() }}",
        r#"{{ flash_messages(key="error") }}"#,
        "{{ flash_messages() }}",
        "{% for message in flash_levels() %}{{ message.text }}{% endfor %}",
        r#"{{ old(field="title") }}"#,
        r#"{{ old(field="x", default=session.name) }}"#,
        r#"{{ error(field="title") }}"#,
        r#"{{ errors(field="title") | join }}"#,
    ] {
        let page = page(&SessionView::new(&session), source).unwrap();
        assert!(page.contains("&lt;script&gt;"), "{source}: {page}");
        assert!(!page.contains(['<', '>']) && !page.contains(r#"">"#), "{source}: {page}");
    }
}

#[tokio::test]
async fn a17_tokens_are_good_and_begin_a_session() {
    let sessions = sessions();
    let session = sessions.start().await.unwrap();
    let view = SessionView::new(&session);
    page(&view, r#"{{ session(key="x") }}{{ old(field="x") }}{{ flash_messages() }}"#).unwrap();
    assert!(!session.is_modified(), "a form without a token begins no session");
    let token = page(&view, "{{ csrf_token() }}").unwrap();
    assert!(session.verify_csrf(&token).unwrap());
    let field = page(&view, "{{ csrf_field() }}").unwrap();
    assert!(field.starts_with(r#"<input type="hidden" name="_csrf" value=""#), "{field}");
    assert!(following(&sessions, &session).await.unwrap().verify_csrf(&token).unwrap());
}

#[test]
fn a17_a_view_without_a_session_is_empty() {
    let view = SessionView::absent();
    let source =
        r#"[{{ session(key="theme", default="light") }}{{ session() }}{{ old(field="a") }}]"#;
    assert_eq!(page(&view, source).unwrap(), "[light{}]");
    let error = page(&view, "{{ csrf_field() }}").unwrap_err().to_string();
    assert!(error.contains("made without a session"), "{error}");
}

#[tokio::test]
async fn a17_a_view_is_known_in_its_scope_alone() {
    let sessions = sessions();
    let ada = after(&sessions, |session| session.set("name", "Ada")).await;
    let bob = after(&sessions, |session| session.set("name", "Bob")).await;
    let mut templates = Tera::new();
    register(&mut templates);
    templates.add_raw_template("name.html", r#"{{ session(key="name") }}"#).unwrap();
    let name = || templates.render("name.html", &Context::new());
    scope(&SessionView::new(&ada), || {
        assert_eq!(scope(&SessionView::new(&bob), name).unwrap(), "Bob");
        let panicked =
            std::panic::catch_unwind(|| scope(&SessionView::absent(), || panic!("inside")));
        assert!(panicked.is_err());
        assert_eq!(name().unwrap(), "Ada");
    });
    let error = name().unwrap_err().to_string();
    assert!(error.contains("no session is known here"), "{error}");
}
