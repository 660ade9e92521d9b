//! `database`: where `PostgreSQL` is.

use postgres_address::{Address, Environment, FORM};
use serde::Deserialize;

use super::document::Document;
use super::secret::Secret;

/// `database`: where `PostgreSQL` is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseConfig {
    /// `database.url`: `postgres://user:password@host:port/name`.
    pub url: Secret,
}

/// The section as written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDatabase {
    /// `database.url`.
    url: Option<String>,
}

impl DatabaseConfig {
    /// Takes the section `database`, which must be there.
    pub fn take(document: &mut Document) -> Option<Self> {
        let RawDatabase { url } = document.take("database")?;
        let url = document.check("database.url", valid_url(url))?;
        Some(Self {
            url: Secret::new(url),
        })
    }
}

/// An address that can be used, as far as can be told without a connection. No message shows any of it.
fn valid_url(raw: Option<String>) -> Result<String, String> {
    let text = raw.ok_or_else(|| format!("missing: say where PostgreSQL is, as {FORM}"))?;
    Address::parse(&text)
        .and_then(|address| address.options(&Environment::of_process()))
        .map_err(|error| error.to_string())?;
    Ok(text)
}
