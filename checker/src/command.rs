//! `probe`: one check now, by `checker` and by `webmon`, shown as people or machines read it.

use std::path::Path;
use std::time::SystemTime;

use clap::Args;
use color_eyre::eyre::{Result, WrapErr as _, eyre};
use contract::check::SiteId;
use contract::installation::Installation;
use contract::instant::{UnixMs, UnixUs, micros};
use contract::outcome::Outcome;
use contract::site::{DEFAULT_TIMEOUT_MS, parse_url};
use contract::task::{Task, VERSION};
use probe::show::Report;
use probe::{ProbeOptions, Prober, Secrets};
use runtime::config::Configuration as _;
use runtime::program::{Said, say, usage, warn};
use runtime::telemetry::start_logs;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, FromQueryResult as _};
use serde_json::value::RawValue;
use store::site::look_up::{self, SiteToCheck};
use store::{Pool, READ_ONLY};
use tokio::runtime::Handle;

use crate::config::{self, Config, Review};

/// The connection of a command, which only reads.
const POOL: Pool = Pool {
    name: "webmon-command",
    connections: 1,
    settings: READ_ONLY,
};
/// `probe URL|--site NAME [--json]`
#[derive(Args, Clone, Debug)]
pub struct Probe {
    /// What to probe, with a plain GET
    #[arg(
        value_name = "URL",
        required_unless_present = "site",
        conflicts_with = "site"
    )]
    pub url: Option<String>,
    /// Probe this site, as its row says
    #[arg(long, value_name = "NAME")]
    pub site: Option<String>,
    /// Say it as JSON, for machines
    #[arg(long)]
    pub json: bool,
}

/// `checker probe`, as a configuration says; where there is none, a URL is probed by the defaults.
pub async fn by_file(file: &Path, command: &Probe) -> Result<()> {
    if command.site.is_none() && !file.exists() {
        let (config, log) = config::of_process().map_err(usage)?;
        start_logs(&log)?;
        return probe(&config, command, None).await;
    }
    let config = Config::load(file).map_err(usage)?;
    start_logs(&config.log)?;
    if command.site.is_none() {
        return probe(&config.settings.probe, command, None).await;
    }
    let database = store::connect(&config.database, POOL).await?;
    store::check_schema(&database).await?;
    probe(&config.settings.probe, command, Some(&database)).await
}

/// What `check-config` says beyond the file's own faults: which secrets any site can send anywhere. `file` is
/// how it is named to people.
pub fn review(file: &str, secrets: &Secrets) -> Result<()> {
    let Review { errors, warnings } = Review::of(secrets);
    for warning in warnings {
        warn(format_args!("{file}: {warning}"));
    }
    if errors.is_empty() {
        return Ok(());
    }
    let errors: Vec<_> = errors
        .iter()
        .map(|error| format!("{file}: {error}"))
        .collect();
    Err(usage(errors.join("\n")))
}

/// Makes the check and shows it; a site that is not up is [`Said`].
pub async fn probe(
    options: &ProbeOptions,
    command: &Probe,
    database: Option<&DatabaseConnection>,
) -> Result<()> {
    config::warn_of_proxies();
    let task = match (command, database) {
        (Probe { url: Some(url), .. }, _) => task_for_url(url)?,
        (
            Probe {
                site: Some(name), ..
            },
            Some(database),
        ) => task_for_site(database, name).await?,
        _ => return Err(usage("name a URL, or with --site a site of the database")),
    };
    let (options, runtime) = (options.clone(), Handle::current());
    let check = move || {
        let prober = Prober::new(&options, &runtime).wrap_err("set up the probe")?;
        let watched = prober.watch(&task, now_us());
        Ok::<_, color_eyre::Report>((task, watched))
    };
    let (task, watched) = tokio::task::spawn_blocking(check)
        .await
        .map_err(|error| eyre!("the probe ended early: {error}"))??;
    let report = Report::new(&task, &watched);
    let shown = if command.json {
        say(report.json().wrap_err("write the report as JSON")?)
    } else {
        say(report)
    };
    shown.wrap_err("write to standard output")?;
    match watched.result.outcome() {
        Outcome::Up => Ok(()),
        _ => Err(Said.into()),
    }
}

/// The check of a URL alone.
pub(crate) fn task_for_url(url: &str) -> Result<Task> {
    parse_url(url).map_err(usage)?;
    let nothing = || RawValue::from_string("{}".to_owned()).wrap_err("write an empty object");
    Ok(Task {
        v: VERSION,
        installation: Installation::default(),
        site_id: SiteId(0),
        name: url.to_owned(),
        scheduled_at: UnixMs(0),
        expires_at: UnixMs::MAX,
        url: url.to_owned(),
        timeout_ms: DEFAULT_TIMEOUT_MS.unsigned_abs(),
        request: nothing()?,
        expect: nothing()?,
    })
}

/// The check of a site, as the database has it.
async fn task_for_site(database: &DatabaseConnection, name: &str) -> Result<Task> {
    let found = database
        .query_one_raw(look_up::by_name(name))
        .await
        .wrap_err("read the site")?;
    let Some(row) = found else {
        return Err(usage(format!("there is no site named {name:?}")));
    };
    let SiteToCheck {
        id,
        url,
        timeout_ms,
        request,
        expect,
    } = SiteToCheck::from_query_result(&row, "")?;
    Ok(Task {
        site_id: SiteId(id),
        name: name.to_owned(),
        url,
        timeout_ms: timeout_ms.unsigned_abs(),
        request: RawValue::from_string(request)?,
        expect: RawValue::from_string(expect)?,
        ..task_for_url("http://localhost/")?
    })
}

/// This machine's own time, in microseconds since the Unix epoch: a command asks no database for it.
fn now_us() -> UnixUs {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    UnixUs(since.map_or(0, micros))
}
