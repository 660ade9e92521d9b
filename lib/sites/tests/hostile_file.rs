//! A sites file of a stranger, or of a strange editor: it is read or refused in bounded time and memory, and
//! what is said of it does nothing to a terminal.

#![expect(
    clippy::unwrap_used,
    reason = "what fails in a test's helper fails the test"
)]

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use contract::text::is_harmless;
use proptest::prelude::*;
use sites::{Site, entry, load, read};

/// No file of these tests takes longer, by far.
const SOON: Duration = Duration::from_secs(20);

/// What is said of a text, at once; nothing if its sites are in order.
fn said(text: impl Into<String>) -> Option<String> {
    let started = Instant::now();
    let read = read(Path::new("sites.yaml"), text.into());
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
    let said = read.err().map(|error| error.to_string());
    if let Some(said) = &said {
        assert!(said.len() < 100_000, "{} bytes are said", said.len());
    }
    said
}

/// The names of the sites of a text that is in order.
fn names(text: impl Into<String>) -> Vec<String> {
    let sites = read(Path::new("sites.yaml"), text.into()).unwrap();
    sites.into_iter().map(|site| site.name).collect()
}

/// A sites file whose only site says this as well.
fn site(keys: &str) -> String {
    format!("sites:\n- {{name: shop, url: 'http://a/', {keys}}}\n")
}

#[test]
fn depth_is_bounded() {
    let deep = "sites.yaml: lists and maps lie more than 64 deep in each other at line ";
    for (open, times) in [
        ("[", 100_000),
        ("{a: ", 50_000),
        ("- ", 50_000),
        ("? ", 50_000),
    ] {
        let nested = open.repeat(times);
        for text in [
            nested.clone(),
            format!("sites: {nested}"),
            format!("sites:\n- name: a\n  labels:\n    a: {nested}"),
            format!("defaults:\n  labels: {{a: {nested}"),
        ] {
            let said = said(text).unwrap();
            assert!(said.starts_with("sites.yaml: "), "{said}");
            assert!(
                !open.starts_with(['[', '{']) || said.starts_with(deep),
                "{open}: {said}"
            );
        }
    }
    // between quotes and comments, which hide brackets from a count of them
    for hidden in ["['',\n# ]\n", "['',\n  # ]\n  ", "{\"}\": "] {
        let text = format!("sites: {}", hidden.repeat(20_000));
        assert!(said(text).is_some(), "{hidden}");
    }
    let nested = format!("labels: {{a: {}{}}}", "[".repeat(50), "]".repeat(50));
    assert_eq!(said(site(&nested)), None);
}

#[test]
fn aliases_are_bounded() {
    let levels = |count: usize, times: usize| {
        let mut yaml =
            "defaults:\n  labels:\n    a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..=count {
            let aliases = vec![format!("*a{}", level - 1); times].join(", ");
            writeln!(yaml, "    a{level}: &a{level} [{aliases}]").unwrap();
        }
        yaml + "sites: [{name: a, url: 'http://a/'}]\n"
    };
    assert_eq!(said(levels(2, 3)), None);
    let bomb = said(levels(9, 10)).unwrap();
    assert!(
        bomb.contains("larger than") || bomb.contains("too large"),
        "{bomb}"
    );
    // small, and each in the one before: the depth adds up
    let chain = said(levels(100, 1)).unwrap();
    assert!(chain.contains("more than 64 deep"), "{chain}");
    let itself = said("sites: [{name: a, url: 'http://a/', labels: &l {a: *l}}]").unwrap();
    assert!(
        itself.contains("names the value that it stands in"),
        "{itself}"
    );
    // many sites may still share what is small
    let mut shared = String::new();
    for n in 0..2_000 {
        writeln!(shared, "- {{name: s{n}, url: 'http://a/', expect: *e}}").unwrap();
    }
    let text = format!("defaults: {{expect: &e {{status: [200]}}}}\nsites:\n{shared}");
    assert_eq!(names(text).len(), 2_000);
}

#[test]
fn values_are_bounded_and_the_other_sites_are_still_judged() {
    let long = "x".repeat(2 << 20);
    let text = format!("sites:\n- {{name: a, labels: {{a: {long}}}}}\n- {{name: b}}\n");
    assert_eq!(
        said(text).unwrap(),
        "sites.yaml: 2 faults, so nothing was changed\n  \
         sites[0]: entry: is larger than 1048576 bytes; a site is far smaller\n  \
         sites[1] b: url: is missing; write `url: …`"
    );
    let longer = "x".repeat(5 << 20);
    for text in [
        format!("sites: [{longer}]"),
        format!("# {longer}\nsites: []"),
    ] {
        let said = said(text).unwrap();
        assert!(
            said.contains("a value or comment of more than 4194304 characters"),
            "{said}"
        );
    }
    for keys in [
        format!("interval: {}", "9".repeat(900_000)),
        format!("'{}': 1", "k".repeat(900_000)),
    ] {
        let said = said(site(&keys)).unwrap();
        assert!(said.len() < 3_000, "{} bytes", said.len());
    }
}

#[test]
fn what_is_no_text_is_refused_at_once() {
    let zero = load(Path::new("/dev/zero")).unwrap_err().to_string();
    assert!(zero.contains("a NUL character at line 1"), "{zero}");
    let random = load(Path::new("/dev/urandom")).unwrap_err().to_string();
    assert!(
        random.starts_with("cannot read the sites file /dev/urandom") || random.contains("line 1"),
        "{random:?}"
    );
    let folder = tempfile::tempdir().unwrap();
    let named = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        load(&path).map_err(|error| error.to_string())
    };
    let text = "sites: [{name: é, url: 'http://a/'}]\r\n";
    let wide = |mark: &str| -> Vec<u8> {
        format!("{mark}{text}")
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect()
    };
    assert!(
        named("bom", &wide("\u{feff}"))
            .unwrap_err()
            .ends_with("the text is UTF-16; save the file as UTF-8")
    );
    assert!(
        named("wide", &wide(""))
            .unwrap_err()
            .contains("UTF-16; save the file as UTF-8")
    );
    assert_eq!(
        named("mark.yml", format!("\u{feff}{text}").as_bytes())
            .unwrap()
            .len(),
        1
    );
    assert!(named("empty", b"").unwrap_err().contains("names no site"));
}

#[test]
fn a_tab_is_named_with_its_line() {
    for text in ["sites:\n\t- name: a\n", "sites:\n- name: a\n\turl: b\n"] {
        let said = said(text).unwrap();
        let line = text
            .lines()
            .position(|line| line.starts_with('\t'))
            .unwrap()
            + 1;
        assert!(
            said.ends_with(&format!("line {line} begins with a tab, indent by spaces")),
            "{said}"
        );
    }
}

#[test]
fn defaults_may_stand_anywhere() {
    for text in [
        "defaults: {interval: 2s}\nsites: [{name: a, url: 'http://a/'}]\n",
        "sites: [{name: a, url: 'http://a/'}]\ndefaults: {interval: 2s}\n",
        "{\"sites\": [{\"name\": \"a\", \"url\": \"http://a/\"}], \"defaults\": {\"interval\": \"2s\"}}",
    ] {
        let sites = read(Path::new("sites.yaml"), text.to_owned()).unwrap();
        assert_eq!(sites[0].interval_ms, 2_000, "{text}");
    }
    let twice = "sites: [{name: a}]\ndefaults: {}\ndefaults: {}\nsites: []\n";
    let said = said(twice).unwrap();
    for words in [
        "defaults: is there twice",
        "sites: is there twice",
        "sites[0] a: url: is missing",
    ] {
        assert!(said.contains(words), "{said}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("late.yaml");
    std::fs::write(
        &path,
        "sites: [{name: a, url: 'http://a/'}]\ndefaults: {interval: 2s}\n",
    )
    .unwrap();
    assert_eq!(load(&path).unwrap()[0].interval_ms, 2_000);
}

#[test]
fn nothing_that_is_said_of_a_file_harms_a_terminal() {
    let odd = "\\e[31m\\u202e\\u200b\\x9b\\n  sites[9] fake";
    for text in [
        format!("\"{odd}\": 1"),
        format!("sites: \"{odd}\""),
        format!("sites: [{{name: \"{odd}\"}}]"),
        site(&format!("\"{odd}\": 1")),
        site(&format!("interval: \"{odd}\"")),
        site(&format!("labels: {{\"{odd}\": .nan}}")),
        site(&format!("labels: {{\"{odd}\": {{a: 1, a: 2}}}}")),
        site(&format!("request: {{\"{odd}\": 1}}")),
        site(&format!("request: {{headers: {{\"{odd}\": x}}}}")),
        site(&format!("request: {{method: \"{odd}\"}}")),
        site(&format!("expect: {{body: [{{\"{odd}\": x}}]}}")),
        site(&format!("expect: {{body: [{{matches: \"({odd}\"}}]}}")),
        site(&format!("url: \"{odd}\"")),
        site("enabled: !\u{202e}tag 1"),
        site("enabled: *\u{202e}alias"),
    ] {
        let said = said(text).unwrap();
        for line in said.lines() {
            assert!(line.chars().all(is_harmless), "{said:?}");
            assert!(!line.starts_with("  sites[9]"), "{said:?}");
        }
    }
}

#[test]
fn a_variable_is_no_secret() {
    for (keys, place) in [
        ("request: {bearer: '${API_TOKEN}'}", "request.bearer"),
        (
            "request: {headers: {x-a: '${secrets:API_TOKEN}'}}",
            "request.headers.x-a",
        ),
        (
            "request: {headers: {x-a: 'a ${SECRET:API_TOKEN}'}}",
            "request.headers.x-a",
        ),
        (
            "request: {basic: {username: a, password: '${API_TOKEN:-x}'}}",
            "request.basic.password",
        ),
        ("request: {body: '${api_token}'}", "request.body"),
        (
            "expect: {body: [{contains: '${API_TOKEN}'}]}",
            "expect.body[0].contains",
        ),
        ("labels: {a: '${secret:API_TOKEN}'}", "labels.a"),
    ] {
        let said = said(site(keys)).unwrap();
        assert!(said.contains(&format!(" {place}: ")), "{said}");
        assert!(said.contains("`${secret:API_TOKEN}`"), "{said}");
    }
    let url = said("sites: [{name: a, url: 'http://a/?key=${API_TOKEN}'}]").unwrap();
    assert!(
        url.contains("sites[0] a: url: ") && url.contains("${secret:API_TOKEN}"),
        "{url}"
    );
    let literal =
        "sites: [{name: a, url: 'http://a/', request: {method: POST, body: '$${a} ${secret:B}'}}]";
    let sites = read(Path::new("sites.yaml"), literal.to_owned()).unwrap();
    assert_eq!(
        sites[0].request,
        r#"{"body":"${a} ${secret:B}","method":"POST"}"#
    );
}

/// Texts that YAML could take for something else.
fn odd_text() -> impl Strategy<Value = String> {
    let words = proptest::sample::select(vec![
        "no",
        "1e3",
        "null",
        "~",
        " leading",
        "trailing ",
        "#",
        "a #b",
        "a: b",
        "- a",
        "|",
        "\"",
        "'",
        "\\",
        "${A}",
        "$${A}",
        "${secret:A}",
        "\n",
        "\r\n",
        "\t",
        "---",
        "...",
        "!a",
        "&a",
        "*a",
        "%a",
        "@",
        "`",
        "0x1f",
        "\u{feff}",
        "\u{2028}",
        "\u{202e}",
        "\u{e0041}",
        "\u{85}",
        "\u{7f}",
        "é",
        "日本語",
        "🦀",
        ".inf",
        "12:30",
        "[",
        "]",
        "{",
        "}",
        ",",
    ]);
    let word = prop_oneof![
        words.prop_map(str::to_owned),
        any::<char>().prop_map(String::from)
    ];
    proptest::collection::vec(word, 1..6).prop_map(|words| words.concat().replace('\0', "0"))
}

proptest! {
    #[test]
    fn what_is_exported_is_read_as_the_same(
        name in odd_text(), key in odd_text(), value in odd_text(), deep in 0_usize..40,
    ) {
        let mut label = serde_json::json!({ key.clone(): value.clone() });
        for _ in 0..deep {
            label = serde_json::json!([label]);
        }
        let labels = serde_json::json!({ key: label }).to_string();
        let expect = serde_json::json!({ "body": [{ "contains": value }] }).to_string();
        let site = Site {
            name,
            url: "http://a/${B}?c=$${d}".to_owned(),
            interval_ms: 60_000,
            timeout_ms: 10_000,
            enabled: true,
            labels,
            request: "{}".to_owned(),
            expect,
        };
        let file = format!("sites:\n{}", entry(&site));
        let shown = file.lines().all(|line| line.chars().all(is_harmless));
        prop_assert!(shown, "{file:?}");
        let sites = read(Path::new("sites.yaml"), file.clone());
        prop_assert_eq!(sites.map_err(|error| format!("{error}: {file}")), Ok(vec![site]));
    }
}
