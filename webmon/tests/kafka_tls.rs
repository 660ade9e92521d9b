//! Kafka over TLS: the broker demands a certificate, and the services demand the broker's.

use std::time::Duration;

use testbed::{
    Cluster, Crowd, Database, Finished, Process, Settings, certificate, eventually,
    open_tls_brokers, sasl_password, sasl_tls_brokers,
};

/// How long the first results may take, from the start of the services.
const FIRST_RESULTS: Duration = Duration::from_secs(30);
/// How long a service may take to give up: it waits 30 seconds for a broker that does not answer.
const GIVING_UP: Duration = Duration::from_secs(45);
/// A few sites.
const SITES: &[Crowd] = &[Crowd {
    name: "site",
    path: "/ok",
    interval_ms: 500,
    count: 20,
}];

#[tokio::test(flavor = "multi_thread")]
async fn with_the_right_certificates_checks_are_made() {
    let cluster = Cluster::start_tls("tls").await;
    cluster.add(SITES).await;
    // The checker comes first, so it has to wait for the topic to be made.
    let mut services = [cluster.checker("checker"), cluster.scheduler("scheduler")];
    let sql = "SELECT count(DISTINCT site_id) FROM check_result WHERE outcome = 'up'";
    eventually(FIRST_RESULTS, "every site is up", async || {
        (cluster.number(sql).await == 20).then_some(())
    })
    .await;
    for service in &mut services {
        service.terminate();
        assert_eq!(service.wait(GIVING_UP).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_certificate_and_a_key_of_another_are_refused_with_the_reason() {
    let database = Database::migrated().await;
    let folder = tempfile::TempDir::new().unwrap();
    let settings = Settings::tls(database.url(), "webmon.test.never");
    let files = [
        settings.scheduler(folder.path(), "scheduler"),
        settings.checker(folder.path(), "checker"),
    ];
    let good = files
        .each_ref()
        .map(|file| std::fs::read_to_string(&file.path).unwrap());
    for (from, to, words) in [
        ("service.", "expired.", ["certificate", "expired"]),
        ("service.key", "other-ca.key", ["mismatch", "kafka.ssl.key"]),
    ] {
        for (file, good) in files.iter().zip(&good) {
            std::fs::write(&file.path, good.replace(from, to)).unwrap();
        }
        let (scheduler, checker) = tokio::join!(
            Process::run("scheduler", files[0].run(), GIVING_UP),
            Process::run("checker", files[1].run(), GIVING_UP)
        );
        for finished in [scheduler, checker] {
            assert_refused(
                &finished,
                &[&[settings.brokers.as_str()], words.as_slice()].concat(),
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_of_another_authority_is_refused_with_the_reason() {
    let database = Database::migrated().await;
    let folder = tempfile::TempDir::new().unwrap();
    let settings = Settings {
        ca: Some(certificate("other-ca.pem")),
        ..Settings::tls(database.url(), "webmon.test.never")
    };
    let scheduler = settings.scheduler(folder.path(), "scheduler");
    let checker = settings.checker(folder.path(), "checker");
    let (scheduler, checker) = tokio::join!(
        Process::run("scheduler", scheduler.run(), GIVING_UP),
        Process::run("checker", checker.run(), GIVING_UP)
    );
    for finished in [scheduler, checker] {
        let words = [settings.brokers.as_str(), "certificate", "kafka.ssl.ca"];
        assert_refused(&finished, &words);
    }
}

/// A refusal is a failure, and names the things in words.
fn assert_refused(finished: &Finished, words: &[&str]) {
    let said = &finished.stderr;
    assert_eq!(finished.code, 1, "{said}");
    for word in words {
        assert!(said.contains(word), "{word} is not named: {said}");
    }
}

/// Runs a scheduler and a checker with these settings until every site is up.
async fn assert_works(cluster: &Cluster, settings: &Settings) {
    cluster.add(SITES).await;
    let mut services = [
        settings
            .checker(cluster.folder(), "checker")
            .start("checker", "checker"),
        settings
            .scheduler(cluster.folder(), "scheduler")
            .start("scheduler", "scheduler"),
    ];
    let sql = "SELECT count(DISTINCT site_id) FROM check_result WHERE outcome = 'up'";
    eventually(FIRST_RESULTS, "every site is up", async || {
        (cluster.number(sql).await == 20).then_some(())
    })
    .await;
    for service in &mut services {
        service.terminate();
        assert_eq!(service.wait(GIVING_UP).await, 0);
        assert!(!service.said().contains("stepped over a message"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_are_made_with_a_password_over_tls_and_a_group_of_ones_own() {
    let cluster = Cluster::start("sasl").await;
    let password = sasl_password();
    let settings = Settings {
        brokers: sasl_tls_brokers(),
        kafka: format!(
            "  group: team.webmon\n  ssl: {{ca: {:?}}}\n  sasl: {{mechanism: SCRAM-SHA-512, username: webmon, \
             password: {password:?}}}\n",
            certificate("ca.pem")
        ),
        ..cluster.settings.clone()
    };
    assert_works(&cluster, &settings).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_are_made_over_tls_without_a_client_certificate_by_sealed_tasks() {
    let cluster = Cluster::start("open-tls").await;
    let settings = Settings {
        brokers: open_tls_brokers(),
        kafka: format!(
            "  key: 0123456789abcdef0123456789abcdef\n  ssl: {{ca: {:?}}}\n",
            certificate("ca.pem")
        ),
        ..cluster.settings.clone()
    };
    assert_works(&cluster, &settings).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_only_one_side_has_is_told_with_the_remedy() {
    let cluster = Cluster::start("one-key").await;
    cluster.add(SITES).await;
    let keyed = Settings {
        kafka: "  key: 0123456789abcdef0123456789abcdef\n".to_owned(),
        ..cluster.settings.clone()
    };
    let plain = &cluster.settings;
    for (scheduler, checker, words) in [
        (
            &keyed,
            plain,
            "set the schedulers' kafka.key for this checker too",
        ),
        (
            plain,
            &keyed,
            "kafka.key must be the same for all schedulers and checkers",
        ),
    ] {
        let [scheduler, mut checker] = cluster.services([scheduler, checker]).await;
        checker.process.line_seen(words, FIRST_RESULTS).await;
        scheduler.stop().await;
        checker.stop().await;
    }
}
