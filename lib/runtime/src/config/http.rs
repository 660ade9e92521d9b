//! `http`: metrics and health.

use std::net::SocketAddr;

use serde::Deserialize;

use super::document::Document;

/// `http`: metrics and health.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpConfig {
    /// `http.listen`.
    pub listen: SocketAddr,
}

/// The section as written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHttp {
    /// `http.listen`.
    listen: Option<String>,
}

impl HttpConfig {
    /// Takes the section `http`; each program listens elsewhere by `default`.
    pub fn take(document: &mut Document, default: SocketAddr) -> Option<Self> {
        let RawHttp { listen } = document.take("http")?;
        let listen = listen.map_or(Ok(default), |text| {
            text.parse().map_err(|_| {
                format!("must be an IP address and a port like `{default}` or `[::1]:9000`")
            })
        });
        Some(Self {
            listen: document.check("http.listen", listen)?,
        })
    }
}
