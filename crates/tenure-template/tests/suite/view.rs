use std::collections::BTreeMap;

use tenure::store::MemoryStore;
use tenure::template::SessionView;
use tenure::{ErrorKind, Sessions, session::Level};

use crate::next::{after, following, sessions};

#[tokio::test]
async fn a17_the_view_is_read_by_plain_calls() {
    let sessions = sessions();
    let session = after(&sessions, |session| {
        session.login("ada")?;
        session.set("nothing", ())?;
        session.set("cart", [("tea", 2)])
    })
    .await;
    let view = SessionView::new(&session);
    assert_eq!(view.keys(), ["cart", "nothing"]);
    assert_eq!(view.user().unwrap().as_str(), "ada");
    assert_eq!(view.get::<u8>("cart.0.1").unwrap(), Some(2));
    assert_eq!(view.get::<u8>("nothing").unwrap(), None, "a null is no value");
    assert!(view.contains("nothing").unwrap() && !view.contains("cart.1").unwrap());
    assert_eq!(view.get::<u8>("cart").unwrap_err().kind(), ErrorKind::Type);
    assert!(!session.is_modified());
}

#[tokio::test]
async fn a17_a_view_of_a_handle_for_reading_only_leaves_messages() {
    let sessions = sessions();
    let session = after(&sessions, |session| session.flash(Level::Info, "hello")).await;
    let view = SessionView::new(&session.read_only());
    assert!(view.flash_messages().unwrap().contains("info"));
    assert!(!view.contains("\0flash").unwrap(), "where they lie is the library's own affair");
    assert!(!session.is_modified());
    let next = following(&sessions, &session).await.unwrap();
    assert!(SessionView::new(&next).flash_messages().unwrap().contains("info"));
    let last = following(&sessions, &next).await.unwrap();
    assert!(SessionView::new(&last).flash_messages().unwrap().is_empty());
}

#[tokio::test]
async fn a20_fields_have_old_values_and_errors() {
    let sessions = sessions();
    let session = after(&sessions, |session| {
        session.flash_errors([("name", "is missing"), ("name", "is short"), ("age", "is low")])?;
        session.flash_only(&BTreeMap::from([("name", ""), ("age", "7")]), &["age"])
    })
    .await;
    let view = SessionView::new(&session);
    assert_eq!(view.old("age", "18").unwrap(), "7");
    assert_eq!(view.old("name", "?").unwrap(), "?", "it was left out");
    assert_eq!(view.errors("name").unwrap(), ["is missing", "is short"]);
    assert_eq!(view.error("age").unwrap().as_deref(), Some("is low"));
    assert_eq!(view.error("email").unwrap(), None);
}

#[tokio::test]
async fn a17_fields_against_forged_requests_are_html() {
    let builder = Sessions::builder().store(MemoryStore::new()).csrf_field(r#"a"><b c='&"#);
    let session = builder.build().unwrap().start().await.unwrap();
    let view = SessionView::new(&session);
    let field = view.csrf_field().unwrap();
    let (name, rest) = field
        .strip_prefix(r#"<input type="hidden" name=""#)
        .and_then(|field| field.split_once(r#"" value=""#))
        .unwrap();
    assert_eq!(name, "a&quot;&gt;&lt;b c=&#x27;&amp;");
    assert!(session.verify_csrf(rest.strip_suffix(r#"">"#).unwrap()).unwrap());
}
