//! Webmon's side: results go into the recorder's channel as full lanes would put them there.

use std::time::Instant;

use color_eyre::eyre::Result;
use runtime::config::Secret;
use store::config::DatabaseConfig;

use super::results::Results;
use super::{Report, done};
use crate::kernel;

/// Records them; returns when all are durable.
pub(super) async fn run(results: Results) -> Result<Report> {
    let config = DatabaseConfig {
        url: Secret::new(results.database.clone()),
    };
    let results = results.make();
    let count = results.len();
    let (began, cpu) = (Instant::now(), kernel::own_cpu());
    checker::workbench::record(config, results).await?;
    done(count, began, cpu)
}
