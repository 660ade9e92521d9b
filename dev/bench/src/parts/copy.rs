//! The bare read: `COPY` of what the scheduler reads of each site.

use std::time::Instant;

use clap::Args;
use color_eyre::eyre::{Result, WrapErr as _};
use futures_util::TryStreamExt as _;
use sea_orm::sqlx::postgres::{PgPool, PgPoolCopyExt as _};

use super::Report;
use crate::kernel;

/// What the scheduler reads of a site.
const COPY: &str = "\
COPY (SELECT id, shard, interval_ms, phase_ms, timeout_ms, name, url, request::text, expect::text
      FROM site WHERE enabled) TO STDOUT";

/// Reads the sites.
#[derive(Args, Clone, Debug)]
pub(crate) struct Copy {
    /// The database
    #[arg(long)]
    database: String,
}

impl Copy {
    /// Reads all of them.
    pub(super) async fn run(self) -> Result<Report> {
        let pool = PgPool::connect(&self.database).await;
        let pool = pool.wrap_err("connect to the database")?;
        let (began, cpu) = (Instant::now(), kernel::own_cpu());
        let mut rows = pool.copy_out_raw(COPY).await.wrap_err("copy the sites")?;
        let mut done = 0;
        // One piece is one row.
        while rows.try_next().await.wrap_err("copy the sites")?.is_some() {
            done += 1;
        }
        super::done(done, began, cpu)
    }
}
