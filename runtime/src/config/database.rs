//! `database`: where `PostgreSQL` is.

use serde::Deserialize;
use url::Url;

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

/// A URL that `PostgreSQL`'s clients understand. No message shows any of it.
fn valid_url(raw: Option<String>) -> Result<String, String> {
    let form = "`postgres://user:password@host:5432/name`";
    let text = raw.ok_or_else(|| format!("missing: say where PostgreSQL is, as {form}"))?;
    let url = Url::parse(&text).map_err(|problem| {
        format!("must be {form}, not this ({problem}): percent-encode special characters")
    })?;
    if !matches!(url.scheme(), "postgres" | "postgresql") || url.cannot_be_a_base() {
        return Err(format!("must begin with `postgres://`, as {form}"));
    }
    Ok(text)
}
