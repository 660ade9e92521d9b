//! What a service says of itself: logs, metrics, health, traces.

mod connections;
mod endpoints;
mod filter;
mod harmless;
mod healthcheck;
mod http;
mod logs;
pub mod traces;

pub use connections::MOST_CONNECTIONS;
pub use endpoints::{Condition, Endpoints, Readiness};
pub(crate) use filter::parse_filter;
pub use healthcheck::{HealthcheckError, healthcheck};
pub use http::{BindError, bind, serve};
pub use logs::{LogError, Logs, start_logs};
