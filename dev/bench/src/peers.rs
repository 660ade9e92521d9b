//! Other monitors, doing the same checks at the same rate, as their users would set them up.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use color_eyre::eyre::{Result, WrapErr as _, ensure, eyre};
use testbed::free_address;
use tokio::time::{Instant, sleep};

use crate::flow::Load;
use crate::process::{Process, myself};
use crate::stage::{Stage, Website};

/// How long a peer may take to reach its rate: gatus waits 222 ms for each site.
const START: Duration = Duration::from_mins(3);

/// Another monitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// <https://github.com/TwiN/gatus>
    Gatus,
    /// <https://github.com/cloudprober/cloudprober>
    Cloudprober,
    /// <https://github.com/prometheus/blackbox_exporter>, and something that asks it
    Blackbox,
}

/// A monitor that was started, and stands still but for its turns: gatus takes its time to start.
#[derive(Debug)]
pub(crate) struct Running {
    /// Which it is.
    peer: Peer,
    /// Its process.
    process: Process,
    /// Where it answers.
    listen: SocketAddr,
}

/// What a monitor took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// CPU time for each check, in microseconds.
    pub(crate) micros: f64,
    /// Peak memory, in MiB.
    pub(crate) mib: f64,
}

impl Peer {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Gatus, Self::Cloudprober, Self::Blackbox];

    /// The name of its program.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Gatus => "gatus",
            Self::Cloudprober => "cloudprober",
            Self::Blackbox => "blackbox_exporter",
        }
    }

    /// Starts it with this to do; it stands still until it is measured.
    pub(crate) fn start(self, load: Load, (stage, website): (&Stage, &Website)) -> Result<Running> {
        let program = self.program(stage)?;
        let listen = free_address();
        let port = listen.port().to_string();
        // By its extension cloudprober tells its own language from YAML.
        let file = stage.folder().join(self.name()).with_extension(match self {
            Self::Gatus | Self::Blackbox => "yaml",
            Self::Cloudprober => "cfg",
        });
        let (config, arguments) = match self {
            Self::Gatus => (gatus(load, listen, website), vec![]),
            Self::Cloudprober => (
                cloudprober(load, listen, website),
                vec![format!("--config_file={}", file.display())],
            ),
            Self::Blackbox => (
                BLACKBOX.to_owned(),
                vec![
                    format!("--config.file={}", file.display()),
                    format!("--web.listen-address={listen}"),
                ],
            ),
        };
        std::fs::write(&file, config).wrap_err_with(|| format!("write {}", file.display()))?;
        let environment = [
            ("GATUS_CONFIG_PATH", file.as_os_str()),
            ("GATUS_LOG_LEVEL", "ERROR".as_ref()),
            ("PORT", port.as_ref()),
        ];
        let process = Process::start(&program, arguments, &environment, stage.folder())?;
        process.halt()?;
        Ok(Running {
            peer: self,
            process,
            listen,
        })
    }

    /// Its program.
    fn program(self, stage: &Stage) -> Result<PathBuf> {
        let name = self.name();
        let found = stage.peer(name);
        found.ok_or_else(|| eyre!("{name} is neither on PATH nor in BENCH_PEERS"))
    }
}

impl Running {
    /// Lets it go on until it has kept up with its load for a while, and says what that took.
    pub(crate) async fn measure(
        &mut self,
        load: Load,
        (stage, website): (&Stage, &Website),
    ) -> Result<Cost> {
        self.process.go_on()?;
        let scraper = match self.peer {
            Peer::Blackbox => {
                self.process.answers(self.listen, "/-/healthy").await?;
                Some(scrape(load, self.listen, (stage, website))?)
            }
            _ => None,
        };
        reach(f64::from(load.rate), website).await?;
        let (before, cpu) = (website.answers().await?, self.process.cpu()?);
        let began = Instant::now();
        sleep(Duration::from_secs(load.seconds.into())).await;
        let checks = website.answers().await? - before;
        let cpu = self.process.cpu()? - cpu;
        let rate = checks / began.elapsed().as_secs_f64();
        let mib = self.process.peak_kib()? / 1_024.0;
        self.process.check()?;
        drop(scraper);
        self.process.halt()?;
        ensure!(
            rate > 0.9 * f64::from(load.rate),
            "made {rate:.0} checks a second only"
        );
        Ok(Cost {
            micros: cpu * 1e6 / checks,
            mib,
        })
    }
}

/// Waits until the targets are asked at this rate, over a second.
async fn reach(rate: f64, website: &Website) -> Result<()> {
    let end = Instant::now() + START;
    loop {
        let (before, began) = (website.answers().await?, Instant::now());
        sleep(Duration::from_secs(1)).await;
        let seen = (website.answers().await? - before) / began.elapsed().as_secs_f64();
        if seen > 0.95 * rate {
            return Ok(());
        }
        ensure!(Instant::now() < end, "made {seen:.0} checks a second only");
    }
}

/// Starts what asks a `blackbox_exporter`.
fn scrape(
    load: Load,
    exporter: SocketAddr,
    (stage, website): (&Stage, &Website),
) -> Result<Process> {
    let (rate, exporter) = (load.rate.to_string(), exporter.to_string());
    let arguments = ["part", "scrape", "--rate", &rate, "--exporter", &exporter];
    let urls = website.urls.iter().map(String::as_str);
    let arguments = arguments.into_iter().chain(urls);
    Process::start(&myself()?, arguments, &[], stage.folder())
}

/// The sites of a load: their numbers and addresses.
fn sites(load: Load, website: &Website) -> impl Iterator<Item = (usize, &String)> {
    let count = usize::try_from(load.sites()).unwrap_or(usize::MAX);
    website.urls.iter().cycle().take(count).enumerate()
}

/// Its `concurrency` is a number that does not hold it up.
fn gatus(load: Load, listen: SocketAddr, website: &Website) -> String {
    let (address, port, interval) = (listen.ip(), listen.port(), load.interval_ms);
    let endpoint = |(n, url)| {
        format!(
            "  - {{name: site-{n}, url: '{url}', interval: {interval}ms, conditions: ['[STATUS] == 200']}}\n"
        )
    };
    let endpoints: Vec<_> = sites(load, website).map(endpoint).collect();
    format!(
        "web: {{address: {address}, port: {port}}}\nconcurrency: 4096\nendpoints:\n{}",
        endpoints.concat()
    )
}

/// One probe of many targets; a status of 200 is expected.
fn cloudprober(load: Load, listen: SocketAddr, website: &Website) -> String {
    let endpoint = |(n, url)| format!("    endpoint {{ name: \"site-{n}\" url: \"{url}\" }}\n");
    let endpoints: Vec<_> = sites(load, website).map(endpoint).collect();
    let (port, interval, endpoints) = (listen.port(), load.interval_ms, endpoints.concat());
    format!(
        "port: {port}\nhost: \"{}\"\nsurfacer {{ type: PROMETHEUS }}\n\
         probe {{\n  name: \"sites\"\n  type: HTTP\n  interval_msec: {interval}\n  \
         timeout_msec: {interval}\n  targets {{\n{endpoints}  }}\n  \
         http_probe {{ interval_between_targets_msec: 1 }}\n  \
         validator {{ name: \"status\" http_validator {{ success_status_codes: \"200\" }} }}\n}}\n",
        listen.ip()
    )
}

/// The module that asks plainly.
const BLACKBOX: &str = "\
modules:
  plain:
    prober: http
    timeout: 10s
    http: {preferred_ip_protocol: ip4}
";
