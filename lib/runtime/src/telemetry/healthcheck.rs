//! The command `healthcheck`: asks the running service whether it is ready, so that images need no shell.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How long the service may take to answer.
const LIMIT: Duration = Duration::from_secs(3);

/// The longest answer that is read, in bytes.
const MAX_ANSWER: usize = 16_384;

/// The service is not healthy, as far as one can see from outside.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HealthcheckError {
    /// There is no answer.
    #[error(
        "no answer from http://{address}/readyz: {source}; check that the service runs with this http.listen"
    )]
    Unreachable {
        /// Where it was asked.
        address: SocketAddr,
        /// What happened.
        source: io::Error,
    },
    /// The service says that it is not ready, or it is no service of webmon.
    #[error("http://{address}/readyz says {status}: {body}")]
    NotReady {
        /// Where it was asked.
        address: SocketAddr,
        /// The status of the answer.
        status: String,
        /// The body of the answer: what is missing.
        body: String,
    },
}

/// Asks `/readyz` on the port that the service listens on; three seconds at most.
pub async fn healthcheck(listen: SocketAddr) -> Result<(), HealthcheckError> {
    let address = reachable(listen);
    let unreachable = |source| HealthcheckError::Unreachable { address, source };
    let answer = tokio::task::spawn_blocking(move || ask(address))
        .await
        .map_err(|error| unreachable(io::Error::other(error)))?
        .map_err(unreachable)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status_line = head.lines().next().unwrap_or_default();
    let status = status_line
        .split_once(' ')
        .map_or(status_line, |(_, status)| status);
    if status.starts_with("200 ") {
        return Ok(());
    }
    Err(HealthcheckError::NotReady {
        address,
        status: status.to_owned(),
        body: body.trim().to_owned(),
    })
}

/// Where a listening address is reached from this host.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// One request over a connection of its own; the answer ends with the connection.
fn ask(address: SocketAddr) -> io::Result<String> {
    let deadline = Instant::now() + LIMIT;
    let mut stream = TcpStream::connect_timeout(&address, LIMIT)?;
    stream.set_write_timeout(Some(LIMIT))?;
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    let mut part = [0; 1_024];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        let read = match stream.read(&mut part) {
            // What a read timeout is called on Unix.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            read => read?,
        };
        answer.extend(part.iter().take(read));
        if read == 0 || answer.len() > MAX_ANSWER {
            return Ok(String::from_utf8_lossy(&answer).into_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_listens_everywhere_is_asked_on_loopback() {
        for (listen, asked) in [
            ("0.0.0.0:9361", "127.0.0.1:9361"),
            ("[::]:9361", "[::1]:9361"),
            ("10.1.2.3:9361", "10.1.2.3:9361"),
        ] {
            assert_eq!(reachable(listen.parse().unwrap()), asked.parse().unwrap());
        }
    }
}
