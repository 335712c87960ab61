//! The accept loop: a cap on connections, a deadline for the head of a request and one for a peer that does not read
//! its answer, and an end that waits for what was accepted. (`axum::serve` installs no timer, so hyper's deadline would never strike.)
use std::{
    convert::Infallible,
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::Router;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::Sleep,
};

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
const BUFFER: usize = 16 << 10;

/// Serves connections until the app is stopping, then lets those under way end.
pub async fn run(door: Door, app: App) {
    let Door { listener, router, places, counted } = door;
    let none = Metrics::off();
    let metrics = if counted { &app.metrics } else { &none };
    let connections = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(app.settings.header_timeout).max_buf_size(BUFFER);
    // whoever has sent all and closes that side is not gone, but waits for the answer (RFC 9112, section 6.3); and to
    // watch for an end while an answer is made would take a buffer more for each connection. Whoever is gone after all is
    // found out when something is written to them
    http.half_close(true);
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
        let stream = Impatient { stream, patience: app.settings.write_timeout, waits: None };
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

/// A connection that fails when its peer takes nothing of what is written for too long: it would keep its place for
/// ever.
struct Impatient {
    stream: TcpStream,
    patience: Duration,
    /// Set while nothing can be written.
    waits: Option<Pin<Box<Sleep>>>,
}

impl Impatient {
    /// What became of an attempt to write; an error when there was none that succeeded for too long.
    fn watched<T>(&mut self, context: &mut Context<'_>, done: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if done.is_ready() {
            self.waits = None;
            return done;
        }
        let patience = self.patience;
        ready!(self.waits.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience))).as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the peer does not read")))
    }
}

impl AsyncRead for Impatient {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, to)
    }
}

impl AsyncWrite for Impatient {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watched(context, done)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.watched(context, done)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
