//! What a service says of itself: logs, metrics, health, traces.

mod connections;
mod endpoints;
mod harmless;
mod healthcheck;
mod http;
mod logs;
pub mod traces;

pub use connections::MOST_CONNECTIONS;
pub use endpoints::{Condition, Endpoints, Readiness};
pub use healthcheck::{HealthcheckError, healthcheck};
pub use http::{BindError, bind, serve};
pub(crate) use logs::parse_filter;
pub use logs::{LogError, Logs, start_logs};
