//! What a Rust programmer would write: tokio, and reqwest with a fresh connection for each check.

use std::sync::Arc;

use color_eyre::eyre::{Result, WrapErr as _};
use reqwest::Client;
use rustls::client::Resumption;
use rustls::{ClientConfig, RootCertStore};

use super::Report;
use super::checks::{Checks, Count, TIMEOUT};

/// Makes checks; see [`Checks`].
pub(super) async fn run(checks: Checks) -> Result<Report> {
    let client = client(&checks)?;
    let count = Arc::new(Count::default());
    for n in 0..checks.in_flight {
        let (client, count) = (client.clone(), Arc::clone(&count));
        let (url, delay) = (checks.url(n).to_owned(), checks.delay(n));
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            loop {
                count.add(check(&client, &url).await.unwrap_or(false));
            }
        });
    }
    checks.measure(&count).await
}

/// A client without a pool, without a proxy, and without the resumption of sessions.
fn client(checks: &Checks) -> Result<Client> {
    let tls = tls(checks.roots()?)?;
    let client = Client::builder()
        .tls_backend_preconfigured(tls)
        .pool_max_idle_per_host(0)
        .no_proxy()
        .timeout(TIMEOUT)
        .user_agent("bench/0")
        .build();
    client.wrap_err("build a client")
}

/// TLS without the resumption of sessions; a client insists on some even where no server speaks it.
pub(super) fn tls(roots: RootCertStore) -> Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .wrap_err("choose versions of TLS")?
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.resumption = Resumption::disabled();
    Ok(tls)
}

/// One check: the status, and the whole body.
async fn check(client: &Client, url: &str) -> Result<bool, reqwest::Error> {
    let response = client.get(url).send().await?;
    let status = response.status();
    response.bytes().await?;
    Ok(status.is_success())
}
