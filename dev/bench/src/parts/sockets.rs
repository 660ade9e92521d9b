//! The floor: what the kernel takes for a check whose answer is not looked at.
//!
//! A thread for each check at once does nothing but connect, write, read to the end and close.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use color_eyre::eyre::{OptionExt as _, Result};

use super::Report;
use super::checks::Checks;

/// Makes checks; see [`Checks`].
pub(super) async fn run(checks: Checks) -> Result<Report> {
    let prepare = |url: &str| {
        let address = url.strip_prefix("http://");
        let address: SocketAddr = address
            .and_then(|rest| rest.trim_end_matches('/').parse().ok())
            .ok_or_eyre("bare sockets ask http://ADDRESS:PORT/ only")?;
        let request = format!("GET / HTTP/1.1\r\nhost: {address}\r\naccept: */*\r\n\r\n");
        Ok(move || check(address, request.as_bytes()).unwrap_or(false))
    };
    checks.on_threads(prepare).await
}

/// One check.
fn check(address: SocketAddr, request: &[u8]) -> io::Result<bool> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(request)?;
    let mut buffer = [0; 4 * 1024];
    let mut well = None;
    loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Ok(well == Some(true));
        }
        let start = buffer.get(..read).unwrap_or_default();
        well = well.or(Some(start.starts_with(b"HTTP/1.1 200")));
    }
}
