//! The scheduler's configuration.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use runtime::config::{
    Configuration, Document, HttpConfig, Limits, LogConfig, TracesConfig, copy_the_example,
};
use runtime::reload::Changes;
use store::config::DatabaseConfig;
use stream::config::KafkaConfig;

/// `http.listen`, unless the file says otherwise.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9361);
/// `turn`; below 100 ms a scheduler would do nothing but turns.
const TURN: Limits<Duration> = Limits {
    default: Duration::from_secs(1),
    allowed: Duration::from_millis(100)..=Duration::from_secs(9),
};
/// The longest `horizon`.
pub(crate) const LONGEST_HORIZON: Duration = Duration::from_secs(10);
/// `horizon`; tasks further ahead would fill the checkers' hold.
const HORIZON: Limits<Duration> = Limits {
    default: Duration::from_secs(2),
    allowed: Duration::from_millis(1_100)..=LONGEST_HORIZON,
};
/// What a task has at least on its way to a checker: `horizon - turn`.
const LEAST_LEAD: Duration = Duration::from_secs(1);
/// `retention`; results are dropped by whole days.
const RETENTION: Limits<Duration> = Limits {
    default: Duration::from_hours(24 * 30),
    allowed: Duration::from_hours(24)..=Duration::from_hours(24 * 36_500),
};

/// What a scheduler needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where the sites are.
    pub database: DatabaseConfig,
    /// Where the tasks go.
    pub kafka: KafkaConfig,
    /// Metrics and health.
    pub http: HttpConfig,
    /// What is said on standard error.
    pub log: LogConfig,
    /// Where traces go; none means that there are none.
    pub traces: Option<TracesConfig>,
    /// The scheduler's own keys.
    pub settings: Settings,
}

/// The keys that only a scheduler has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How far ahead tasks are produced; the same for all schedulers of a database.
    pub horizon: Duration,
    /// The time between two turns.
    pub turn: Duration,
    /// How long results and gaps are kept.
    pub retention: Duration,
}

impl Config {
    /// Notes what differs of the sections that hold from the start to the end.
    pub(crate) fn compare_fixed(&self, new: &Self, changes: &mut Changes) {
        changes.fixed(&self.database, &new.database);
        changes.fixed(&self.kafka, &new.kafka);
        changes.fixed(&self.http, &new.http);
        let (old, new) = (self.traces.as_ref(), new.traces.as_ref());
        changes.optional("traces.endpoint", old, new);
    }
}

impl Configuration for Config {
    fn remedy(file: &Path) -> String {
        copy_the_example("scheduler", file)
    }

    fn take(document: &mut Document) -> Option<Self> {
        let database = DatabaseConfig::take(document);
        let kafka = KafkaConfig::take(document);
        let http = HttpConfig::take(document, LISTEN);
        let log = LogConfig::take(document);
        let traces = TracesConfig::take(document);
        let settings = Settings::take(document);
        Some(Self {
            database: database?,
            kafka: kafka?,
            http: http?,
            log: log?,
            traces: traces?,
            settings: settings?,
        })
    }

    fn log(&self) -> &LogConfig {
        &self.log
    }

    fn warning(&self) -> Option<String> {
        self.database.open_way()
    }
}

impl Settings {
    /// Takes the scheduler's own keys.
    pub fn take(document: &mut Document) -> Option<Self> {
        let turn = document.take("turn");
        let turn = turn.and_then(|raw| document.check("turn", TURN.duration(raw)));
        let horizon = document.take("horizon");
        let horizon = horizon.and_then(|raw| document.check("horizon", HORIZON.duration(raw)));
        let retention = document.take("retention");
        let retention =
            retention.and_then(|raw| document.check("retention", RETENTION.duration(raw)));
        let (turn, horizon) = (turn?, horizon?);
        document.check("horizon", leaves_time(horizon, turn))?;
        Some(Self {
            horizon,
            turn,
            retention: retention?,
        })
    }
}

/// Whether the last task of a turn still comes to a checker before it is due.
fn leaves_time(horizon: Duration, turn: Duration) -> Result<(), String> {
    if horizon >= turn + LEAST_LEAD {
        return Ok(());
    }
    Err("must be at least 1s longer than `turn`, so that tasks arrive before they are due".into())
}
