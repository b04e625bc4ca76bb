//! Takes connections and serves HTTP/1.1 on them, within bounds: a request's head must arrive in time, a kept connection may be idle for
//! so long, and there are only so many connections. When there is no room left, the connection that has kept the gateway waiting longest
//! is closed for the new one, so that whoever opens many and says nothing shuts nobody else out.

mod connection;
mod stream;

use self::connection::{Connection, Verdict};
use self::stream::{WatchedBody, WatchedStream};
use crate::telemetry::{Metrics, Tally};
use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use perkgate_domain::limits::DoorLimits;
use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Instant;

/// Bytes of a request's head, and of what is read of a body at once.
const BUFFER: usize = 32 * 1024;
/// How long to leave the listener alone after it failed: mostly because the process has no descriptors left.
const PAUSE: Duration = Duration::from_millis(100);
/// How long to wait for room before another connection is asked to go.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// Descriptors for everything but the door's connections: the database, what goes out, files, the operator's pages.
const RESERVE: u64 = 192;

/// What a listener bears.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Connections at once.
    pub connections: usize,
    /// For a request's head, from its first byte on, or from the connection's beginning.
    pub head: Duration,
    /// Between two requests of one connection.
    pub idle: Duration,
    /// For whoever takes nothing of its answer.
    pub stall: Duration,
}

impl Bounds {
    /// As the door's limits say, as far as this process has descriptors for it.
    #[must_use]
    pub fn of(limits: &DoorLimits) -> Self {
        Self {
            connections: affordable(limits.connections),
            head: Duration::from_millis(limits.head_ms),
            idle: Duration::from_millis(limits.idle_ms),
            stall: Duration::from_millis(limits.stall_ms),
        }
    }
}

/// The connections that this process has descriptors for, at most `wanted`.
fn affordable(wanted: usize) -> usize {
    rlimit::getrlimit(rlimit::Resource::NOFILE).map_or(wanted, |(soft, _)| fitting(wanted, soft))
}

fn fitting(wanted: usize, descriptors: u64) -> usize {
    let left = descriptors.saturating_sub(RESERVE).max(descriptors / 2).max(1);
    wanted.min(usize::try_from(left).unwrap_or(usize::MAX))
}

/// Serves until `stop` completes, then finishes the requests that are open.
pub async fn serve(
    listener: TcpListener,
    routes: Router,
    bounds: Bounds,
    metrics: Metrics,
    tally: Tally,
    stop: impl Future<Output = ()> + Send,
) {
    let (stop_connections, stopped) = watch::channel(false);
    let open = Open {
        room: Arc::new(Semaphore::new(bounds.connections)),
        all: Arc::default(),
        bounds,
        metrics,
        tally,
        stopped,
    };
    let service = TowerToHyperService::new(routes);
    let taking = async {
        let mut number = 0_u64;
        loop {
            let Some(stream) = open.accept(&listener).await else { continue };
            let permit = open.make_room().await;
            number += 1;
            tokio::spawn(open.clone().keep(number, stream, service.clone(), permit));
        }
    };
    tokio::select! {
        () = taking => {}
        () = stop => {}
    }
    drop(listener);
    stop_connections.send_replace(true);
    // Each connection has a permit, so all of them are free when all connections have ended.
    let _ = open.room.acquire_many(u32::try_from(bounds.connections).unwrap_or(u32::MAX)).await;
}

/// The connections of one listener.
#[derive(Clone)]
struct Open {
    room: Arc<Semaphore>,
    all: Arc<Mutex<HashMap<u64, Arc<Connection>>>>,
    bounds: Bounds,
    metrics: Metrics,
    tally: Tally,
    stopped: watch::Receiver<bool>,
}

impl Open {
    fn all(&self) -> MutexGuard<'_, HashMap<u64, Arc<Connection>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn accept(&self, listener: &TcpListener) -> Option<TcpStream> {
        match listener.accept().await {
            Ok((stream, _)) => Some(stream),
            Err(error) if is_about_one_connection(&error) => None,
            Err(error) => {
                self.tally.trouble("accept", || format!("no connection can be taken: {error}"));
                tokio::time::sleep(PAUSE).await;
                None
            }
        }
    }

    /// Waits until there is room for one more connection, and asks others to go if there is none.
    async fn make_room(&self) -> OwnedSemaphorePermit {
        loop {
            if let Ok(permit) = Arc::clone(&self.room).try_acquire_owned() {
                return permit;
            }
            if self.close_oldest() {
                self.closed("crowded");
                self.tally.note("crowded", || {
                    format!("all {} connections are taken; the longest silent one was closed", self.bounds.connections)
                });
            }
            let waiting = tokio::time::timeout(LOOK_AGAIN, Arc::clone(&self.room).acquire_owned());
            if let Ok(Ok(permit)) = waiting.await {
                return permit;
            }
        }
    }

    /// Closes the connection whose sender has kept us waiting longest. False if every one of them waits for us.
    fn close_oldest(&self) -> bool {
        let mut all = self.all();
        let oldest = all
            .iter()
            .filter_map(|(number, connection)| Some((connection.silent_since()?, *number)))
            .min()
            .and_then(|(_, number)| all.remove(&number));
        oldest.is_some_and(|connection| {
            connection.close();
            true
        })
    }

    /// Counts an answer. What the door turns away it tells itself, with the cause.
    fn answered(&self, status: StatusCode, at_the_door: bool) {
        self.metrics.response(status.as_u16());
        let cause = match status.as_u16() {
            401 | 403 => "not_allowed",
            404 | 405 => "not_found",
            _ => return,
        };
        if !at_the_door {
            // Without the path: it may hold an address.
            self.tally.note(cause, || format!("a request elsewhere than below /in/ was answered {status}"));
        }
    }

    fn closed(&self, why: &'static str) {
        self.metrics.connection_closed(why);
    }

    /// Serves one connection to its end.
    async fn keep(
        self,
        number: u64,
        stream: TcpStream,
        routes: TowerToHyperService<Router>,
        permit: OwnedSemaphorePermit,
    ) {
        let connection = Arc::new(Connection::new());
        self.all().insert(number, Arc::clone(&connection));
        self.metrics.connections(1);
        self.follow(&connection, stream, routes).await;
        self.metrics.connections(-1);
        self.all().remove(&number);
        drop(permit);
    }

    async fn follow(&self, connection: &Arc<Connection>, stream: TcpStream, routes: TowerToHyperService<Router>) {
        let service = service_fn(|request: hyper::Request<Incoming>| {
            connection.begins();
            let at_the_door = request.uri().path().starts_with("/in/");
            let body = |body| Body::new(WatchedBody::new(body, Arc::clone(connection)));
            let answering = routes.call(request.map(body));
            async move {
                let response = answering.await;
                connection.answered();
                if let Ok(response) = &response {
                    self.answered(response.status(), at_the_door);
                }
                response
            }
        });
        let _ = stream.set_nodelay(true);
        let io = TokioIo::new(WatchedStream::new(stream, Arc::clone(connection)));
        let serving = http1::Builder::new()
            .timer(TokioTimer::new())
            // Runs between requests too, so it is the idle time. The head's own, shorter time is seen to below.
            .header_read_timeout(self.bounds.idle)
            .max_buf_size(BUFFER)
            .serve_connection(io, service);
        let mut serving = pin!(serving);
        let mut watching = pin!(tokio::time::sleep(self.bounds.head));
        let mut stopped = self.stopped.clone();
        let mut stopping = false;
        loop {
            tokio::select! {
                // How it ended is the sender's affair: mostly they hung up.
                _ = serving.as_mut() => return,
                () = connection.asked_to_close() => return,
                () = watching.as_mut() => match connection.look(Instant::now(), &self.bounds) {
                    Verdict::Overdue(why) => return self.closed(why),
                    Verdict::LookAgain(at) => watching.as_mut().reset(at),
                },
                _ = stopped.wait_for(|stop| *stop), if !stopping => {
                    stopping = true;
                    serving.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

/// Whether the error says something of one sender only, so that the next may be taken at once.
fn is_about_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

#[cfg(test)]
mod tests {
    use super::fitting;

    #[test]
    fn connections_leave_descriptors_for_everything_else() {
        assert_eq!(fitting(4_096, 1_048_576), 4_096);
        assert_eq!(fitting(4_096, 1_024), 832);
        assert_eq!(fitting(4_096, 256), 128, "few descriptors are shared evenly");
        assert_eq!(fitting(4_096, 0), 1);
    }
}
