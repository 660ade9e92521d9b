//! Rows for sites whose task cannot be sent.

use contract::result::CheckResult;
use sea_orm::Statement;

use crate::sql::statement;

/// Rows for sites whose task cannot be sent.
const RECORD_INVALID: &str = "\
INSERT INTO check_result (site_id, scheduled_at, outcome, reason, detail)
SELECT site_id, timestamptz 'epoch' + scheduled_at * interval '1 millisecond', 'inconclusive', 'invalid_site', detail
FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS invalid (site_id, scheduled_at, detail)
ORDER BY site_id, scheduled_at
ON CONFLICT DO NOTHING";

/// Records these instants as those of sites whose task cannot be sent.
pub fn record_invalid(results: &[CheckResult]) -> Statement {
    let sites: Vec<_> = results.iter().map(|result| result.check.site.0).collect();
    let instants: Vec<_> = results
        .iter()
        .map(|result| result.check.scheduled_at.0)
        .collect();
    let details = results.iter().map(|result| result.detail.clone());
    let details: Vec<_> = details.map(Option::unwrap_or_default).collect();
    statement(
        RECORD_INVALID,
        [sites.into(), instants.into(), details.into()],
    )
}
