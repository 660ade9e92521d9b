//! What a service says of itself: logs, metrics, health, traces.

mod connections;
mod harmless;
mod healthcheck;
mod http;
mod logs;
mod probes;
pub mod traces;

pub use connections::MOST_CONNECTIONS;
pub use healthcheck::{HealthcheckError, healthcheck};
pub use http::{BindError, bind, serve};
pub(crate) use logs::parse_filter;
pub use logs::{LogError, Logs, start_logs};
pub use probes::{Condition, Probes, Readiness};
