//! Connections to the metrics' port: few, short, and small, whatever is at the other end.
//!
//! Each has one request and its answer, within a time for its head and a time for all. There are only so many at
//! once: one more closes the oldest. So a request that is sent at once is answered, however many others are open
//! and say nothing; and no flood of them takes descriptors or memory from checks.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// The most connections at once: Prometheus and a few probes for health need as many requests in a moment.
pub const MOST_CONNECTIONS: usize = 32;
/// The time for the head of a request.
const HEAD_LIMIT: Duration = Duration::from_secs(5);
/// The time for a request and its answer, which may be read slowly.
const LIMIT: Duration = Duration::from_secs(30);
/// The longest head of a request, in bytes: no path here is longer than ten.
const HEAD_BYTES: usize = 16 * 1024;
/// How long a request may still take once the service stops.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);
/// How long nothing is accepted after the system refused to.
const PAUSE: Duration = Duration::from_millis(100);

/// The connections that are open.
#[derive(Debug, Default)]
struct Open {
    /// All of them.
    tasks: JoinSet<()>,
    /// The same, the oldest first; some may have ended.
    by_age: VecDeque<AbortHandle>,
}

impl Open {
    /// Adds a connection; there is room for it.
    fn add(&mut self, connection: impl Future<Output = ()> + Send + 'static) {
        while self.tasks.try_join_next().is_some() {}
        self.by_age.retain(|task| !task.is_finished());
        if self.by_age.len() >= MOST_CONNECTIONS {
            self.close_oldest();
        }
        self.by_age.push_back(self.tasks.spawn(connection));
    }

    /// Closes the oldest connection.
    fn close_oldest(&mut self) {
        if let Some(oldest) = self.by_age.pop_front() {
            oldest.abort();
        }
    }
}

/// Answers until `stop`, and a second longer where an answer is under way.
pub(super) async fn serve(listener: TcpListener, routes: Router, stop: CancellationToken) {
    let mut open = Open::default();
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, _)) => open.add(answer(stream, routes.clone(), stop.clone())),
            Err(error) if is_of_one(&error) => {}
            // no descriptors are left, for one: those of a connection may help, and time
            Err(_) => {
                open.close_oldest();
                sleep(PAUSE).await;
            }
        }
    }
    drop(timeout(CLOSE_LIMIT, open.tasks.join_all()).await);
}

/// Whether an error of accepting is that of one connection.
fn is_of_one(error: &io::Error) -> bool {
    use ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

/// Answers one request; how that ends is the business of the other end.
async fn answer(stream: TcpStream, routes: Router, stop: CancellationToken) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .max_buf_size(HEAD_BYTES)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes));
    let mut connection = pin!(connection);
    let ended = timeout(LIMIT, async {
        if stop
            .run_until_cancelled(connection.as_mut())
            .await
            .is_none()
        {
            connection.as_mut().graceful_shutdown();
            drop(connection.await);
        }
    });
    drop(ended.await);
}
