//! A tunnel through a proxy (CONNECT, RFC 9110, 9.3.6).

use std::io::{self, Write as _};

use contract::outcome::{Outcome, Reason};
use ureq::http::Uri;
use ureq::unversioned::transport::{ConnectionDetails, Connector};

use super::answer::{self, Trouble};
use super::{Route, refusal};
use crate::ask::USER_AGENT;
use crate::blame;
use crate::dns;
use crate::fault::{Fault, Suspect};
use crate::observed::{self, Phase};
use crate::redact::quote;
use crate::transport::{Socket, TcpTransport};

/// Opens a tunnel to the site where the check goes by a proxy and the URL says `https`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TunnelConnector;

impl Connector<TcpTransport> for TunnelConnector {
    type Out = TcpTransport;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        tcp: Option<TcpTransport>,
    ) -> Result<Option<TcpTransport>, ureq::Error> {
        let Some(mut tcp) = tcp else {
            return Ok(None);
        };
        if details.needs_tls()
            && let Some(route) = observed::with(|observed| observed.route.clone())
        {
            observed::enter(Phase::Proxy);
            open(&route, details.uri, &mut tcp.socket)?;
        }
        Ok(Some(tcp))
    }
}

/// Opens a tunnel. It is not inlined: few checks need one.
#[inline(never)]
fn open(route: &Route, uri: &Uri, proxy: &mut Socket) -> Result<(), Fault> {
    let target = target(uri);
    // What could not be sent may have been answered nevertheless (RFC 9112, 9.5).
    let sent = proxy.write_all(&request(route, &target));
    let answer = match answer::read(proxy) {
        Ok(answer) => answer,
        Err(Trouble::Ended) => return Err(ended(route, &target, sent)),
        Err(trouble) => return Err(explain(route, &target, trouble)),
    };
    if (200..300).contains(&answer.status) {
        return Ok(());
    }
    Err(refusal::tunnel(route, &target, &answer))
}

/// The host and the port that a tunnel leads to, as CONNECT names them.
fn target(uri: &Uri) -> String {
    let port = dns::target(uri).map_or(443, |(_, port)| port);
    format!("{}:{port}", uri.host().unwrap_or_default())
}

/// The request for a tunnel.
fn request(route: &Route, target: &str) -> Vec<u8> {
    let head =
        format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nUser-Agent: {USER_AGENT}\r\n");
    let mut head = head.into_bytes();
    if let Some(authorization) = route.authorization() {
        head.extend(b"Proxy-Authorization: ");
        head.extend(authorization.as_bytes());
        head.extend(b"\r\n");
    }
    head.extend(b"\r\n");
    head
}

/// The proxy has ended the connection.
fn ended(route: &Route, target: &str, sent: io::Result<()>) -> Fault {
    if let Err(error) = sent {
        let fault = blame::explain(error.into());
        // this machine could not send
        if fault.reason.outcome() == Outcome::Inconclusive {
            return fault;
        }
    }
    let what = format!("closed the connection without an answer to CONNECT {target}");
    route.fault(Reason::ProxyUnreachable, &what)
}

/// Why there is no answer.
fn explain(route: &Route, target: &str, trouble: Trouble) -> Fault {
    match trouble {
        Trouble::Ended => ended(route, target, Ok(())),
        Trouble::TooLong => {
            let what = format!("answers CONNECT {target} with a head of more than 16 KiB");
            route.fault(Reason::ProxyRefused, &what)
        }
        Trouble::NotHttp(start) => {
            let seen = match start.as_slice() {
                [0x15 | 0x16, ..] => "TLS".to_owned(),
                [0x00 | 0x04 | 0x05, ..] => "SOCKS".to_owned(),
                start => quote(start),
            };
            let what = format!(
                "is no HTTP proxy: its answer to CONNECT is {seen}; name a port where it speaks HTTP without TLS"
            );
            route.fault(Reason::ProxyUnreachable, &what)
        }
        Trouble::Failed(error) => {
            let fault = blame::explain(error.into());
            match fault.reason {
                // It may be the proxy that is silent, or the site behind it.
                Reason::ConnectTimeout => {
                    let limit = observed::limit_ms();
                    let what = format!("opened no tunnel to {target} within {limit} ms");
                    route.fault(fault.reason, &what).suspecting(Suspect::Proxy)
                }
                reason if reason.outcome() == Outcome::Inconclusive => fault,
                _ => route.fault(
                    Reason::ProxyUnreachable,
                    &format!("failed: {}", fault.message),
                ),
            }
        }
    }
}
