//! Law 3, as whole sessions use it: of those who consume one secret, exactly one wins.

use std::sync::Arc;
use std::time::Duration;

use tenure_core::store::Store;
use tenure_core::transform::Keyring;
use tenure_core::value::Number;
use tenure_core::{Namespace, Sessions};
use tokio::task::JoinSet;

use crate::store::scene::{json, patch};
use crate::store::{Finding, Outcome, StoreHarness, Trial, Violation, check};

/// Requests that present the same secret at the same time.
const RIVALS: usize = 100;
/// Secrets, one after the other.
const SECRETS: u32 = 10;
const PROCESSES: usize = 2;
const LIFETIME: Duration = Duration::from_secs(60 * 60);

/// 100 requests at once consume the same secret: X7, R26.
pub async fn law_03_of_parallel_consumptions_one_wins<H: StoreHarness>(
    trial: &Trial<H>,
) -> Outcome {
    let scene = trial.scene().await;
    let sessions = manager(trial.harness.open().await, &scene.namespace)?;
    for _ in 0..trial.rounds(SECRETS) {
        let session = sessions.start().await?;
        let secret = session.issue_secret("state", LIFETIME)?;
        session.commit().await?;
        let token = session.danger_expose_token().expect("it exists");
        let won = consume(&sessions, &token, &secret, RIVALS).await?;
        check!(won == 1, "{won} of {RIVALS} won");
        check!(!session.consume("state", &secret).await?, "it is good again");
    }
    Ok(Finding::Kept)
}

/// Half of them in each of two processes: X7.
pub async fn law_03_of_processes_one_consumes<H: StoreHarness>(trial: &Trial<H>) -> Outcome {
    let Some(crew) = trial.crew(PROCESSES).await? else {
        return Ok(Finding::NotOffered("data that other processes see"));
    };
    let (scene, told, tally) = (&crew.scene, crew.key(0), crew.key(1));
    let sessions = manager(trial.harness.open_at(&crew.address).await, &scene.namespace)?;
    let secrets = 0..trial.rounds(SECRETS);
    if crew.part.is_some() {
        let told = scene.load(&told, scene.start).await?;
        let told = |name: String| -> Outcome<String> {
            let text = told.data.get(&name).ok_or_else(|| Violation::new("it is not told"))?;
            Ok(json(text).decode()?)
        };
        crew.meet().await?;
        for number in secrets {
            let (token, secret) =
                (told(format!("token {number}"))?, told(format!("secret {number}"))?);
            let won = consume(&sessions, &token, &secret, RIVALS / PROCESSES).await?;
            let won = patch().add(number.to_string(), Number::Int(won));
            scene.apply(&tally, &won, scene.start).await?;
        }
        return Ok(Finding::Kept);
    }
    let mut texts = Vec::new();
    for number in secrets.clone() {
        let session = sessions.start().await?;
        let secret = session.issue_secret("state", LIFETIME)?;
        session.commit().await?;
        let token = session.danger_expose_token().expect("it exists");
        texts.push((format!("token {number}"), format!("{token:?}")));
        texts.push((format!("secret {number}"), format!("{secret:?}")));
    }
    let data: Vec<_> = texts.iter().map(|(name, text)| (&**name, &**text)).collect();
    scene.file(&told, &scene.record(&told, &data)).await?;
    scene.file(&tally, &scene.record(&tally, &[])).await?;
    crew.work().await?;
    let record = scene.load(&tally, scene.start).await?;
    for number in secrets {
        let won = record.data.get(&number.to_string());
        check!(won == Some("1"), "of those with secret {number} won {won:?}");
    }
    Ok(Finding::Kept)
}

/// Sessions in the namespace of the test, with the same keys in every process.
fn manager(store: impl Store, namespace: &Namespace) -> Outcome<Sessions> {
    let keys = Keyring::from_secrets(["of the suite, the same everywhere, and no secret at all"])?;
    Ok(Sessions::builder()
        .store(store)
        .namespace(namespace.as_str())
        .signing_keys(keys)
        .store_timeout(Duration::from_secs(60))
        .build()?)
}

/// So many requests at once; how many have won.
async fn consume(sessions: &Sessions, token: &str, secret: &str, rivals: usize) -> Outcome<i64> {
    let mut requests = JoinSet::new();
    let (token, secret) = (Arc::<str>::from(token), Arc::<str>::from(secret));
    for _ in 0..rivals {
        let (sessions, token, secret) = (sessions.clone(), Arc::clone(&token), Arc::clone(&secret));
        requests.spawn(async move {
            let session = sessions.open_token(&token).await?;
            let session = session.ok_or_else(|| Violation::new("the session is not found"))?;
            Ok::<_, Violation>(i64::from(session.consume("state", &secret).await?))
        });
    }
    requests.join_all().await.into_iter().sum()
}
