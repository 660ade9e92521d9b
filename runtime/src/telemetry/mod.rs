//! What a service says of itself: logs, metrics, health.

mod healthcheck;
mod http;
mod logs;
mod probes;

pub use healthcheck::{HealthcheckError, healthcheck};
pub use http::{BindError, bind, serve};
pub use logs::{LogError, start_logs};
pub use probes::{Condition, Probes, Readiness};
