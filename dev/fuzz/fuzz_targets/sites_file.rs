//! A sites file: whatever it says, it is read or refused; what is read keeps the rules of `contract`,
//! and means the same once it was exported.
//!
//! The input is the file. It is also the name of a site, since a name may be any text.

#![no_main]

use std::path::Path;

use contract::site::{
    Expect, MAX_INTERVAL_MS, MAX_NAME_CHARS, MAX_OPTIONS_BYTES, MAX_TIMEOUT_MS, MIN_INTERVAL_MS,
    Request, parse_url,
};
use libfuzzer_sys::{Corpus, fuzz_target};
use serde_json::{Map, Value};
use sites::{BadFile, Site};

fuzz_target!(|file: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(file) else {
        return Corpus::Reject;
    };
    match read(text) {
        Ok(sites) => {
            sites.iter().for_each(assert_valid);
            assert_exported(&sites);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    if let Some(site) = named(text) {
        assert_exported(&[site]);
    }
    Corpus::Keep
});

/// Reads a text as if it were a file.
fn read(text: &str) -> Result<Vec<Site>, BadFile> {
    sites::read(Path::new("sites.yaml"), text.to_owned())
}

/// Fails unless the site may be in the table, and its checks can be made.
fn assert_valid(site: &Site) {
    let Site {
        name,
        url,
        interval_ms,
        timeout_ms,
        enabled: _,
        labels,
        request,
        expect,
    } = site;
    assert!((1..=MAX_NAME_CHARS).contains(&name.chars().count()));
    parse_url(url).expect(url);
    let (interval_ms, timeout_ms) = (i64::from(*interval_ms), i64::from(*timeout_ms));
    assert!((MIN_INTERVAL_MS..=MAX_INTERVAL_MS).contains(&interval_ms));
    assert!((1..=MAX_TIMEOUT_MS.min(interval_ms)).contains(&timeout_ms));
    assert!(labels.len() <= MAX_OPTIONS_BYTES);
    serde_json::from_str::<Map<String, Value>>(labels).expect(labels);
    Request::parse(request).expect(request);
    Expect::parse(expect).expect(expect);
}

/// A site of this name, which is also in its labels.
fn named(text: &str) -> Option<Site> {
    let storable = text.chars().filter(|c| *c != '\0');
    let name: String = storable.take(MAX_NAME_CHARS).collect();
    let labels = Map::from_iter([(name.clone(), Value::from(name.as_str()))]);
    (!name.is_empty()).then(|| Site {
        name,
        url: "http://a/".to_owned(),
        interval_ms: 60_000,
        timeout_ms: 10_000,
        enabled: true,
        labels: Value::from(labels).to_string(),
        request: "{}".to_owned(),
        expect: "{}".to_owned(),
    })
}

/// Fails unless the sites, exported, are read as the same.
fn assert_exported(sites: &[Site]) {
    let entries: String = sites.iter().map(sites::entry).collect();
    let file = match sites {
        [] => "sites: []".to_owned(),
        _ => format!("sites:\n{entries}"),
    };
    assert_eq!(read(&file).expect(&file), sites, "{file}");
}
