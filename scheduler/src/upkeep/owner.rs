//! Owner: what only the owner of the tables may do, a scheduler does as that owner.
//!
//! No right on a table is enough to drop, detach or index it. So the role of schedulers is a member of the
//! owner that inherits nothing: it becomes the owner for these statements, and for nothing else.

use color_eyre::eyre::{Result, WrapErr as _};
use sea_orm::ConnectionTrait;
use sea_orm::sqlx::{AssertSqlSafe, PgConnection, raw_sql};
use store::days::owner;

/// Becomes the owner until the end of a transaction.
pub(crate) async fn become_for(transaction: &impl ConnectionTrait) -> Result<()> {
    let row = transaction.query_one_raw(owner::find()).await;
    let owner = row.and_then(|row| row.map(|row| row.try_get_by_index(0)).transpose());
    let owner: Option<String> = owner.wrap_err("look for the owner of check_result")?;
    if let Some(owner) = owner {
        let set = transaction
            .execute_unprepared(&owner::of_transaction(&owner))
            .await;
        set.wrap_err_with(|| refusal(&owner))?;
    }
    Ok(())
}

/// Becomes the owner until the end of a session.
pub(crate) async fn become_in(session: &mut PgConnection) -> Result<()> {
    let owner = owner::find_in(session).await;
    let owner = owner.wrap_err("look for the owner of check_result")?;
    if let Some(owner) = owner {
        let set = owner::of_session(&owner);
        let set = raw_sql(AssertSqlSafe(set.as_str())).execute(session).await;
        set.wrap_err_with(|| refusal(&owner))?;
    }
    Ok(())
}

/// What to do about a role that may not become the owner.
fn refusal(owner: &str) -> String {
    format!(
        "become {owner}, the owner of check_result; run `migration grant` and use a member of webmon_scheduler"
    )
}
