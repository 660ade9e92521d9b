//! The wall clocks of the services' hosts are set: the results do not show it.

use testbed::{Cluster, Crowd, Service, TWO_THOUSAND, WallClock};

/// How long all goes on before the first step, and after the last: longer than the longest interval.
const AROUND_MS: i64 = 12_000;
/// How far the clocks are ahead after each step, in seconds.
const STEPS: [i32; 2] = [3_600, -86_400];
/// A site so rarely due that for long nothing comes from Kafka, nor goes there.
const RARE: &[Crowd] = &[Crowd::new("rare", "/ok", 10_000, 1)];

/// A service, and the wall clock it goes by.
type Clocked = (WallClock, Service);

/// A scheduler and two checkers that are ready, by clocks so many seconds ahead; the scheduler comes first.
async fn start(cluster: &Cluster, ahead: i32) -> Vec<Clocked> {
    let (settings, folder) = (&cluster.settings, cluster.folder());
    let mut services = Vec::new();
    for (program, name) in [
        ("scheduler", "scheduler"),
        ("checker", "checker-1"),
        ("checker", "checker-2"),
    ] {
        let clock = WallClock::new(folder, name);
        clock.set_ahead(ahead);
        let config = match program {
            "scheduler" => settings.scheduler(folder, name),
            _ => settings.checker(folder, name),
        };
        let mut service = Service::start_by(&clock, name, program, config);
        service.ready().await;
        services.push((clock, service));
    }
    services
}

/// Sets all clocks at once, and waits until the checkers know: a scheduler does not look at its own.
async fn set(services: &[Clocked], ahead: i32) {
    for (clock, _) in services {
        clock.set_ahead(ahead);
    }
    for (_, checker) in services.iter().skip(1) {
        checker.knows_to_be_ahead(ahead).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn under_load_a_wall_clock_that_is_set_makes_nobody_late() {
    let cluster = Cluster::start("clock").await;
    cluster.add(TWO_THOUSAND).await;
    let services = start(&cluster, 0).await;
    // What was due before the first checker was there is not the matter.
    let start = cluster.now().await;
    cluster.scheduled_until(start + AROUND_MS).await;
    let before = cluster.audit(start).await;

    for step in STEPS {
        set(&services, step).await;
    }
    let end = cluster.now().await + AROUND_MS;

    let report = cluster.audit(end).await;
    report.show();
    report.assert_clean();
    assert_eq!(
        (report.rows("missed"), report.in_gaps),
        (before.rows("missed"), before.in_gaps),
        "before: {before}\nafter: {report}"
    );
    cluster.assert_punctual(start, &report).await;
    for (_, service) in services {
        service.stop().await;
    }
}

/// librdkafka's waits go by the wall clock: those that had begun last an hour longer, unless the thread that owns
/// the client ends them.
#[tokio::test(flavor = "multi_thread")]
async fn with_nothing_to_do_a_wall_clock_that_is_set_back_lets_nobody_hang() {
    let cluster = Cluster::start("clock-idle").await;
    cluster.add(RARE).await;
    let services = start(&cluster, 3_600).await;
    let start = cluster.now().await;

    set(&services, 0).await;
    // Longer than a member of the group may be silent.
    let end = cluster.now().await + AROUND_MS;

    let report = cluster.audit(end).await;
    report.show();
    report.assert_clean();
    for (_, service) in services {
        let said = service.process.said();
        // What the group has to say while it forms is not the matter.
        let failed = ["session timed out", "does not answer", "a new one"];
        let failed: Vec<_> = failed.iter().filter(|text| said.contains(**text)).collect();
        assert!(failed.is_empty(), "{failed:?} of {said}");
        service.stop().await;
    }
    let missed = "SELECT count(*) FROM check_result WHERE outcome <> 'up'";
    let missed = format!("{missed} AND scheduled_at > to_timestamp({start} / 1000.0)");
    assert_eq!(cluster.number(&missed).await, 0);
}
