//! The accept loop: a cap on connections, a deadline for the head of a request, and an end that waits for what was
//! accepted. (`axum::serve` installs no timer, so hyper's deadline would never strike.)
use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::Router;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{net::TcpListener, sync::Semaphore};

use super::{DRAIN, front};
use crate::{app::App, metrics::Metrics};

/// A listener, what it serves, and how many connections it may have.
pub struct Door {
    /// Where it listens.
    pub listener: TcpListener,
    /// What it serves.
    pub router: Router,
    /// One for each connection there may be.
    pub places: Arc<Semaphore>,
    /// Whether its connections are counted.
    pub counted: bool,
}

/// What one connection may hold unread: it bounds the head of a request, and the memory of many connections.
const BUFFER: usize = 64 << 10;

/// Serves connections until the app is stopping, then lets those under way end.
pub async fn run(door: Door, app: App) {
    let Door { listener, router, places, counted } = door;
    let none = Metrics::off();
    let metrics = if counted { &app.metrics } else { &none };
    let connections = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(app.settings.header_timeout).max_buf_size(BUFFER);
    let shared = Arc::new((router, app.clone()));
    loop {
        // over the cap, connections wait in the queue of the operating system
        let next = async {
            let place = places.clone().acquire_owned().await.ok()?;
            match listener.accept().await {
                Ok((stream, peer)) => Some((stream, peer, place)),
                Err(error) => {
                    // out of file handles, most likely; they come back
                    metrics.connections_failed.increment(1);
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    None
                }
            }
        };
        let Some(accepted) = app.stopping.run_until_cancelled(next).await else { break };
        let Some((stream, peer, place)) = accepted else { continue };
        metrics.connections.increment(1);
        // answers are small and written at once
        let _ = stream.set_nodelay(true);
        let shared = shared.clone();
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let shared = shared.clone();
            async move { Ok::<_, Infallible>(front::respond(shared.0.clone(), &shared.1, request, peer).await) }
        });
        let connection = connections.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, connections.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end in time and were cut off");
    }
}
