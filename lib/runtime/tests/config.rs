//! What every service's configuration has in common, from the file to the valid value.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test fails as the test does"
)]

mod fixtures;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use contract::text::is_harmless;
use contract::trace::Share;
use proptest::prelude::*;
use runtime::config::{
    ConfigError, Document, HttpConfig, Limits, LogConfig, LogFormat, ProcessEnvironment, Scalar,
    TracesConfig,
};
use store::config::DatabaseConfig;
use stream::config::{ClientCertificate, KafkaConfig, KafkaSsl};
use tempfile::TempDir;

/// The smallest complete file.
const MINIMAL: &str = "{database: {url: 'postgres://h/d'}, kafka: {brokers: ['k:9092']}}";

/// The sections that every service has.
#[derive(Debug, PartialEq, Eq)]
struct Shared {
    /// `database`.
    database: DatabaseConfig,
    /// `kafka`.
    kafka: KafkaConfig,
    /// `http`.
    http: HttpConfig,
    /// `log`.
    log: LogConfig,
    /// `traces`.
    traces: Option<TracesConfig>,
}

/// Loads the shared sections of a file.
fn load(file: &Path, environment: ProcessEnvironment) -> Result<Shared, ConfigError> {
    let mut document = Document::read(file, "write one", environment)?;
    let database = DatabaseConfig::take(&mut document);
    let kafka = KafkaConfig::take(&mut document);
    let http = HttpConfig::take(&mut document, "127.0.0.1:9000".parse().unwrap());
    let log = LogConfig::take(&mut document);
    let traces = TracesConfig::take(&mut document);
    let all = || {
        Some(Shared {
            database: database?,
            kafka: kafka?,
            http: http?,
            log: log?,
            traces: traces?,
        })
    };
    document.finish(all())
}

/// Loads a text as if it were a file in `folder`, with some variables set.
fn read(folder: &TempDir, text: &str) -> Result<Shared, ConfigError> {
    let file = folder.path().join("config.yaml");
    fs::write(&file, text).unwrap();
    let variables = [
        ("TOPIC", "7"),
        ("COUNT", "8"),
        ("EMPTY", ""),
        ("PASSWORD", "s3cret"),
    ];
    let variables = variables
        .map(|(name, value)| (name.to_owned(), value.into()))
        .into();
    load(
        &file,
        ProcessEnvironment {
            variables,
            directory: folder.path().into(),
            terminal: false,
        },
    )
}

/// The same for texts that are right.
fn accepted(text: &str) -> Shared {
    read(&TempDir::new().unwrap(), text).unwrap()
}

/// `MINIMAL` with more in the section `kafka`.
fn with_kafka(more: &str) -> String {
    format!("database:\n  url: postgres://h/d\nkafka:\n  brokers: ['k:9092']\n{more}")
}

#[test]
fn every_bad_file_gives_its_exact_message() {
    fixtures::every_bad_file_gives_its_exact_message(|file| {
        load(file, ProcessEnvironment::of_process())
    });
}

#[test]
fn every_key_has_a_bad_file() {
    fixtures::every_key_has_a_bad_file();
}

#[test]
fn no_bad_file_makes_a_message_with_its_password() {
    for entry in fs::read_dir("tests/bad-config").unwrap() {
        let file = entry.unwrap().path();
        if let Err(error) = load(&file, ProcessEnvironment::of_process()) {
            let (shown, debugged) = (error.to_string(), format!("{error:?}"));
            let leaks = shown.contains("s3") || debugged.contains("s3");
            assert!(!leaks, "{}: {debugged}", file.display());
        }
    }
}

#[test]
fn a_missing_file_and_a_directory_name_the_remedy() {
    let missing = load(Path::new("no-such.yaml"), ProcessEnvironment::default()).unwrap_err();
    assert_eq!(missing.to_string(), "no-such.yaml: no such file: write one");
    let directory = load(Path::new("tests"), ProcessEnvironment::default()).unwrap_err();
    assert_eq!(
        directory.to_string(),
        "tests: is a directory: name the file in it"
    );
    let endless = load(Path::new("/dev/zero"), ProcessEnvironment::default()).unwrap_err();
    assert_eq!(
        endless.to_string(),
        "/dev/zero: is larger than 1048576 bytes: this is no configuration file"
    );
}

#[test]
fn database_and_brokers_are_enough() {
    let shared = accepted(MINIMAL);
    assert_eq!(shared.database.url.expose(), "postgres://h/d");
    assert_eq!(shared.kafka, KafkaConfig::plain(vec!["k:9092".to_owned()]));
    let KafkaConfig {
        topic,
        partitions,
        replication,
        retention,
        ssl,
        ..
    } = shared.kafka;
    assert_eq!(
        (topic.as_str(), partitions, replication),
        ("webmon.tasks", 32, 1)
    );
    assert_eq!((retention, ssl), (Duration::from_hours(6), None));
    assert_eq!(shared.http.listen.to_string(), "127.0.0.1:9000");
    assert_eq!(
        (shared.log.format, shared.log.filter.as_str()),
        (LogFormat::Json, "info")
    );
}

#[test]
fn a_terminal_makes_the_log_text_unless_the_file_says_otherwise() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("config.yaml");
    let terminal = ProcessEnvironment {
        terminal: true,
        ..ProcessEnvironment::default()
    };
    fs::write(&file, MINIMAL).unwrap();
    assert_eq!(
        load(&file, terminal.clone()).unwrap().log.format,
        LogFormat::Text
    );
    fs::write(&file, with_kafka("log: {format: json}")).unwrap();
    assert_eq!(load(&file, terminal).unwrap().log.format, LogFormat::Json);
}

#[test]
fn a_replaced_scalar_is_typed_by_the_key_that_wants_it() {
    let kafka = accepted(&with_kafka("  topic: ${TOPIC}\n  partitions: ${COUNT}\n")).kafka;
    assert_eq!((kafka.topic.as_str(), kafka.partitions), ("7", 8));
    let kafka = accepted(&with_kafka("  partitions: ${EMPTY}\n  topic: ${NONE:-}\n")).kafka;
    assert_eq!(
        (kafka.topic.as_str(), kafka.partitions),
        ("webmon.tasks", 32)
    );
}

#[test]
fn a_value_cannot_change_the_structure_of_the_file() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("topic"), "a\npartitions: 5\n").unwrap();
    let refused = read(&folder, &with_kafka("  topic: ${file:topic}\n")).unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("kafka.topic: must be 1 to 249 of"),
        "{refused}"
    );
}

#[test]
fn a_file_is_replaced_without_its_last_newline() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("password"), "s3cret\r\n").unwrap();
    let text = "{database: {url: 'postgres://u:${file:password}@h/d'}, kafka: {brokers: ['k:1']}}";
    let database = read(&folder, text).unwrap().database;
    assert_eq!(database.url.expose(), "postgres://u:s3cret@h/d");
    assert_eq!(format!("{database:?}"), "DatabaseConfig { url: *** }");
}

#[test]
fn there_are_traces_once_a_collector_is_named() {
    let traces = |text: &str| accepted(&with_kafka(text)).traces;
    let share = |ratio| Share::new(ratio).unwrap();
    for nothing in ["", "traces:\n", "traces: {}\n", "traces: {ratio: 0.5}\n"] {
        assert_eq!(traces(nothing), None, "{nothing}");
    }
    let named = traces("traces: {endpoint: 'http://c:4318'}\n").unwrap();
    assert_eq!(
        (named.url.as_str(), named.share),
        ("http://c:4318/v1/traces", share(0.01))
    );
    for (written, meant) in [("0", 0.0), ("1", 1.0), ("0.25", 0.25), ("1e-3", 0.001)] {
        let text = format!("traces: {{endpoint: 'https://c/otlp/', ratio: {written}}}\n");
        let traces = traces(&text).unwrap();
        assert_eq!(
            (traces.url.as_str(), traces.share),
            ("https://c/otlp/v1/traces", share(meant))
        );
    }
}

#[test]
fn an_empty_ssl_section_means_the_default_files() {
    let folder = TempDir::new().unwrap();
    let certs = folder.path().join("certs/kafka");
    fs::create_dir_all(&certs).unwrap();
    for name in ["ca.pem", "service.cert", "service.key"] {
        fs::write(certs.join(name), "PEM").unwrap();
    }
    let expected = KafkaSsl {
        ca: Some(certs.join("ca.pem")),
        client: Some(ClientCertificate {
            certificate: certs.join("service.cert"),
            key: certs.join("service.key"),
            key_password: None,
        }),
    };
    for section in [
        "  ssl:\n",
        "  ssl: {}\n",
        "  ssl: {ca: certs/kafka/ca.pem}\n",
    ] {
        let kafka = read(&folder, &with_kafka(section)).unwrap().kafka;
        assert_eq!(kafka.ssl.as_ref(), Some(&expected), "{section}");
    }
}

#[test]
fn without_the_default_files_tls_trusts_the_system_and_shows_no_certificate() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("ca.pem"), "PEM").unwrap();
    let ssl = |section: &str| read(&folder, &with_kafka(section)).unwrap().kafka.ssl;
    let expected = |ca| Some(KafkaSsl { ca, client: None });
    assert_eq!(ssl("  ssl:\n"), expected(None));
    assert_eq!(
        ssl("  ssl: {ca: ca.pem}\n"),
        expected(Some(folder.path().join("ca.pem")))
    );
    let of_process = ProcessEnvironment {
        variables: [("SSL_CERT_FILE".to_owned(), "ca.pem".into())].into(),
        directory: folder.path().into(),
        terminal: false,
    };
    let file = folder.path().join("config.yaml");
    fs::write(&file, with_kafka("  ssl:\n")).unwrap();
    let found = load(&file, of_process).unwrap().kafka;
    assert_eq!(found.ssl, expected(Some(folder.path().join("ca.pem"))));
    let certs = folder.path().join("certs/kafka");
    fs::create_dir_all(&certs).unwrap();
    fs::write(certs.join("service.key"), "PEM").unwrap();
    let half = read(&folder, &with_kafka("  ssl:\n")).unwrap_err();
    assert!(
        half.to_string().contains("kafka.ssl.certificate: "),
        "{half}"
    );
}

#[test]
fn keys_and_passwords_are_read_and_never_shown() {
    let folder = TempDir::new().unwrap();
    let key = "0123456789abcdef0123456789abcdef";
    fs::write(folder.path().join("key"), format!("{key}\n")).unwrap();
    let text = with_kafka(
        "  key: ${file:key}\n  group: team.webmon\n  replication: -1\n  sasl: {mechanism: SCRAM-SHA-512, \
         username: $ConnectionString, password: '${PASSWORD}'}\n",
    );
    let kafka = read(&folder, &text).unwrap().kafka;
    assert_eq!(kafka.key.as_ref().unwrap().expose(), key);
    assert_eq!(
        (kafka.group.as_str(), kafka.replication),
        ("team.webmon", -1)
    );
    let sasl = kafka.sasl.as_ref().unwrap();
    assert_eq!(
        (
            sasl.mechanism,
            sasl.username.as_str(),
            sasl.password.expose()
        ),
        ("SCRAM-SHA-512", "$ConnectionString", "s3cret")
    );
    let shown = format!("{kafka:?} {kafka}");
    assert!(!shown.contains(key) && !shown.contains("s3cret"), "{shown}");
    assert_eq!(
        kafka.to_string(),
        "plain, SCRAM-SHA-512 as $ConnectionString, messages signed (kafka.key)"
    );
    for nothing in ["  sasl:\n", "  sasl: {}\n", "  sasl: {mechanism: }\n"] {
        assert_eq!(accepted(&with_kafka(nothing)).kafka.sasl, None, "{nothing}");
    }
}

#[test]
fn anchors_and_merge_keys_work() {
    let text = "database: {url: postgres://h/d}\nhttp: &h {listen: '127.0.0.1:1'}\n\
                kafka: {<<: {topic: a, partitions: 3}, topic: b, brokers: ['k:1']}\n";
    let shared = accepted(text);
    assert_eq!(
        (shared.kafka.topic.as_str(), shared.kafka.partitions),
        ("b", 3)
    );
}

#[test]
fn brokers_may_be_names_and_addresses_of_both_families() {
    let text = "{database: {url: 'postgresql:///d?host=/run/postgresql'}, \
                kafka: {brokers: ['kafka_1.internal:9092', '[::1]:9092', '10.0.0.1:1']}}";
    assert_eq!(accepted(text).kafka.brokers.len(), 3);
}

#[test]
fn sizes_are_read_with_and_without_unit() {
    let limits = Limits {
        default: 7_u64,
        allowed: 1..=u64::MAX,
    };
    let text = |text: &str| limits.bytes(Some(Scalar::Text(text.to_owned())));
    assert_eq!(limits.bytes(None), Ok(7));
    assert_eq!(limits.bytes(Some(Scalar::Number(512))), Ok(512));
    assert_eq!((text("4KiB"), text("2 MiB")), (Ok(4_096), Ok(2 << 20)));
    assert!(text("99999999999999MiB").is_err() && text("KiB").is_err() && text("1.5MiB").is_err());
}

#[test]
fn a_file_is_read_as_editors_save_it() {
    let text = "\u{feff}database: {url: postgres://h/d}\r\nkafka:\r\n  brokers:\r\n  - k:1\r\n";
    assert_eq!(accepted(text).kafka.brokers.len(), 1);
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("topic"), "\u{feff}shop\r\n").unwrap();
    let text = format!(
        "{{kafka: {{topic: '${{file:topic}}', {}",
        MINIMAL.split_once("kafka: {").unwrap().1
    );
    let text = format!(
        "{{database: {{url: 'postgres://h/d'}}, {}",
        text.trim_start_matches('{')
    );
    assert_eq!(read(&folder, &text).unwrap().kafka.topic, "shop");
    let file = folder.path().join("wide.yaml");
    let wide = text.encode_utf16().flat_map(u16::to_le_bytes);
    for (bytes, words) in [
        (
            [0xff, 0xfe]
                .into_iter()
                .chain(wide.clone())
                .collect::<Vec<u8>>(),
            "UTF-16: save",
        ),
        (wide.collect(), "UTF-16; save"),
        (b"database:\n\turl: x\n".to_vec(), "line 2 column 1"),
    ] {
        fs::write(&file, bytes).unwrap();
        let said = load(&file, ProcessEnvironment::default())
            .unwrap_err()
            .to_string();
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn a_hostile_file_costs_little_and_harms_no_terminal() {
    let folder = TempDir::new().unwrap();
    let started = Instant::now();
    for text in ["[", "{a: ", "- ", "? ", "a: {\"}\": "] {
        let said = read(&folder, &text.repeat(40_000)).unwrap_err().to_string();
        assert!(
            said.contains("deep in each other") || said.contains("line"),
            "{said}"
        );
    }
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "{:?}",
        started.elapsed()
    );
    for key in ["\\e[31m\\u202e", "a\\n\\u200b", "\\x9b31m"] {
        for text in [
            format!("\"{key}\": 1"),
            format!("kafka: {{\"{key}\": 1}}"),
            format!("{{\"{key}\": 1, \"{key}\": 2}}"),
        ] {
            let said = read(&folder, &text).unwrap_err().to_string();
            let mut lines = said.lines();
            assert!(lines.all(|line| line.chars().all(is_harmless)), "{said:?}");
        }
    }
}

proptest! {
    #[test]
    fn no_text_breaks_the_loader(text in "([a-z{}\\[\\]:&*!<>|'\"\n \\-#$]|database|kafka|~){0,40}") {
        let folder = TempDir::new().unwrap();
        let shown = read(&folder, &text).map_err(|error| error.to_string());
        prop_assert!(shown.is_err_and(|message| message.contains("config.yaml")));
    }
}
