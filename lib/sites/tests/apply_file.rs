//! What a sites file means, and what is said of a bad one. No database is needed here.

#![expect(
    clippy::unwrap_used,
    reason = "what fails in a test's helper fails the test"
)]

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;

use sites::{BadFile, Site, load};

/// Keys of a site that is in order but for them, and what is said of it.
const FAULTS: &[(&str, &str)] = &[
    (
        "interval: 5 lightyears",
        "interval: \"5 lightyears\" is no duration (unknown time unit \"lightyears\", supported units: ns, us/µs, ms, sec, min, hours, days, weeks, months, years (and few variations)); write 30s, 5m or 500ms",
    ),
    ("interval: 30", "interval: 30 has no unit; write 30s"),
    (
        "interval: [30s]",
        "interval: a list is no duration; write 30s, 5m or 500ms",
    ),
    (
        "interval: 99ms",
        "interval: \"99ms\" is too short; at least 100ms",
    ),
    (
        "interval: 25h",
        "interval: \"25h\" is too long; at most 1day",
    ),
    (
        "interval: 1500us",
        "interval: \"1500us\" is not whole milliseconds",
    ),
    ("timeout: 0s", "timeout: \"0s\" is too short; at least 1ms"),
    ("timeout: 11m", "timeout: \"11m\" is too long; at most 10m"),
    (
        "timeout: 61s",
        "timeout: 1m 1s is longer than the interval; at most 1m",
    ),
    (
        "enabled: 'yes'",
        "enabled: \"yes\" is neither true nor false",
    ),
    (
        "intervall: 30s",
        "intervall: unknown key; known are name, url, interval, timeout, enabled, labels, request, expect",
    ),
    (
        "'<<': {enabled: true}",
        "<<: is not merged; write `defaults:`",
    ),
    ("12: 3", "entry: the key 12 is no text; quote it"),
    ("[a]: 3", "entry: a list is no key; keys are text"),
    (
        "!x a: 3",
        "entry: a key has the tag !x, which means nothing here; leave it out",
    ),
    (
        "enabled: true, enabled: false",
        "enabled: is there twice; keep one",
    ),
    (
        "labels: [a]",
        "labels: a list is no map; write `labels:` and keys below it",
    ),
    ("labels: {1: a}", "labels: the key 1 is no text; quote it"),
    ("labels: {a: 1, a: 2}", "labels.a: is there twice; keep one"),
    (
        "labels: {a: .nan}",
        "labels.a: NaN is no number that JSON has; quote it",
    ),
    (
        "labels: {a: [1, -.inf]}",
        "labels.a[1]: -inf is no number that JSON has; quote it",
    ),
    (
        "labels: {a: 1e400}",
        "labels.a: is a number of more than 400 digits; write a shorter one",
    ),
    (
        "labels: {a: \"b\\0\"}",
        "labels.a: holds a NUL character, which PostgreSQL cannot store; leave it out",
    ),
    (
        "labels: {a: !b {c: d}}",
        "labels.a: has the tag !b, which means nothing here; leave it out",
    ),
    (
        "enabled: !b true",
        "enabled: has the tag !b, which means nothing here; leave it out",
    ),
    (
        "request: {read: head}, expect: {json: [{path: $, exists: true}]}",
        "request.read: head leaves the body unread, and expect.json needs it; remove one of the two",
    ),
    (
        "request: curl",
        "request: \"curl\" is no map; write `request:` and keys below it",
    ),
];

/// Loads a file that holds `yaml`; the messages call it `sites.yaml`.
fn read(yaml: impl AsRef<[u8]>) -> Result<Vec<Site>, String> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(yaml.as_ref()).unwrap();
    let path = file.path().display().to_string();
    load(file.path()).map_err(|error| error.to_string().replace(&path, "sites.yaml"))
}

/// A site of which only name and URL were said.
fn plain(name: &str, url: &str) -> Site {
    Site {
        name: name.into(),
        url: url.into(),
        interval_ms: 60_000,
        timeout_ms: 10_000,
        enabled: true,
        labels: "{}".into(),
        request: "{}".into(),
        expect: "{}".into(),
    }
}

#[test]
fn a_good_file_says_all_of_this() {
    let sites = read(
        r"
defaults:
  interval: 30s
  timeout: 20s
  labels: {team: web, tier: 1}
  expect: {status: [2xx], max_time: 2s}
sites:
  - name: plain
    url: https://plain.example
  - {name: quick, url: 'http://127.0.0.1:8080/a b', interval: 500ms}
  - name: full
    url: https://full.example/
    interval: 1h 30m
    timeout: 1s 500ms
    enabled: false
    labels: {tier: 2, 'on': yes, note: ~}
    request:
      method: POST
      headers: {authorization: 'Bearer ${secret:TOKEN}'}
      body: |
        two
        lines
    expect:
      max_time:
      body: [{contains: ok}]
",
    )
    .unwrap();
    let plain = Site {
        interval_ms: 30_000,
        timeout_ms: 20_000,
        labels: r#"{"team":"web","tier":1}"#.into(),
        expect: r#"{"max_time":"2s","status":["2xx"]}"#.into(),
        ..plain("plain", "https://plain.example")
    };
    let quick = Site {
        name: "quick".into(),
        url: "http://127.0.0.1:8080/a b".into(),
        interval_ms: 500,
        timeout_ms: 500,
        ..plain.clone()
    };
    let full = Site {
        name: "full".into(),
        url: "https://full.example/".into(),
        interval_ms: 5_400_000,
        timeout_ms: 1_500,
        enabled: false,
        labels: r#"{"note":null,"on":"yes","team":"web","tier":2}"#.into(),
        request: r#"{"body":"two\nlines\n","headers":{"authorization":"Bearer ${secret:TOKEN}"},"method":"POST"}"#
            .into(),
        expect: r#"{"body":[{"contains":"ok"}],"status":["2xx"]}"#.into(),
    };
    assert_eq!(sites, [plain, quick, full]);
}

#[test]
fn without_a_word_a_site_has_the_defaults_of_webmon() {
    let sites = read(
        "sites: [{name: a, url: 'http://a/'}, {name: b, url: 'http://b/', interval: 2s, timeout: }]",
    );
    let b = Site {
        interval_ms: 2_000,
        timeout_ms: 2_000,
        ..plain("b", "http://b/")
    };
    assert_eq!(sites.unwrap(), [plain("a", "http://a/"), b]);
    assert_eq!(read("sites: []").unwrap(), []);
}

#[test]
fn a_number_keeps_its_digits() {
    let sites = read(
        "sites: [{name: a, url: 'http://a/', labels: {a: 0.10, b: 1e3, c: 0x10}, \
         expect: {json: [{path: $, equals: 12345678901234567890123456789012345678901234567890}]}}]",
    )
    .unwrap();
    assert_eq!(sites[0].labels, r#"{"a":0.10,"b":1e+3,"c":16}"#);
    assert_eq!(
        sites[0].expect,
        r#"{"json":[{"equals":12345678901234567890123456789012345678901234567890,"path":"$"}]}"#
    );
}

#[test]
fn an_anchor_means_what_it_names() {
    let sites = read(
        "sites:\n- {name: a, url: 'http://a/', expect: &e {status: [200]}}\n- {name: b, url: 'http://b/', expect: *e}",
    )
    .unwrap();
    assert_eq!(sites[1].expect, r#"{"status":[200]}"#);
}

#[test]
fn the_file_of_newcomers_is_in_order() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sites.yaml");
    let sites = load(&file).unwrap();
    let urls: Vec<_> = sites.iter().map(|site| site.url.as_str()).collect();
    assert_eq!(
        urls,
        [
            "http://127.0.0.1:9360/healthz",
            "http://127.0.0.1:9360/metrics"
        ]
    );
    let text = std::fs::read_to_string(file).unwrap();
    let certificate = rcgen::generate_simple_self_signed(["intranet.example".to_owned()]).unwrap();
    let pem = certificate.cert.pem();
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let uncommented = text
        .replace('…', &base64)
        .replace("\n  #- ", "\n  - ")
        .replace("\n  #  ", "\n    ");
    let all = read(uncommented).unwrap();
    assert_eq!(all.len(), sites.len() + 5);
    let keys = |options: fn(&Site) -> &str| -> BTreeSet<String> {
        let objects = all.iter().map(options).map(serde_json::from_str);
        let objects = objects
            .collect::<Result<Vec<serde_json::Map<_, _>>, _>>()
            .unwrap();
        objects.into_iter().flatten().map(|(key, _)| key).collect()
    };
    let known = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
    assert_eq!(
        keys(|site| &site.request),
        known(contract::site::request::KEYS)
    );
    assert_eq!(
        keys(|site| &site.expect),
        known(contract::site::expect::KEYS)
    );
}

#[test]
fn each_fault_of_a_site_is_named_with_its_key_and_the_remedy() {
    for (keys, fault) in FAULTS {
        let error = read(format!("sites: [{{name: shop, url: 'http://a/', {keys}}}]")).unwrap_err();
        let report =
            format!("sites.yaml: 1 fault, so nothing was changed\n  sites[0] shop: {fault}");
        assert_eq!(error, report, "{keys}");
    }
}

#[test]
fn a_site_needs_a_name_and_an_address_that_can_be_probed() {
    let long = "x".repeat(256);
    for (site, fault) in [
        (
            "shop",
            "sites[0]: entry: \"shop\" is no site; write `name: …` and `url: …`",
        ),
        (
            "",
            "sites[0]: entry: nothing is no site; write `name: …` and `url: …`",
        ),
        (
            "{url: 'http://a/'}",
            "sites[0]: name: is missing; write `name: …`",
        ),
        (
            "{url: 'http://a/', name: 12}",
            "sites[0]: name: 12 is no text; quote it",
        ),
        (
            "{url: 'http://a/', name: ''}",
            "sites[0] \"\": name: is empty; write what people call the site",
        ),
        (
            "{name: shop}",
            "sites[0] shop: url: is missing; write `url: …`",
        ),
        (
            "{name: \"a\\nb\"}",
            "sites[0] \"a\\nb\": url: is missing; write `url: …`",
        ),
        (
            "{name: shop, url: shop.example}",
            "sites[0] shop: url: \"shop.example\" is no URL (relative URL without a base); write https://host/path",
        ),
        (
            "{name: shop, url: 'https://me:pw@shop.example'}",
            "sites[0] shop: url: carries a user name or password; use request.basic",
        ),
        (
            &format!("{{url: 'http://a/', name: {long}}}"),
            &format!("sites[0] {long}: name: 256 characters long; at most 255"),
        ),
    ] {
        let error = read(format!("sites:\n- {site}")).unwrap_err();
        let report = format!("sites.yaml: 1 fault, so nothing was changed\n  {fault}");
        assert_eq!(error, report, "{site}");
    }
}

#[test]
fn a_fault_of_the_file_itself_is_named() {
    let faults = "sites.yaml: 1 fault, so nothing was changed\n  ";
    for (yaml, fault) in [
        (
            "sites: [",
            "sites.yaml: did not find expected node content at line 2 column 1, while parsing a flow node",
        ),
        (
            "sites:\n  - name: a\n   url: b",
            "sites.yaml: did not find expected '-' indicator at line 3 column 4, while parsing a block collection at line 2 column 3",
        ),
        (
            "sites: *all",
            "sites.yaml: unknown anchor at line 1 column 8",
        ),
        (
            "sites: []\n---\nsites: []",
            "sites.yaml: deserializing from YAML containing more than one document is not supported",
        ),
        (
            "# nothing",
            &format!("{faults}sites: names no site; list them, or write `sites: []` for none"),
        ),
        (
            "sites:",
            &format!("{faults}sites: names no site; list them, or write `sites: []` for none"),
        ),
        (
            "site: []",
            &format!("{faults}site: unknown key; known are defaults, sites"),
        ),
        (
            "sites: []\nsites: []",
            &format!("{faults}sites: is there twice; keep one"),
        ),
        (
            "sites: {shop: 1}",
            &format!("{faults}sites: a map is no list; write `- name: …` for each site"),
        ),
        (
            "- name: shop",
            &format!("{faults}file: a list is no sites file; write `sites:` and list them below"),
        ),
        (
            "defaults: 1\nsites: []",
            &format!("{faults}defaults: entry: 1 is no map; write the keys below it"),
        ),
        (
            "defaults: {name: a}\nsites: []",
            &format!("{faults}defaults: name: belongs to one site; write it there"),
        ),
        (
            "defaults: {interval: 1}\nsites: []",
            &format!("{faults}defaults: interval: 1 has no unit; write 1s"),
        ),
    ] {
        assert_eq!(read(format!("{yaml}\n")).unwrap_err(), fault, "{yaml}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    assert_eq!(
        read(b"sites: \xff").unwrap_err(),
        "cannot read the sites file sites.yaml: stream did not contain valid UTF-8"
    );
    assert_eq!(
        load(Path::new("no/such.yaml")).unwrap_err().to_string(),
        "cannot read the sites file no/such.yaml: No such file or directory (os error 2)"
    );
}

#[test]
fn every_bad_site_is_named_in_one_report() {
    let error = read(
        r"
defaults: {timeout: soon}
sites:
  - {name: shop, url: 'http://a/'}
  - {name: bank, url: ftp://b/, interval: 1, enabled: 2}
  - {name: fine, url: 'http://c/'}
  - {name: shop, url: 'http://d/', timeout: 2m}
",
    )
    .unwrap_err();
    assert_eq!(
        error,
        r#"sites.yaml: 6 faults, so nothing was changed
  defaults: timeout: "soon" is no duration (expected number at 0); write 30s, 5m or 500ms
  sites[1] bank: interval: 1 has no unit; write 1s
  sites[1] bank: enabled: 2 is neither true nor false
  sites[1] bank: url: scheme "ftp" is not probed; use http or https
  sites[3] shop: name: is also the name of sites[0]; names are unique
  sites[3] shop: timeout: 2m is longer than the interval; at most 1m"#
    );
}

#[test]
fn a_long_report_prints_fifty_faults_and_counts_the_rest() {
    let sites = (0..60).fold(String::new(), |sites, n| {
        sites + &format!("- {{name: s{n}, url: u}}\n")
    });
    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(file, "sites:\n{sites}").unwrap();
    let error = load(file.path()).unwrap_err();
    let text = error.to_string();
    assert_eq!(text.lines().count(), 52);
    assert_eq!(text.lines().last(), Some("  … and 10 more"));
    assert!(matches!(error, BadFile::Faults { faults, .. } if faults.len() == 60));
}
