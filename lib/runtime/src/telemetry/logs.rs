//! Logs on standard error, as text for people or JSON for machines.

use std::fmt::{Debug, Formatter};
use std::io::{self, IsTerminal as _};

use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layered, SubscriberExt as _};
use tracing_subscriber::reload::{self, Handle};
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};
use tracing_subscriber::{EnvFilter, Layer as _, Registry, fmt};

use super::filter::parse_filter;
use super::harmless::Harmless;
use crate::config::{LogConfig, LogFormat};

/// The first three dump whole requests at `trace`, secrets and all; the next three warn of each answer
/// of a name server that is not as it should be, which is in the check's detail; the last three repeat what
/// the server remarks on statements that are as they should be, and what becomes of each connection
/// while a database is away, which the part that needed it tells.
const CAPPED: [(&str, LevelFilter); 9] = [
    ("ureq", LevelFilter::INFO),
    ("ureq_proto", LevelFilter::INFO),
    ("rustls", LevelFilter::INFO),
    ("hickory_net", LevelFilter::OFF),
    ("hickory_proto", LevelFilter::OFF),
    ("hickory_resolver", LevelFilter::OFF),
    ("sqlx::postgres::notice", LevelFilter::WARN),
    ("sqlx::pool", LevelFilter::ERROR),
    ("sqlx_core::pool", LevelFilter::ERROR),
];

/// Logs cannot be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// `log.filter` cannot be read.
    #[error(
        "log.filter: {part:?} is no filter; write a level (error, warn, info, debug, trace, off) or target=level, with commas between"
    )]
    Filter {
        /// The part that is wrong.
        part: String,
    },
    /// The process has logs already.
    #[error("cannot start the logs: {0}")]
    Start(#[from] TryInitError),
    /// The filter cannot be changed.
    #[error("cannot change log.filter: {0}")]
    Change(#[from] reload::Error),
}

/// What writes, below the filter.
type Written = Layered<Box<dyn tracing_subscriber::Layer<Registry> + Send + Sync>, Registry>;
/// The filter of the configuration, and webmon's own.
type Filters = Layered<Targets, EnvFilter, Written>;

/// The logs of this process, whose filter can be changed.
#[derive(Clone, Default)]
pub struct Logs(Option<Handle<Filters, Written>>);

impl Debug for Logs {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Logs").finish_non_exhaustive()
    }
}

impl Logs {
    /// Filters by `log.filter` from now on.
    pub fn filter_by(&self, filter: &str) -> Result<(), LogError> {
        if let Self(Some(handle)) = self {
            handle.reload(filters(filter)?)?;
        }
        Ok(())
    }
}

/// Starts the logs of this process, on standard error; once.
pub fn start_logs(config: &LogConfig) -> Result<Logs, LogError> {
    let colours = io::stderr().is_terminal();
    let (subscriber, logs) = subscriber(config, colours, io::stderr)?;
    subscriber.try_init()?;
    Ok(logs)
}

/// What `start_logs` starts, on any writer.
fn subscriber<W>(
    config: &LogConfig,
    colours: bool,
    writer: W,
) -> Result<(impl Subscriber + Send + Sync + use<W>, Logs), LogError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let (filters, handle) = reload::Layer::new(filters(&config.filter)?);
    let json = config.format == LogFormat::Json;
    let layer = fmt::layer().with_writer(Harmless::new(writer, json, colours));
    // Without the call NO_COLOR decides, as people expect on a terminal.
    let layer = if colours {
        layer
    } else {
        layer.with_ansi(false)
    };
    let layer = match config.format {
        LogFormat::Text => layer.boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    };
    let subscriber = Registry::default().with(layer).with(filters);
    Ok((subscriber, Logs(Some(handle))))
}

/// The filter of the configuration, and webmon's own, which lets through no more than that one: of two filters
/// the laxer one decides what is not even looked at, and the libraries say a lot below that.
fn filters(filter: &str) -> Result<Filters, LogError> {
    let filter = parse_filter(filter).map_err(|part| LogError::Filter {
        part: part.to_owned(),
    })?;
    let most = filter.max_level_hint().unwrap_or(LevelFilter::TRACE);
    let caps = Targets::new().with_default(most).with_targets(CAPPED);
    Ok(filter.and_then(caps))
}

#[cfg(test)]
#[path = "logs_tests.rs"]
mod tests;
