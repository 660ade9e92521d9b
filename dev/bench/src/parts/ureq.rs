//! What the HTTP library takes of a check: ureq by itself, on a thread for each check at once.
//!
//! It has what webmon's own probe allows it, small buffers and addresses that need no look-up, and none of
//! webmon's work: no time limit, no phases, no address policy, no expectations, no queue before it and no results
//! behind it.

use std::io::Read as _;

use color_eyre::eyre::Result;
use ureq::Agent;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{NextTimeout, TcpConnector};

use super::Report;
use super::checks::Checks;

/// The buffers of a connection, in bytes.
const BUFFER_BYTES: usize = 2 * 1024;

/// Makes checks; see [`Checks`].
pub(super) async fn run(checks: Checks) -> Result<Report> {
    let prepare = |url: &str| {
        let (agent, url) = (agent(), url.to_owned());
        Ok(move || check(&agent, &url).unwrap_or(false))
    };
    checks.on_threads(prepare).await
}

/// The library without a proxy, a pool, or other servers than the one that is asked.
fn agent() -> Agent {
    let config = Agent::config_builder()
        .proxy(None)
        .max_redirects(0)
        .http_status_as_error(false)
        .max_idle_connections(0)
        .max_idle_connections_per_host(0)
        .input_buffer_size(BUFFER_BYTES)
        .output_buffer_size(BUFFER_BYTES)
        .build();
    Agent::with_parts(config, TcpConnector::default(), Literal)
}

/// One check: the status, and the whole body.
fn check(agent: &Agent, url: &str) -> Result<bool, ureq::Error> {
    let response = agent.get(url).call()?;
    let well = response.status().is_success();
    let mut body = response.into_body().into_reader();
    let mut buffer = [0; BUFFER_BYTES];
    while body.read(&mut buffer)? > 0 {}
    Ok(well)
}

/// Finds the address that a URL has in the place of a name.
#[derive(Debug)]
struct Literal;

impl Resolver for Literal {
    fn resolve(
        &self,
        uri: &Uri,
        _: &Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let authority = uri.authority().ok_or(ureq::Error::HostNotFound)?;
        let address = authority.as_str().parse();
        let mut addresses = self.empty();
        addresses.push(address.map_err(|_| ureq::Error::HostNotFound)?);
        Ok(addresses)
    }
}
