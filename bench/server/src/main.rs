//! The server that comparisons with other session libraries drive: `PORT`, and `STORE` as `none`,
//! `cookie` (kept by the client, sealed by AES-256-GCM-SIV; with `cookie-xchacha` by the default,
//! XChaCha20-Poly1305), `memory`, `sqlite` (in the file `SQLITE_PATH`), `file` (in the folder `FILE_PATH`), `postgres`
//! or `mysql` (at `DATABASE_URL`), `redis`, `redis-cluster` or, with a near cache before any of
//! both, `redis-cached` (at `REDIS_URL`), `mongodb` (at `MONGODB_URL`) or `couchdb` (at
//! `COUCHDB_URL`). Tokens are signed with a fixed key, so that two processes accept each other's;
//! the cookie goes without `Secure`.

use std::env;
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use tenure::axum::{Error, Session};
use tenure::store::{AnyStore, ClientStore, NearCache};
use tenure::tower::SessionLayer;
use tenure::transform::{Keyring, Seal, SealAlgorithm};
use tenure::transport::{Cookie, Secure};
use tenure::{Key, Sessions};

/// What the slow routes wait between reading and writing.
const WORK: Duration = Duration::from_millis(20);
const KEY: &str = "comparison server, a key that everybody may know";
const N: Key<i64> = Key::new("n");

type Answer = Result<String, Error>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = env::var("PORT")?.parse()?;
    let routes = routes();
    let keys = Keyring::from_secrets([KEY])?;
    let sessions = Sessions::builder().cookie(Cookie::named("id").secure(Secure::InsecureNever));
    let sessions = match env::var("STORE")?.as_str() {
        "none" => None,
        "cookie" => {
            let seal = Seal::new(keys).algorithm(SealAlgorithm::Aes256GcmSiv);
            Some(sessions.client_store(ClientStore::sealed(seal)))
        }
        "cookie-xchacha" => Some(sessions.client_store(ClientStore::sealed(keys))),
        name => Some(sessions.store(store(name).await?).signing_keys(keys)),
    };
    let app = match sessions {
        None => routes,
        Some(sessions) => routes.layer(SessionLayer::new(sessions.build()?)),
    };
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    axum::serve(listener, app).await?;
    Ok(())
}

/// The store by its name; where it is, another variable says.
async fn store(name: &str) -> Result<AnyStore, Box<dyn std::error::Error>> {
    let place = |variable: &str| {
        env::var(variable).map_err(|_| format!("{variable}: STORE={name} needs to know where"))
    };
    let url = match name {
        "memory" => "memory:".to_owned(),
        "sqlite" => format!("sqlite:{}", place("SQLITE_PATH")?),
        "file" => format!("file:{}", place("FILE_PATH")?),
        "postgres" | "mysql" => place("DATABASE_URL")?,
        "redis" | "redis-cached" | "redis-cluster" => place("REDIS_URL")?,
        "mongodb" => place("MONGODB_URL")?,
        "couchdb" => place("COUCHDB_URL")?,
        other => {
            return Err(format!(
                "STORE: {other:?} is none of none, cookie, memory, file, sqlite, postgres, mysql, redis, \
                 redis-cached, redis-cluster, mongodb, couchdb"
            )
            .into());
        }
    };
    let store = tenure::store::connect(&url).await?;
    if name != "redis-cached" {
        return Ok(store);
    }
    let cache = NearCache::new(store);
    tokio::spawn(cache.watcher().run());
    Ok(AnyStore::new(cache))
}

fn routes() -> Router {
    Router::new()
        .route("/plain", get(async || "ok"))
        .route("/read", get(read))
        .route("/incr", get(incr))
        .route("/slowincr", get(slow_incr))
        .route("/set/{k}/{v}", get(set))
        .route("/slowset/{k}/{v}", get(slow_set))
        .route("/keys", get(async |session: Session| session.len().to_string()))
        .route("/fill", get(fill))
        .route("/big", get(big))
        .route("/login/{user}", get(login))
        .route("/whoami", get(whoami))
        .route("/regenerate", get(regenerate))
        .route("/destroy", get(destroy))
}

async fn read(session: Session) -> Answer {
    Ok(session.get(N)?.unwrap_or(0).to_string())
}

async fn incr(session: Session) -> Answer {
    session.increment(N, 1)?;
    Ok(session.get(N)?.unwrap_or(0).to_string())
}

async fn slow_incr(session: Session) -> Answer {
    session.get(N)?;
    tokio::time::sleep(WORK).await;
    session.update(N, |n| *n += 1)?;
    Ok(session.get(N)?.unwrap_or(0).to_string())
}

async fn set(session: Session, Path((key, value)): Path<(String, String)>) -> Answer {
    session.set(key, value)?;
    Ok("ok".to_owned())
}

async fn slow_set(session: Session, Path((key, value)): Path<(String, String)>) -> Answer {
    session.set(key, value)?;
    tokio::time::sleep(WORK).await;
    Ok("ok".to_owned())
}

async fn fill(session: Session) -> Answer {
    session.set("blob", "x".repeat(4096))?;
    Ok("ok".to_owned())
}

async fn big(session: Session) -> Answer {
    Ok(session.get::<String>("blob")?.unwrap_or_default().len().to_string())
}

async fn login(session: Session, Path(user): Path<String>) -> Answer {
    session.login(user)?;
    Ok("ok".to_owned())
}

async fn whoami(session: Session) -> Answer {
    Ok(session.user().map_or_else(|| "-".to_owned(), |user| user.to_string()))
}

async fn regenerate(session: Session) -> Answer {
    session.regenerate()?;
    Ok("ok".to_owned())
}

async fn destroy(session: Session) -> Answer {
    session.destroy()?;
    Ok("ok".to_owned())
}
