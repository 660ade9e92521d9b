//! The rows of the table, in its order. Each runs its rivals in turn and returns lines.

mod bytes;
mod checker;
mod lateness;
mod pipeline;
mod probe;
mod probe_tls;
mod recorder;
mod scheduler;
mod scheduler_memory;
mod scheduler_rest;
mod slot_memory;
mod start;
mod turns;

use clap::ValueEnum;
use color_eyre::eyre::Result;

use crate::stage::Stage;
use crate::table::Line;

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Row {
    /// A million sites due within 5 s, against the bare producer and a bare COPY
    Scheduler,
    /// The scheduler's memory with a million sites, and with a thousand
    SchedulerMemory,
    /// What a scheduler of ten sites takes, PostgreSQL included
    SchedulerRest,
    /// A plain check, against tokio and reqwest, against bare sockets and against ureq alone
    Probe,
    /// A check by HTTPS, against reqwest and rustls
    ProbeTls,
    /// What a slot has in memory
    SlotMemory,
    /// The whole checker, against gatus, cloudprober and `blackbox_exporter`
    Checker,
    /// How late checks start
    Lateness,
    /// Results recorded, against a bare INSERT
    Recorder,
    /// Everything on this machine, sustained
    Pipeline,
    /// From start to full rate with a million sites
    Start,
    /// What a check takes in PostgreSQL
    Bytes,
}

impl Row {
    /// Its name on the command line.
    pub(crate) fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Measures it.
    pub(crate) async fn measure(self, stage: &Stage) -> Result<Vec<Line>> {
        match self {
            Self::Scheduler => scheduler::measure(stage).await,
            Self::SchedulerMemory => scheduler_memory::measure(stage).await,
            Self::SchedulerRest => scheduler_rest::measure(stage).await,
            Self::Probe => probe::measure(stage).await,
            Self::ProbeTls => probe_tls::measure(stage).await,
            Self::SlotMemory => slot_memory::measure(stage).await,
            Self::Checker => checker::measure(stage).await,
            Self::Lateness => lateness::measure(stage).await,
            Self::Recorder => recorder::measure(stage).await,
            Self::Pipeline => pipeline::measure(stage).await,
            Self::Start => start::measure(stage).await,
            Self::Bytes => bytes::measure(stage).await,
        }
    }
}
