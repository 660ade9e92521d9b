//! What is asked in the end: is every due instant accounted for, do the counts agree, was no site
//! blamed for what failed elsewhere?

use std::time::{Duration, Instant};

use testbed::audit::{self, Report};
use testbed::{Process, tables};
use tokio::time::sleep;

use crate::action::ServiceId;
use crate::plan::Plan;
use crate::world::World;

/// How much of the time after the healing is judged too.
const AFTERWARDS_MS: i64 = 8_000;
/// How long what is due may take to be scheduled, and sites to be stamped, once all is well: shards of a
/// failed turn wait half a minute at most.
const SCHEDULING: Duration = Duration::from_mins(1);
/// How long the ledger may take to balance: a check that was lost is judged a minute after it has
/// expired, and each scheduler looks once a minute for a minute's worth.
const SETTLING: Duration = Duration::from_secs(210);
/// How long what was scheduled may take to be recorded after the last turn.
const DRAINING: Duration = Duration::from_mins(1);
/// How long it may take once all is well until every site is checked again: the longest interval is 20 s.
const CHECKING: Duration = Duration::from_mins(1);
/// How long an audit may take.
const AUDIT: Duration = Duration::from_mins(1);
/// The least load that a run is worth judging by, in due instants per second.
const LEAST_RATE: u64 = 60;

/// Sites of which no check was made since.
const UNCHECKED: &str = "
    SELECT count(*) FROM site WHERE enabled AND NOT EXISTS (
        SELECT FROM check_result
        WHERE site_id = site.id AND scheduled_at > to_timestamp($1::float8 / 1000) AND started_at IS NOT NULL)";
/// Rows of what the website never does.
const BLAMED: &str = "
    SELECT count(*) FROM check_result JOIN site ON site.id = site_id
    WHERE url LIKE '%/ok/%' AND outcome = 'down' AND reason NOT IN ('connect_timeout', 'response_timeout', 'body_timeout')
       OR url LIKE '%/fail/%' AND (outcome IN ('up', 'degraded') OR outcome = 'down' AND reason NOT IN ('status', 'connect_timeout', 'response_timeout'))
       OR url LIKE '%/reset/%' AND outcome IN ('up', 'degraded')";
/// Rows whose reason is there and should not be, or the other way round.
const UNREASONABLE: &str =
    "SELECT count(*) FROM check_result WHERE (reason IS NULL) <> (outcome = 'up')";
/// What checkers have written: all rows but those of the reconciler, and those that they replaced.
const WRITTEN: &str = "
    SELECT (SELECT count(*) FROM check_result WHERE reason IS DISTINCT FROM 'lost')
         + (SELECT count(*) FROM replaced WHERE reason <> 'lost')";
/// What the reconciler has written.
const LOST: &str = "
    SELECT (SELECT count(*) FROM check_result WHERE reason = 'lost')
         + (SELECT count(*) FROM replaced WHERE reason = 'lost')";

impl World {
    /// Waits until the ledger balances, or has had its time, and audits it.
    pub(crate) async fn assert_accounted(&mut self, plan: &Plan) -> Report {
        let database = self.tools.database.clone();
        let until = tables::now(&database).await + AFTERWARDS_MS;
        let seconds = self.age().as_secs();
        let end = Instant::now() + SCHEDULING;
        let scheduled =
            "SELECT (extract(epoch FROM min(scheduled_until)) * 1000)::bigint FROM schedule_shard";
        loop {
            self.supervise();
            let behind = until - tables::number(&database, scheduled).await;
            let unstamped = audit::unstamped(&database).await;
            if behind <= 0 && unstamped == 0 {
                break;
            }
            assert!(
                Instant::now() < end,
                "{behind} ms are not scheduled, {unstamped} sites not stamped"
            );
            sleep(Duration::from_millis(200)).await;
        }
        let end = Instant::now() + SETTLING;
        let mut tables = loop {
            self.supervise();
            let asked = Instant::now();
            let tables = audit::load(&database).await;
            if audit::examine(&tables, until).missing.is_empty() || asked > end {
                break tables;
            }
            sleep(asked.elapsed().max(Duration::from_millis(500))).await;
        };
        audit::examine(&tables, until).assert_clean();
        // What has come since is in order; the counts are of what was judged.
        tables.rows.retain(|row| row.scheduled_at <= until);
        let report = audit::examine(&tables, until);
        report.show();
        assert!(
            report.due as u64 >= seconds * LEAST_RATE,
            "too little was judged of {seconds} s"
        );
        assert!(
            report.rows("up") * 8 > report.due,
            "too few checks were made"
        );
        if !plan.forgets() {
            assert_eq!(report.rows("missed/lost"), 0, "Kafka forgot nothing");
        }
        report
    }

    /// Waits until every site has been checked since the healing: no checker is deaf, and no site forgotten.
    pub(crate) async fn assert_checked(&mut self, healed_ms: i64) {
        let unchecked = UNCHECKED.replace("$1", &healed_ms.to_string());
        let end = Instant::now() + CHECKING;
        loop {
            self.supervise();
            let sites = tables::number(&self.tools.database, &unchecked).await;
            if sites == 0 {
                return;
            }
            assert!(
                Instant::now() < end,
                "{sites} sites are not checked any more"
            );
            sleep(Duration::from_millis(500)).await;
        }
    }

    /// What the rows say by themselves.
    pub(crate) async fn assert_honest(&self) {
        let database = &self.tools.database;
        for (what, sql) in [("blamed", BLAMED), ("unreasonable", UNREASONABLE)] {
            assert_eq!(tables::number(database, sql).await, 0, "{what}: {sql}");
        }
    }

    /// `webmon audit` agrees.
    pub(crate) async fn assert_audited(&self) {
        let [_, config, file] = self.tools.apply.run();
        let arguments = [
            "audit".as_ref(),
            "--since".as_ref(),
            "1h".as_ref(),
            config,
            file,
        ];
        let audited = Process::run("webmon", arguments, AUDIT).await;
        assert_eq!(audited.code, 0, "{}{}", audited.stdout, audited.stderr);
    }

    /// Stops everything in good order, and compares what it counted with the rows; says how.
    pub(crate) async fn assert_counts(&mut self, plan: &Plan) -> String {
        let is_scheduler = |id: &ServiceId| matches!(id, ServiceId::Scheduler(_));
        let lost = self.services.sum("webmon_checks_lost_total").await;
        self.services.stop(is_scheduler).await;
        let end = Instant::now() + DRAINING;
        while self.services.sum("webmon_hold_size").await
            + self.services.sum("webmon_in_flight").await
            > 0.0
        {
            assert!(Instant::now() < end, "checks do not end");
            sleep(Duration::from_millis(200)).await;
        }
        // What is recorded is counted a moment later.
        let mut counted = 0.0;
        loop {
            sleep(Duration::from_secs(1)).await;
            let again = self.services.sum("webmon_results_recorded_total").await;
            if again <= counted {
                break;
            }
            counted = again;
        }
        let written = count(tables::number(&self.tools.database, WRITTEN).await);
        let rows_lost = count(tables::number(&self.tools.database, LOST).await);
        self.services.stop(|_| true).await;
        assert!(lost <= rows_lost, "{lost} counted as lost, of {rows_lost}");
        assert!(counted <= written, "{counted} counted, of {written} rows");
        if plan.blurs_counts() {
            return format!(
                "{counted} of {written} rows counted by the services that are still there"
            );
        }
        assert!(
            (counted - written).abs() < 0.5,
            "{counted} counted, {written} rows"
        );
        format!("all {written} rows counted")
    }
}

/// A count as metrics tell it.
fn count(rows: i64) -> f64 {
    u32::try_from(rows).map_or(f64::INFINITY, f64::from)
}
