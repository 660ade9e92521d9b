//! Prometheus' side of a `blackbox_exporter`: asks it at a fixed rate to probe one target after the
//! other. What this takes is not part of any row.

use std::time::Duration;

use clap::Args;
use color_eyre::eyre::{Result, WrapErr as _};
use reqwest::Client;
use rustls::RootCertStore;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::checks::TIMEOUT;
use super::reqwest::tls;

/// Asks an exporter.
#[derive(Args, Clone, Debug)]
pub(crate) struct Scrape {
    /// Probes a second
    #[arg(long)]
    rate: u32,
    /// The exporter, as host:port
    #[arg(long)]
    exporter: String,
    /// What it is to probe, in turn
    #[arg(required = true)]
    urls: Vec<String>,
}

impl Scrape {
    /// Asks until it is killed.
    pub(super) async fn run(self) -> Result<()> {
        let client = Client::builder()
            .no_proxy()
            .timeout(TIMEOUT)
            .tls_backend_preconfigured(tls(RootCertStore::empty())?)
            .build()
            .wrap_err("build a client")?;
        let pages: Vec<_> = self.urls.iter().map(|url| self.page(url)).collect();
        let mut ticks = interval_at(Instant::now(), Duration::from_secs(1) / self.rate.max(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        for page in pages.iter().cycle() {
            ticks.tick().await;
            let asked = client.get(page).send();
            tokio::spawn(async move {
                // What fails is not counted by the targets either.
                if let Ok(response) = asked.await {
                    drop(response.bytes().await);
                }
            });
        }
        Ok(())
    }

    /// The exporter's page for one target.
    fn page(&self, url: &str) -> String {
        let exporter = &self.exporter;
        format!("http://{exporter}/probe?module=plain&target={url}")
    }
}
