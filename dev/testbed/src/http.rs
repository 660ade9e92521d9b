//! Asking a service's own pages.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The whole answer of a service to `GET path`, head included; `None` while it does not listen.
pub async fn get(address: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    Some(answer)
}

/// The sum of a metric over its labels; zero while there is none.
pub async fn metric(address: SocketAddr, name: &str) -> f64 {
    let answer = get(address, "/metrics").await.unwrap_or_default();
    let values = answer.lines().filter_map(|line| {
        let (key, value) = line.rsplit_once(' ')?;
        let key = key.split('{').next()?;
        (key == name).then(|| value.parse::<f64>().ok())?
    });
    values.sum()
}
