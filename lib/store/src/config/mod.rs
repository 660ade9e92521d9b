//! `database`: where `PostgreSQL` is.

mod sslmode;

use contract::passwords::FORM;
use postgres_address::{Address, Environment};
use runtime::config::{Document, Secret};
use runtime::reload::{Changes, Fixed};
use serde::Deserialize;

/// What the address is called in messages.
pub(crate) const KEY: &str = "database.url";

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

impl Fixed for DatabaseConfig {
    fn compare(&self, new: &Self, changes: &mut Changes) {
        let Self { url } = new;
        changes.needs_restart(KEY, &self.url, url);
    }
}

impl DatabaseConfig {
    /// Takes the section `database`, which must be there.
    pub fn take(document: &mut Document) -> Option<Self> {
        let RawDatabase { url } = document.take("database")?;
        let url = document.check(KEY, valid_url(url))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_that_needs_a_restart_is_named_by_itself() {
        let [old, new] = ["postgres://h/d", "postgres://h/e"].map(|url| DatabaseConfig {
            url: Secret::new(url),
        });
        let mut changes = Changes::default();
        changes.fixed(&old, &old);
        assert_eq!(changes, Changes::default());
        changes.fixed(&old, &new);
        assert!(changes.made.is_empty());
        assert_eq!(changes.restart, ["database.url"]);
    }
}
