//! Webmon's side: results go into the recorder's queue as full lanes would put them there.

use std::sync::Arc;
use std::thread;
use std::time::Instant;

use color_eyre::eyre::{Result, WrapErr as _};
use contract::result::CheckResult;
use prometheus_client::registry::Registry;
use recorder::{Finished, Metrics, Recorder, Times};
use runtime::config::Secret;
use store::config::DatabaseConfig;
use store::{Link, Pool};
use tokio::sync::mpsc;

use super::results::Results;
use super::{Report, done};
use crate::kernel;

/// A connection like that of a checker's recorder.
const POOL: Pool = Pool {
    name: "bench recorder",
    connections: 1,
    settings: recorder::SETTINGS,
};
/// Batches of durable positions that wait to be taken, as in a checker.
const DONE_DEPTH: usize = 64;

/// Records them; returns when all are durable.
pub(super) async fn run(results: Results) -> Result<Report> {
    let config = DatabaseConfig {
        url: Secret::new(results.database.clone()),
    };
    let results = results.make();
    let count = results.len();
    let (began, cpu) = (Instant::now(), kernel::own_cpu());
    record(Link::new(config, POOL), results).await?;
    done(count, began, cpu)
}

/// Puts results into the queue of a recorder from a thread, and waits until all are durable.
async fn record(database: Link, results: Vec<CheckResult>) -> Result<()> {
    let (done, mut durable) = mpsc::channel(DONE_DEPTH);
    let (alive, mut ended) = mpsc::channel::<()>(1);
    let queue = Arc::new(recorder::Results::default());
    let metrics = Metrics::register(&mut Registry::default());
    let recorder = Recorder::new(database, Arc::clone(&queue), done, None, metrics);
    let lanes = thread::Builder::new().name("lanes".to_owned());
    let lanes = lanes
        .spawn(move || {
            for (position, result) in (0_usize..).zip(results) {
                queue.put(Finished {
                    result,
                    position,
                    times: Times::default(),
                });
            }
            drop(alive);
        })
        .wrap_err("start a thread that puts results")?;
    let taking = tokio::spawn(async move { while durable.recv().await.is_some() {} });
    let end = async {
        // Nothing is sent: the thread holds the sender until it has put all.
        ended.recv().await;
    };
    recorder.run(end).await;
    taking.await.wrap_err("take what is durable")?;
    drop(lanes.join());
    Ok(())
}
