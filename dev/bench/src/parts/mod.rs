//! Parts: what is measured by itself is a process of its own, this program with another command, so
//! that the kernel accounts for each side alone.
//!
//! A part takes its orders from its arguments and says what it took in one line of JSON.

pub(crate) mod checks;
mod copy;
mod insert;
mod lanes;
mod producer;
mod recorder;
mod reqwest;
mod results;
mod scrape;
mod sockets;
pub(crate) mod target;
mod ureq;

use std::time::Instant;

use clap::Subcommand;
use color_eyre::eyre::{Result, WrapErr as _};
use runtime::program::say;
use serde::{Deserialize, Serialize};

pub(crate) use self::checks::Checks;
pub(crate) use self::copy::Copy;
pub(crate) use self::producer::Producer;
pub(crate) use self::results::Results;
pub(crate) use self::scrape::Scrape;
pub(crate) use self::target::Target;
use crate::kernel;

/// A part of a row.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Part {
    /// The website that all probe
    Target(Target),
    /// Checks by webmon's lanes and probe
    Lanes(Checks),
    /// Checks by tokio and reqwest
    Reqwest(Checks),
    /// Checks by bare blocking sockets, a thread for each
    Sockets(Checks),
    /// Checks by ureq alone, a thread for each
    Ureq(Checks),
    /// Asks a `blackbox_exporter`, as Prometheus would
    Scrape(Scrape),
    /// Sends tasks by the bare producer
    Producer(Producer),
    /// Reads the sites by a bare COPY
    Copy(Copy),
    /// Records results by webmon's recorder
    Recorder(Results),
    /// Records the same results by a bare INSERT
    Insert(Results),
}

/// What a part took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// How many of whatever it does.
    pub(crate) done: u64,
    /// How many of these did not end well.
    pub(crate) failed: u64,
    /// The time that took, in seconds.
    pub(crate) seconds: f64,
    /// The CPU time that took, in seconds.
    pub(crate) cpu_seconds: f64,
    /// The most memory that the process had, in KiB.
    pub(crate) peak_kib: f64,
}

impl Part {
    /// Does what the part is for.
    pub(crate) async fn run(self) -> Result<()> {
        let report = match self {
            Self::Target(target) => return target.run().await,
            Self::Lanes(checks) => lanes::run(checks).await,
            Self::Reqwest(checks) => reqwest::run(checks).await,
            Self::Sockets(checks) => sockets::run(checks).await,
            Self::Ureq(checks) => ureq::run(checks).await,
            Self::Scrape(scrape) => return scrape.run().await,
            Self::Producer(producer) => producer.run().await,
            Self::Copy(copy) => copy.run().await,
            Self::Recorder(results) => recorder::run(results).await,
            Self::Insert(results) => insert::run(results).await,
        }?;
        let report = serde_json::to_string(&report).wrap_err("write the report")?;
        say(report).wrap_err("write the report")
    }
}

/// What so many took that this process has just done, which began with this CPU time behind it.
fn done(count: usize, began: Instant, cpu: f64) -> Result<Report> {
    Ok(Report {
        done: u64::try_from(count).unwrap_or(u64::MAX),
        failed: 0,
        seconds: began.elapsed().as_secs_f64(),
        cpu_seconds: kernel::own_cpu() - cpu,
        peak_kib: kernel::peak_kib(std::process::id())?,
    })
}
