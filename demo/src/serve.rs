//! The server and what runs beside it, until it is told to stop.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tenure::Sessions;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::watch::Watch;
use crate::{Result, routes};

/// How long requests may take that are under way when the server is told to stop. Browsers also
/// hold connections on which they never ask for anything.
const PATIENCE: Duration = Duration::from_secs(3);

pub(crate) async fn run(listener: TcpListener, sessions: Sessions, watch: Watch) -> Result {
    // Before the address is told, so that who has read it can ask for the end.
    let asked = asked_to_stop().map_err(|error| format!("cannot wait for signals: {error}"))?;
    let (stop, stopped) = watch::channel(());
    let sweeper = tokio::spawn(sessions.sweeper().run_until(ended(stopped.clone())));
    let watching = tokio::spawn(watch.clone().run());
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    announce(&format!("The shop is open: http://{address} (Ctrl-C closes it)"));

    let routes =
        routes::all(sessions.clone(), watch).into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, routes).with_graceful_shutdown(async move {
        asked.await;
        drop(stop);
    });
    let served = tokio::select! {
        served = server.into_future() => served,
        () = async { ended(stopped).await; tokio::time::sleep(PATIENCE).await } => Ok(()),
    };
    watching.abort();
    // It finishes the batch that it is at, and reports its errors itself.
    let _ = sweeper.await;
    sessions.close().await;
    served.map_err(|error| format!("the server stopped: {error}"))
}

/// Waits until the sender is gone.
async fn ended(mut stopped: watch::Receiver<()>) {
    while stopped.changed().await.is_ok() {}
}

/// Ends with Ctrl-C, or with what service managers send; both are heard from this call on.
#[cfg(unix)]
fn asked_to_stop() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Ends with Ctrl-C.
#[cfg(not(unix))]
fn asked_to_stop() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    })
}

#[allow(clippy::print_stdout, reason = "a terminal is its only reader")]
fn announce(line: &str) {
    println!("{line}");
}
