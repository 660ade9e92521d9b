//! The table `site` → a sites file.

use std::io::Write;

use color_eyre::eyre::{self, WrapErr as _};
use contract::site::DEFAULT_TIMEOUT_MS;
use futures_util::TryStreamExt as _;
use sea_orm::{DatabaseConnection, DbBackend, FromQueryResult, Statement, StreamTrait as _};

use super::site::{DEFAULT_INTERVAL_MS, Site};
use super::yaml;

/// All sites. JSON is read as text and passed through, so that numbers keep all their digits.
const ALL: &str = "
    SELECT name, url, interval_ms, timeout_ms, enabled,
           labels::text AS labels, request::text AS request, expect::text AS expect
    FROM site ORDER BY name";

/// The first lines of the file.
const HEAD: &str = "\
# The sites of webmon: what `apply` reads. What is not written here has its default:
# interval 1m, timeout the smaller of 10s and the interval, enabled true, nothing else.
";

/// Writes all sites as a sites file, ordered by name, and tells how many they are. Applying it to the
/// same database changes nothing; applying it to an empty one makes the same sites. Rows are written as
/// they come, so that memory is flat in their number.
pub async fn export(database: &DatabaseConnection, mut file: impl Write) -> eyre::Result<u64> {
    let writing = "cannot write the sites file";
    let reading = "cannot read the sites from the database";
    let statement = Statement::from_string(DbBackend::Postgres, ALL);
    let mut rows = database.stream_raw(statement).await.wrap_err(reading)?;
    let mut sites = 0_u64;
    file.write_all(HEAD.as_bytes()).wrap_err(writing)?;
    while let Some(row) = rows.try_next().await.wrap_err(reading)? {
        if sites == 0 {
            writeln!(file, "sites:").wrap_err(writing)?;
        }
        let site = Site::from_query_result(&row, "").wrap_err(reading)?;
        file.write_all(entry(&site).as_bytes()).wrap_err(writing)?;
        sites = sites.saturating_add(1);
    }
    if sites == 0 {
        writeln!(file, "sites: []").wrap_err(writing)?;
    }
    file.flush().wrap_err(writing)?;
    Ok(sites)
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
        yaml::text(name),
        yaml::text(url)
    );
    let mut line = |key: &str, value: &str| {
        for part in ["    ", key, ": ", value, "\n"] {
            entry.push_str(part);
        }
    };
    if *interval_ms != DEFAULT_INTERVAL_MS {
        line("interval", &yaml::duration(*interval_ms));
    }
    if *timeout_ms != DEFAULT_TIMEOUT_MS.min(*interval_ms) {
        line("timeout", &yaml::duration(*timeout_ms));
    }
    if !enabled {
        line("enabled", "false");
    }
    for (key, json) in [("labels", labels), ("request", request), ("expect", expect)] {
        if json != "{}" {
            line(key, &yaml::json(json));
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
