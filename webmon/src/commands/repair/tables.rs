//! What the tables lack: rows that webmon cannot do without, and days of results.

use std::time::Duration;

use chrono::{Days, NaiveDate};
use color_eyre::eyre::{Result, WrapErr as _};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, QueryResult, Statement};
use store::days::repair as days;
use store::schema::catalog;
use store::{installation, schedule_shard, sql};
use tracing::info;

use super::{Action, Repair};

/// The identity.
pub(super) async fn identity(database: &DatabaseConnection) -> Result<Vec<Repair>> {
    let missing = names(database, installation::MISSING).await?;
    let repair = |_| Repair {
        what: "give the database a new identity, as the table installation has no row".to_owned(),
        action: Action::Identity,
    };
    Ok(missing.into_iter().map(repair).collect())
}

/// Days that are half detached.
pub(super) async fn half_detached(database: &DatabaseConnection) -> Result<Vec<Repair>> {
    let days = names(database, days::HALF_DETACHED).await?;
    let repair = |day: String| Repair {
        what: format!("end the interrupted detaching of {day}"),
        action: Action::Alone(days::finish_detaching(&day)),
    };
    Ok(days.into_iter().map(repair).collect())
}

/// Days that are not attached.
pub(super) async fn unattached(
    database: &DatabaseConnection,
    retention: Duration,
) -> Result<Vec<Repair>> {
    let rows = database.query_all_raw(days::unattached(retention)).await;
    let rows = rows.wrap_err("look for days that are not attached")?;
    let mut repairs = Vec::new();
    for row in rows {
        let table: String = name(&row)?;
        let digits = table.rsplit('_').next().unwrap_or_default();
        let day = NaiveDate::parse_from_str(digits, "%Y%m%d").ok();
        let Some((day, next)) =
            day.and_then(|day| Some((day, day.checked_add_days(Days::new(1))?)))
        else {
            info!(table, "the name of a table is that of no day: left alone");
            continue;
        };
        repairs.push(Repair {
            what: format!("attach {table} to check_result"),
            action: Action::Together(vec![days::attach(&table, day, next)]),
        });
    }
    Ok(repairs)
}

/// Days that are not there.
pub(super) async fn days(database: &DatabaseConnection) -> Result<Vec<Repair>> {
    let days = scheduler::upkeep::days::missing(database).await?;
    let repair = |day: String| Repair {
        what: format!("make the day {day} of check_result"),
        action: Action::Together(vec![days::make(&day)]),
    };
    Ok(days.into_iter().map(repair).collect())
}

/// Shards that are never scheduled.
pub(super) async fn shards(database: &DatabaseConnection) -> Result<Vec<Repair>> {
    let rows = database.query_all_raw(schedule_shard::missing_shards());
    let mut repairs = Vec::new();
    for row in rows.await.wrap_err("look for missing shards")? {
        let shard = name(&row)?;
        let until: String = row.try_get("", "until").wrap_err("read a shard")?;
        repairs.push(Repair {
            what: format!(
                "add row {shard} of schedule_shard, scheduled until {until}: what was due since becomes a gap"
            ),
            action: Action::Together(vec![schedule_shard::put_back(&shard, &until)]),
        });
    }
    Ok(repairs)
}

/// Indexes that are not valid.
pub(super) async fn indexes(database: &DatabaseConnection) -> Result<Vec<Repair>> {
    let indexes = names(database, catalog::INVALID).await?;
    let repair = |index: String| {
        let rest = index.trim_end_matches(|c: char| c.is_ascii_digit() || c == '"');
        let (what, statement) = if rest.ends_with("_ccnew") || rest.ends_with("_ccold") {
            (
                "remove the rest of an interrupted",
                catalog::drop_index(&index),
            )
        } else {
            ("write anew the invalid", catalog::reindex(&index))
        };
        Repair {
            what: format!("{what} index {index}"),
            action: Action::Alone(statement),
        }
    };
    Ok(indexes.into_iter().map(repair).collect())
}

/// The names that a question gives.
async fn names(database: &DatabaseConnection, question: &str) -> Result<Vec<String>> {
    let rows = database.query_all_raw(Statement::from_string(sql::POSTGRES, question));
    let rows = rows.await.wrap_err("look for what is missing")?;
    rows.iter().map(name).collect()
}

/// The name of a row.
fn name(row: &QueryResult) -> Result<String> {
    row.try_get("", "name").wrap_err("read what is missing")
}
