//! `/metrics`, `/healthz` and `/readyz`.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{Endpoints, connections};
use crate::config::HttpConfig;

/// The content type of `prometheus_client`'s text.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `http.listen` cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}; free that port or change http.listen")]
pub struct BindError {
    /// `http.listen`.
    pub address: SocketAddr,
    /// Why not.
    pub source: io::Error,
}

/// Opens the port, before anything else is started: a port in use should show at once.
pub async fn bind(config: &HttpConfig) -> Result<TcpListener, BindError> {
    let address = config.listen;
    TcpListener::bind(address)
        .await
        .map_err(|source| BindError { address, source })
}

/// Answers until `stop`, and a second longer where an answer is under way.
pub async fn serve(
    listener: TcpListener,
    endpoints: Arc<Endpoints>,
    stop: CancellationToken,
) -> io::Result<()> {
    let routes = Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .with_state(endpoints);
    connections::serve(listener, routes, stop).await;
    Ok(())
}

/// All metrics.
async fn metrics(State(endpoints): State<Arc<Endpoints>>) -> Response {
    match endpoints.metrics() {
        Ok(text) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// Whether work can be done, or what is missing.
async fn readyz(State(endpoints): State<Arc<Endpoints>>) -> (StatusCode, String) {
    let lacking = endpoints.readiness().lacking();
    if lacking.is_empty() {
        (StatusCode::OK, "ready\n".to_owned())
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("not ready: {}\n", lacking.join(", ")),
        )
    }
}
