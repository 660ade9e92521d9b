//! The floor: what the kernel takes for a check that nobody looks at.
//!
//! A thread for each check at once does nothing but connect, write, read to the end and close.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use color_eyre::eyre::{OptionExt as _, Result, WrapErr as _};

use super::Report;
use super::checks::{Checks, Count};

/// The stack of a thread, in bytes.
const STACK_BYTES: usize = 64 * 1024;

/// Makes checks; see [`Checks`].
pub(super) async fn run(checks: Checks) -> Result<Report> {
    let count = Arc::new(Count::default());
    for n in 0..checks.in_flight {
        let address = checks.url(n).strip_prefix("http://");
        let address: SocketAddr = address
            .and_then(|rest| rest.trim_end_matches('/').parse().ok())
            .ok_or_eyre("bare sockets ask http://ADDRESS:PORT/ only")?;
        let (count, delay) = (Arc::clone(&count), checks.delay(n));
        thread::Builder::new()
            .stack_size(STACK_BYTES)
            .spawn(move || check_for_ever(address, delay, &count))
            .wrap_err("start a thread")?;
    }
    checks.measure(&count).await
}

/// The loop of one thread.
fn check_for_ever(address: SocketAddr, delay: Duration, count: &Count) {
    thread::park_timeout(delay);
    let request = format!("GET / HTTP/1.1\r\nhost: {address}\r\naccept: */*\r\n\r\n");
    loop {
        count.add(check(address, request.as_bytes()).unwrap_or(false));
    }
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
