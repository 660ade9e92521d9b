//! What an apply would do: the sites are compared with the table by statements that only read.
//!
//! So it needs no right to write, and works on a standby. All statements see one state of the table. No
//! row is kept: only the names of the file, to tell which sites it does not name.

use std::collections::HashSet;

use color_eyre::eyre::{self, WrapErr as _, eyre};
use futures_util::TryStreamExt as _;
use sea_orm::{
    AccessMode, ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, IsolationLevel,
    StreamTrait as _, TransactionTrait as _,
};
use store::site::apply::{self as statements, Site};
use store::sql::NO_JIT;

use super::progress::Progress;
use super::summary::{LISTED, Summary, Touched};
use super::write::{chunks, refused};

/// Tells what an apply of these sites would do.
pub(super) async fn preview(
    database: &DatabaseConnection,
    sites: &[Site],
    prune: bool,
    progress: &mut impl FnMut(Progress),
) -> eyre::Result<Summary> {
    let reading = Some(AccessMode::ReadOnly);
    let transaction = database
        .begin_with_config(Some(IsolationLevel::RepeatableRead), reading)
        .await
        .wrap_err("cannot begin the transaction that compares the sites")?;
    transaction.execute_unprepared(NO_JIT).await?;
    let (mut created, mut changed, mut compared) = (Found::default(), Found::default(), 0_usize);
    for chunk in chunks(sites) {
        compare(&transaction, chunk, &mut created, &mut changed).await?;
        compared = compared.saturating_add(chunk.len());
        progress(Progress::Sent {
            sites: compared,
            of: sites.len(),
        });
    }
    progress(Progress::Comparing);
    let others = others(&transaction, sites).await?;
    transaction
        .rollback()
        .await
        .wrap_err("cannot end the transaction that compares the sites")?;
    let (removed, not_in_file) = if prune {
        (others, 0)
    } else {
        (Found::default(), others.0.count)
    };
    Ok(Summary {
        dry_run: true,
        unchanged: u64::try_from(sites.len())?
            .saturating_sub(created.0.count)
            .saturating_sub(changed.0.count),
        created: created.told(),
        changed: changed.told(),
        removed: removed.told(),
        not_in_file,
    })
}

/// Compares some of the sites with the table.
async fn compare(
    transaction: &DatabaseTransaction,
    sites: &[Site],
    created: &mut Found,
    changed: &mut Found,
) -> eyre::Result<()> {
    let most = i32::try_from(LISTED.saturating_add(1))?;
    let comparison = statements::compare(sites, most);
    let rows = transaction.query_all_raw(comparison).await;
    let rows = rows
        .map_err(|error| refused(&error))
        .wrap_err("cannot compare the sites with the database")?;
    for row in rows {
        let change: String = row.try_get_by_index(0)?;
        let found = match &*change {
            "created" => &mut *created,
            "changed" => &mut *changed,
            other => return Err(eyre!("the database told an unknown change {other:?}")),
        };
        let count: i64 = row.try_get_by_index(1)?;
        found.add(u64::try_from(count)?, row.try_get_by_index(2)?);
    }
    Ok(())
}

/// The sites of the table that are not among these.
async fn others(transaction: &DatabaseTransaction, sites: &[Site]) -> eyre::Result<Found> {
    let reading = "cannot read the names of the sites";
    let named: HashSet<&str> = sites.iter().map(|site| site.name.as_str()).collect();
    let mut others = Found::default();
    let rows = transaction.stream_raw(statements::names()).await;
    let mut rows = std::pin::pin!(rows.wrap_err(reading)?);
    while let Some(row) = rows.try_next().await.wrap_err(reading)? {
        let name: String = row.try_get_by_index(0).wrap_err(reading)?;
        if !named.contains(name.as_str()) {
            others.add(1, vec![name]);
        }
    }
    Ok(others)
}

/// Sites to which the same would happen. One name more than is listed tells that they are too many.
#[derive(Debug, Default)]
struct Found(Touched);

impl Found {
    /// Adds so many, with the first of their names.
    fn add(&mut self, count: u64, names: Vec<String>) {
        let most = usize::try_from(LISTED)
            .unwrap_or(usize::MAX)
            .saturating_add(1);
        self.0.count = self.0.count.saturating_add(count);
        let room = most.saturating_sub(self.0.names.len());
        self.0.names.extend(names.into_iter().take(room));
    }

    /// What is told of them: the names in order, if they are few.
    fn told(self) -> Touched {
        let Touched { count, mut names } = self.0;
        if count > LISTED {
            names.clear();
        }
        names.sort();
        Touched { count, names }
    }
}
