//! Export: the table `site` → a sites file.

use std::io::Write;

use color_eyre::eyre::{self, WrapErr as _};
use contract::site::DEFAULT_TIMEOUT_MS;
use futures_util::TryStreamExt as _;
use sea_orm::{DatabaseConnection, FromQueryResult, StreamTrait as _};
use store::site::apply::{self as statements, Site};

use crate::check::{DEFAULT_INTERVAL_MS, EntryValidator};
use crate::name::shown;
use crate::yaml::node::Node;
use crate::yaml::text::{duration, json, text};
use crate::yaml::values::Values;
use crate::yaml::variables::{escaped, takes_secrets};

/// The first lines of the file.
const HEAD: &str = "\
# The sites of webmon: what `apply` reads. What is not written here has its default:
# interval 1m, timeout the smaller of 10s and the interval, enabled true, nothing else.
";

/// How many of the sites that were left out are named.
const NAMED: usize = 50;

/// What was exported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// How many sites were written.
    pub sites: u64,
    /// The first of those that were left out, as `apply` would refuse them: their names, and why.
    pub left_out: Vec<String>,
    /// How many more there are.
    pub more: usize,
}

/// Writes all sites as a sites file, ordered by name. Applying it to the same database changes nothing;
/// applying it to an empty one makes the same sites. Each entry is read as `apply` would, so that one odd
/// row does not make a whole file useless. Rows are written as they come, so that memory is flat in their
/// number.
pub async fn export(database: &DatabaseConnection, mut file: impl Write) -> eyre::Result<Exported> {
    let writing = "cannot write the sites file";
    let reading = "cannot read the sites from the database";
    let mut rows = database
        .stream_raw(statements::all())
        .await
        .wrap_err(reading)?;
    let mut exported = Exported::default();
    let mut proof = Proof::new();
    file.write_all(HEAD.as_bytes()).wrap_err(writing)?;
    while let Some(row) = rows.try_next().await.wrap_err(reading)? {
        let site = Site::from_query_result(&row, "").wrap_err(reading)?;
        let entry = entry(&site);
        if let Err(why) = proof.read(&site, &entry) {
            exported.leave_out(&site.name, &why);
            continue;
        }
        if exported.sites == 0 {
            writeln!(file, "sites:").wrap_err(writing)?;
        }
        file.write_all(entry.as_bytes()).wrap_err(writing)?;
        exported.sites = exported.sites.saturating_add(1);
    }
    if exported.sites == 0 {
        writeln!(file, "sites: []").wrap_err(writing)?;
    }
    file.flush().wrap_err(writing)?;
    Ok(exported)
}

impl Exported {
    /// Takes note of a site that cannot be written.
    fn leave_out(&mut self, name: &str, why: &str) {
        if self.left_out.len() < NAMED {
            self.left_out.push(format!("{}: {why}", shown(name)));
        } else {
            self.more = self.more.saturating_add(1);
        }
    }
}

/// Reads what was written, as `apply` would.
struct Proof {
    /// Checks entries of a file without defaults.
    validator: EntryValidator,
}

impl Proof {
    /// A reader of entries.
    fn new() -> Self {
        let (validator, _no_faults) = EntryValidator::new(Node::Nothing);
        Self { validator }
    }

    /// Whether the entry says what the site is; if not, why.
    fn read(&mut self, site: &Site, entry: &str) -> Result<(), String> {
        let mut values = Values::new(entry.as_bytes());
        let event = values.need_event().map_err(|error| error.to_string())?;
        let list = values.value(event).map_err(|error| error.to_string())?;
        let Node::List(mut entries) = list else {
            return Err("cannot be written as YAML".to_owned());
        };
        let (_, read) = self.validator.check(entries.pop().unwrap_or(Node::Nothing));
        let read = read.map_err(|faults| {
            let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
            faults.join("; ")
        })?;
        if same(site, &read) {
            Ok(())
        } else {
            Err("holds a number that cannot be written in full".to_owned())
        }
    }
}

/// Whether two sites say the same, whatever the order and the blanks of their JSON.
fn same(one: &Site, other: &Site) -> bool {
    let value = |json: &str| serde_json::from_str::<serde_json::Value>(json).ok();
    let maps = |site: &Site| [&site.labels, &site.request, &site.expect].map(|json| value(json));
    let plain = |site: &Site| {
        let Site {
            interval_ms,
            timeout_ms,
            enabled,
            ..
        } = *site;
        (interval_ms, timeout_ms, enabled)
    };
    one.name == other.name
        && one.url == other.url
        && plain(one) == plain(other)
        && maps(one) == maps(other)
}

/// A site as an entry of the file, below `sites:`.
pub fn entry(site: &Site) -> String {
    let Site {
        name,
        url,
        interval_ms,
        timeout_ms,
        enabled,
        labels,
        request,
        expect,
    } = site;
    let mut entry = format!(
        "  - name: {}\n    url: {}\n",
        text(&escaped(name, false)),
        text(&escaped(url, false))
    );
    let mut line = |key: &str, value: &str| {
        for part in ["    ", key, ": ", value, "\n"] {
            entry.push_str(part);
        }
    };
    if *interval_ms != DEFAULT_INTERVAL_MS {
        line("interval", &duration(*interval_ms));
    }
    if *timeout_ms != DEFAULT_TIMEOUT_MS.min(*interval_ms) {
        line("timeout", &duration(*timeout_ms));
    }
    if !enabled {
        line("enabled", "false");
    }
    for (key, map) in [("labels", labels), ("request", request), ("expect", expect)] {
        if map != "{}" {
            // `${` can only stand in the strings of JSON
            line(key, &json(&escaped(map, takes_secrets(key))));
        }
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_says_what_is_not_default() {
        let plain = Site {
            name: "shop".into(),
            url: "https://shop.example/".into(),
            interval_ms: 60_000,
            timeout_ms: 10_000,
            enabled: true,
            labels: "{}".into(),
            request: "{}".into(),
            expect: "{}".into(),
        };
        assert_eq!(
            entry(&plain),
            "  - name: shop\n    url: https://shop.example/\n"
        );
        let full = Site {
            name: "- shop: \"1\"".into(),
            interval_ms: 5_000,
            timeout_ms: 1_500,
            enabled: false,
            labels: r#"{"team": "a\u007fb"}"#.replace("\\u007f", "\u{7f}"),
            expect: r#"{"status": ["2xx"]}"#.into(),
            ..plain
        };
        assert_eq!(
            entry(&full),
            r#"  - name: "- shop: \"1\""
    url: https://shop.example/
    interval: 5s
    timeout: 1s 500ms
    enabled: false
    labels: {"team": "a\u007fb"}
    expect: {"status": ["2xx"]}
"#
        );
    }
}
