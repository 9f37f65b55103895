//! Which fields a class has, and what has none.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tenure_core::ErrorKind;
use tenure_core::session::SessionData;

use crate::visitor::{Visitor, shop};

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(tag = "kind")]
enum Step {
    Address { city: String },
    Payment { card: String, paid: bool },
}

impl SessionData for Step {
    const PREFIX: &'static str = "step";
}

/// Flattened fields and enums with a tag have the keys that their values tell, behind a prefix.
#[tokio::test]
async fn k1_fields_that_only_values_tell_need_a_prefix() {
    #[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
    struct Profile {
        name: String,
        #[serde(flatten)]
        place: Place,
        #[serde(flatten)]
        more: BTreeMap<String, bool>,
    }
    #[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
    struct Place {
        city: String,
    }
    impl SessionData for Profile {
        const PREFIX: &'static str = "profile";
    }
    #[derive(Serialize, Deserialize)]
    struct Bare {
        #[serde(flatten)]
        more: BTreeMap<String, bool>,
    }
    impl SessionData for Bare {}

    let (sessions, _clock) = shop();
    let session = sessions.start().await.unwrap();
    let place = Place { city: "Oslo".into() };
    let more = BTreeMap::from([("news".to_owned(), true)]);
    let profile = Profile { name: "Ada".into(), place, more };
    session.set("profiles", 1).unwrap();
    session.typed().set(&profile).unwrap();
    session.typed().set(&Step::Payment { card: "4000".into(), paid: false }).unwrap();
    assert_eq!(session.typed().get().unwrap(), Some(profile));
    session.typed().set(&Step::Address { city: "Rome".into() }).unwrap();
    assert_eq!(session.typed().get().unwrap(), Some(Step::Address { city: "Rome".into() }));
    let keys =
        ["profile.city", "profile.name", "profile.news", "profiles", "step.city", "step.kind"];
    assert_eq!(session.keys(), keys);
    session.typed::<Profile>().clear().unwrap();
    assert_eq!(session.keys(), ["profiles", "step.city", "step.kind"]);
    let error = session.typed::<Bare>().get().err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Misuse);
    assert!(error.to_string().contains("PREFIX"), "{error}");
}

#[tokio::test]
async fn k1_what_has_no_named_fields_is_a_clear_error() {
    macro_rules! refused {
        ($($name:ident = $value:expr;)*) => {$({
            impl SessionData for $name {}
            let (sessions, _clock) = shop();
            let session = sessions.start().await.unwrap();
            for error in [
                session.typed::<$name>().get().err().unwrap(),
                session.typed::<$name>().set(&$value).unwrap_err(),
                session.typed::<$name>().clear().unwrap_err(),
            ] {
                assert_eq!(error.kind(), ErrorKind::Type);
                assert!(error.to_string().contains(stringify!($name)), "{error}");
            }
            assert!(!session.is_modified());
        })*};
    }
    #[derive(Serialize, Deserialize)]
    struct Pair(u8, u8);
    #[derive(Serialize, Deserialize)]
    struct Unit;
    #[derive(Serialize, Deserialize)]
    struct Number(u8);
    #[derive(Serialize, Deserialize)]
    enum Either {
        Left { x: u8 },
    }
    refused! {
        Pair = Pair(1, 2);
        Unit = Unit;
        Number = Number(1);
        Either = Either::Left { x: 1 };
    }
}

#[tokio::test]
async fn k1_a_wrapped_struct_has_the_fields_of_the_inner_one() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Inner {
        theme: String,
        pages: u32,
    }
    impl SessionData for Inner {}
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Wrapper(Inner);
    impl SessionData for Wrapper {
        const PREFIX: &'static str = "w";
    }
    let value = || Wrapper(Inner { theme: "dark".into(), pages: 1 });
    let (sessions, _clock) = shop();
    let session = sessions.start().await.unwrap();
    session.typed().set(&value()).unwrap();
    assert_eq!(session.keys(), ["w.pages", "w.theme"]);
    assert_eq!(session.typed().get().unwrap(), Some(value()));
    assert_eq!(session.typed::<Inner>().get().unwrap(), None, "the two do not collide");
}

/// A field that is read under a former name moves to the present one as soon as it is changed.
#[tokio::test]
async fn k1_former_names_are_read_and_left() {
    #[derive(Serialize, Deserialize, Default, Debug, PartialEq)]
    struct Look {
        #[serde(alias = "colour")]
        color: String,
        columns: u8,
    }
    impl SessionData for Look {}
    let (sessions, _clock) = shop();
    let session = sessions.start().await.unwrap();
    session.set("colour", "red").unwrap();
    session.set("columns", 2).unwrap();
    session.typed::<Look>().update(|look| look.columns += 1).unwrap();
    session.typed::<Look>().update(|look| look.color.push('!')).unwrap();
    assert_eq!(session.keys(), ["color", "columns"]);
    let look = session.typed::<Look>().get().unwrap();
    assert_eq!(look, Some(Look { color: "red!".into(), columns: 3 }));

    let mut ada = Visitor::new(&sessions);
    ada.get(|session| session.merge([("colour", "red")])).await;
    ada.get(|session| session.set("columns", 2)).await;
    let open = [ada.open(), ada.open(), ada.open()];
    for exchange in &open {
        let look = exchange.session().load().await.unwrap().typed::<Look>();
        look.update(|look| look.color.push('!')).unwrap();
    }
    for exchange in open {
        ada.close(exchange).await.closed.unwrap();
    }
    let look = ada.get(|session| session.typed::<Look>().get()).await;
    assert_eq!(look, Some(Look { color: "red!!!".into(), columns: 2 }), "all moved it at once");
}

#[tokio::test]
async fn k1_a_field_that_is_written_and_not_read_is_refused() {
    #[derive(Serialize, Deserialize)]
    struct Odd {
        #[serde(rename(serialize = "a"))]
        b: u8,
    }
    impl SessionData for Odd {}
    #[derive(Serialize, Deserialize)]
    struct Forged {
        #[serde(rename = "\0csrf")]
        csrf: String,
    }
    impl SessionData for Forged {}
    let (sessions, _clock) = shop();
    let session = sessions.start().await.unwrap();
    assert_eq!(session.typed().set(&Odd { b: 1 }).unwrap_err().kind(), ErrorKind::Type);
    let forged = Forged { csrf: "x".into() };
    assert_eq!(session.typed().set(&forged).unwrap_err().kind(), ErrorKind::Misuse);
    assert_eq!(session.typed::<Forged>().get().err().unwrap().kind(), ErrorKind::Misuse);
    assert!(!session.is_modified());
}
