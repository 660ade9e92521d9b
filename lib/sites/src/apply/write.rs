//! Valid sites → the table `site`, in one transaction.
//!
//! The sites go into a temporary table in chunks; then one INSERT, one UPDATE and, with `prune`, one
//! DELETE compare it with `site`. Rows that are as the file says are not touched, so that applying the
//! same file again writes nothing. No site is read into memory to be compared.

use std::iter;

use color_eyre::eyre::{self, WrapErr as _, eyre};
use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbErr, IsolationLevel,
    QueryResult, RuntimeErr, SqlxError, SqlxPostgresError, TransactionTrait as _,
};
use store::site::apply::{self as statements, ANALYZE, CHANGE, CREATE, PREPARE, REMOVE, Site};

use super::progress::Progress;
use super::summary::{LISTED, Summary, Touched};

/// Sites per statement: a few hundred KiB, and a step of the progress that people can see.
const CHUNK: usize = 5_000;
/// Bytes per statement: fewer sites go at once where they say much.
const CHUNK_BYTES: usize = 4 << 20;

/// Makes the table say what the file says; nothing of it stays after an error.
pub(super) async fn write(
    database: &DatabaseConnection,
    sites: &[Site],
    prune: bool,
    progress: &mut impl FnMut(Progress),
) -> eyre::Result<Summary> {
    let transaction = database
        .begin_with_config(Some(IsolationLevel::ReadCommitted), None)
        .await
        .wrap_err("cannot begin the transaction that applies the sites")?;
    lock(&transaction, progress).await?;
    stage(&transaction, sites, progress).await?;
    progress(Progress::Comparing);
    let summary = compare(&transaction, sites.len(), prune).await?;
    transaction
        .commit()
        .await
        .wrap_err("cannot commit the sites")?;
    Ok(summary)
}

/// Waits until no other apply is under way in this database.
async fn lock(
    transaction: &DatabaseTransaction,
    progress: &mut impl FnMut(Progress),
) -> eyre::Result<()> {
    let doing = "cannot lock the sites against other applies";
    let free: bool = transaction
        .query_one_raw(statements::try_lock())
        .await
        .and_then(first)
        .wrap_err(doing)?;
    if !free {
        progress(Progress::Waiting);
        transaction
            .execute_raw(statements::lock())
            .await
            .wrap_err(doing)?;
    }
    Ok(())
}

/// Sends the sites to the database.
async fn stage(
    transaction: &DatabaseTransaction,
    sites: &[Site],
    progress: &mut impl FnMut(Progress),
) -> eyre::Result<()> {
    transaction
        .execute_unprepared(PREPARE)
        .await
        .wrap_err("cannot make the temporary table of the sites")?;
    let mut staged = 0_usize;
    for chunk in chunks(sites) {
        transaction
            .execute_raw(statements::stage(chunk))
            .await
            .map_err(|error| refused(&error))
            .wrap_err_with(|| {
                let last = staged.saturating_add(chunk.len()).saturating_sub(1);
                format!("cannot send sites[{staged}] to sites[{last}] to the database")
            })?;
        staged = staged.saturating_add(chunk.len());
        progress(Progress::Sent {
            sites: staged,
            of: sites.len(),
        });
    }
    transaction
        .execute_unprepared(ANALYZE)
        .await
        .wrap_err("cannot count the sites in the database")?;
    Ok(())
}

/// The sites in the portions that go at once.
pub(super) fn chunks(sites: &[Site]) -> impl Iterator<Item = &[Site]> {
    let mut rest = sites;
    iter::from_fn(move || {
        let (chunk, later) = rest.split_at_checked(chunk_length(rest))?;
        rest = later;
        Some(chunk)
    })
}

/// How many of the sites go at once: one at least.
fn chunk_length(sites: &[Site]) -> usize {
    let mut bytes = 0_usize;
    let fits = |site: &&Site| {
        let Site {
            name,
            url,
            labels,
            request,
            expect,
            ..
        } = site;
        let texts = [name, url, labels, request, expect];
        bytes = texts
            .into_iter()
            .fold(bytes, |sum, text| sum.saturating_add(text.len()));
        bytes <= CHUNK_BYTES
    };
    sites.iter().take(CHUNK).take_while(fits).count().max(1)
}

/// Brings the table in line with the temporary one.
async fn compare(
    transaction: &DatabaseTransaction,
    sites: usize,
    prune: bool,
) -> eyre::Result<Summary> {
    let removed = if prune {
        touch(transaction, REMOVE)
            .await
            .wrap_err("cannot remove sites")?
    } else {
        Touched::default()
    };
    let changed = touch(transaction, CHANGE)
        .await
        .wrap_err("cannot change sites")?;
    let created = touch(transaction, CREATE)
        .await
        .wrap_err("cannot create sites")?;
    let not_in_file: i64 = transaction
        .query_one_raw(statements::count_others())
        .await
        .and_then(first)
        .wrap_err("cannot count the sites that are not in the file")?;
    Ok(Summary {
        dry_run: false,
        unchanged: u64::try_from(sites)?
            .saturating_sub(created.count)
            .saturating_sub(changed.count),
        created,
        changed,
        removed,
        not_in_file: u64::try_from(not_in_file)?,
    })
}

/// Runs a statement that returns the names of the sites it touched.
async fn touch(transaction: &DatabaseTransaction, sql: &str) -> eyre::Result<Touched> {
    let row = transaction
        .query_one_raw(statements::touch(sql, LISTED))
        .await
        .map_err(|error| refused(&error))?
        .ok_or_else(|| eyre!("the database told no number"))?;
    let count: i64 = row.try_get_by_index(0)?;
    let names: Option<Vec<String>> = row.try_get_by_index(1)?;
    Ok(Touched {
        count: u64::try_from(count)?,
        names: names.unwrap_or_default(),
    })
}

/// The only value of the only row.
fn first<T: sea_orm::TryGetable>(row: Option<QueryResult>) -> Result<T, DbErr> {
    row.ok_or_else(|| DbErr::RecordNotFound("the database sent no row".to_owned()))?
        .try_get_by_index(0)
}

/// The error with the database's own detail, which quotes the row that was refused, its name included.
pub(super) fn refused(error: &DbErr) -> eyre::Report {
    let detail = match error {
        DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => {
            detail(error)
        }
        _ => None,
    };
    detail.map_or_else(|| eyre!("{error}"), |detail| eyre!("{error}: {detail}"))
}

/// The DETAIL of a database's error, if there is one.
fn detail(error: &SqlxError) -> Option<&str> {
    error
        .as_database_error()?
        .try_downcast_ref::<SqlxPostgresError>()?
        .detail()
}
