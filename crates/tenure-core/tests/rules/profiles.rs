//! Presets of NIST SP 800-63B-4, what is told of a configuration, and sessions that are off.

use std::time::Duration;

use tenure_core::engine::Profile;
use tenure_core::store::MemoryStore;
use tenure_core::transform::{Keyring, SecretKey};
use tenure_core::transport::Cookie;
use tenure_core::{ErrorKind, Sessions, SessionsBuilder};
use tenure_testkit::{ManualClock, Recorder};

use crate::visitor::{MILLI, Visitor, configured, minutes};

const DAY: Duration = minutes(24 * 60);

fn preset(profile: Profile) -> SessionsBuilder {
    Sessions::builder().store(MemoryStore::new()).profile(profile)
}

/// T-NIST-1: sessions end where the level says, however much they are used.
#[tokio::test]
async fn t_nist_1_sessions_of_a_profile_end_at_its_limits() {
    for (profile, idle, overall) in [
        (Profile::Aal1, minutes(30), 30 * DAY),
        (Profile::Aal2, minutes(60), DAY),
        (Profile::Aal3, minutes(15), DAY / 2),
    ] {
        let clock = ManualClock::new();
        let sessions = preset(profile).clock(clock.clone()).build().unwrap();
        let mut ada = Visitor::new(&sessions);
        let logs_in = |session: &tenure_core::Session| session.login("ada");
        ada.get(logs_in).await;
        clock.advance(idle - MILLI);
        assert!(ada.user().await.is_some(), "{profile}");
        clock.advance(idle);
        assert!(ada.user().await.is_none(), "{profile}");

        ada.get(logs_in).await;
        let mut left = overall;
        while let Some(rest) = left.checked_sub(idle - MILLI) {
            clock.advance(idle - MILLI);
            ada.get(|session| session.touch()).await;
            assert!(ada.user().await.is_some(), "{profile}");
            left = rest;
        }
        clock.advance(left - MILLI);
        assert!(ada.user().await.is_some(), "{profile}");
        clock.advance(MILLI);
        assert!(ada.user().await.is_none(), "{profile}");
    }
}

/// T-NIST-1: shorter is allowed, in whatever order it is set; longer is refused with the remedy.
#[tokio::test]
async fn t_nist_1_longer_timeouts_than_the_profile_are_refused() {
    for (profile, idle, overall) in [
        (Profile::Aal1, None, 30 * DAY),
        (Profile::Aal2, Some(minutes(60)), DAY),
        (Profile::Aal3, Some(minutes(15)), DAY / 2),
    ] {
        let refused = |builder: SessionsBuilder, setting: &str| {
            let error = builder.build().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            for word in [setting, "is more than", "shorten it", &profile.to_string()[..4]] {
                assert!(error.to_string().contains(word), "{word:?} in {error}");
            }
        };
        let builder = || Sessions::builder().store(MemoryStore::new());
        refused(preset(profile).absolute_timeout(overall + MILLI), "absolute_timeout");
        refused(builder().absolute_timeout(overall + MILLI).profile(profile), "absolute_timeout");
        assert!(preset(profile).absolute_timeout(overall).build().is_ok());
        let brief = preset(profile).absolute_timeout(minutes(5)).idle_timeout(minutes(5));
        assert!(brief.build().is_ok());

        let Some(idle) = idle else { continue };
        refused(preset(profile).idle_timeout(idle + MILLI), "idle_timeout");
        refused(builder().idle_timeout(idle + MILLI).profile(profile), "idle_timeout");
        let sessions = preset(profile).build().unwrap();
        let session = sessions.start().await.unwrap();
        let error = session.set_idle_timeout(idle + MILLI).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "nor may one session be longer");
        session.set_idle_timeout(idle).unwrap();
        // The preset does not contradict an absolute timeout below its idle one.
        let sessions = preset(profile).absolute_timeout(minutes(5)).build().unwrap();
        assert_eq!(sessions.start().await.unwrap().idle_timeout(), minutes(5));
    }
}

/// T-DOC-1: a profile and a whole configuration say what they limit.
#[test]
fn t_doc_1_limits_are_printed() {
    for (profile, limits) in [
        (Profile::Aal1, "AAL1 of NIST SP 800-63B-4: at most 30 days in all"),
        (Profile::Aal2, "AAL2 of NIST SP 800-63B-4: at most 24 hours in all, 1 hour idle"),
        (Profile::Aal3, "AAL3 of NIST SP 800-63B-4: at most 12 hours in all, 15 minutes idle"),
    ] {
        assert_eq!(profile.to_string(), limits);
        let text = preset(profile).build().unwrap().describe().to_string();
        assert!(text.contains(&format!("profile: {limits}\n")), "{text}");
    }
    let secret = "k7Q2mXv9LrT4wB8nZ1cJ6hY3pD5sF0gA";
    let text = Sessions::builder()
        .store(MemoryStore::new())
        .signing_keys(Keyring::from_secrets([secret]).unwrap())
        .cookie(Cookie::named("__Host-shop").lifetime(14 * DAY))
        .rolling()
        .idle_timeout(minutes(90))
        .insecure_never_renew()
        .build()
        .unwrap()
        .describe()
        .to_string();
    assert_eq!(
        text,
        "namespace: __Host-shop\n\
         cookie: __Host-shop=…; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=1209600\n\
         idle_timeout: 90 minutes\n\
         absolute_timeout: 12 hours\n\
         renewal_interval: never\n\
         touch_interval: 1 minute\n\
         rolling: yes\n\
         store_timeout: 2 seconds\n\
         max_session_bytes: 65536\n\
         max_session_keys: 128\n\
         max_operations: 256\n\
         max_flash_bytes: 16384\n"
    );
}

/// A1: switched off, sessions are empty and cannot be written, and no trace of them is seen.
#[tokio::test]
async fn a1_switched_off_sessions_ask_nothing_and_send_nothing() {
    let (clock, store) = (ManualClock::new(), Recorder::new(MemoryStore::new()));
    let keys = Keyring::new([SecretKey::generate().unwrap()]);
    let on = configured(store.clone(), &clock).signing_keys(keys.clone()).build().unwrap();
    let mut ada = Visitor::new(&on);
    ada.get(|session| {
        session.login("ada")?;
        session.set("theme", "dark")
    })
    .await;
    let token = ada.token.clone().unwrap();
    let calls = store.calls().len();

    let off = configured(store.clone(), &clock).signing_keys(keys).disabled();
    let off = off.save_uninitialized().rolling().touch_every_request().clear_unknown();
    ada.sessions = off.build().unwrap();
    let ((), answer) = ada
        .visit(|session| {
            assert!(session.is_empty() && session.user().is_none() && !session.exists());
            assert_eq!(session.get::<String>("theme").unwrap(), None);
            for refused in [
                session.set("theme", "light"),
                session.login("eve"),
                session.logout(),
                session.flash("status", "saved"),
                session.regenerate(),
            ] {
                let error = refused.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::ReadOnly);
                assert!(error.to_string().contains("switched off"), "{error}");
            }
        })
        .await;
    answer.closed.unwrap();
    assert!(answer.headers.is_empty(), "{:?}", answer.headers);
    assert!(ada.sessions.open_token(&token).await.unwrap().is_none());
    assert_eq!(store.calls().len(), calls);
    assert_eq!(ada.sessions.describe().to_string(), "enabled: no\n");

    ada.sessions = on;
    assert_eq!(ada.user().await.as_deref(), Some("ada"), "nothing was lost");
}
