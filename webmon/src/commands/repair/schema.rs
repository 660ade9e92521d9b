//! What the schema lacks, compared with the one that the migrations make.
//!
//! They make it once more, in a schema of another name and a transaction that is rolled back. So there is no
//! second list of what belongs to it.

use std::collections::BTreeMap;

use color_eyre::eyre::{Result, WrapErr as _, eyre};
use migration::{Migrator, MigratorTrait as _};
use sea_orm::{ConnectionTrait, DatabaseConnection, TransactionTrait as _};
use store::schema::catalog as statements;
use tracing::instrument::WithSubscriber as _;
use tracing::subscriber::NoSubscriber;

use super::{Action, Repair};

/// Where the migrations make the schema that is compared with.
const REFERENCE: &str = "webmon_reference";

/// A thing of a schema: its kind, its table and its name.
type Thing = (i32, String, String);

/// The things of a schema, with their definitions.
type Catalog = BTreeMap<Thing, String>;

/// Finds what is missing, or for a function, what differs.
pub(super) async fn missing(database: &DatabaseConnection) -> Result<Vec<Repair>> {
    let here = database.query_one_raw(statements::here());
    let here = here.await.wrap_err("read the name of the schema")?;
    let here = here.ok_or_else(|| eyre!("the search path names no schema"))?;
    let here: String = here
        .try_get("", "here")
        .wrap_err("read the name of the schema")?;
    let found = catalog(database, &here).await?;
    let reference = reference(database, &here).await?;
    let repairs = reference
        .into_iter()
        .filter_map(|(thing, definition)| match found.get(&thing) {
            Some(_) if thing.0 != FUNCTION => None,
            Some(same) if *same == definition => None,
            other => Some(put_back(thing, definition, other.is_some())),
        });
    Ok(repairs.collect())
}

/// The kind of a function, of which the definition counts as well.
const FUNCTION: i32 = 5;

/// How a thing is put back that is missing, or `differs`.
fn put_back((kind, table, name): Thing, definition: String, differs: bool) -> Repair {
    let (what, action) = match kind {
        1 => (format!("put back the table {table}"), Action::Impossible),
        2 => (
            format!("put back the column {name} of {table}"),
            Action::Impossible,
        ),
        3 => (
            format!("add the constraint {name} of {table}"),
            Action::Together(vec![statements::add_constraint(&table, &name, &definition)]),
        ),
        4 => (
            format!("create the index {name} of {table}"),
            Action::Together(vec![definition]),
        ),
        FUNCTION => {
            let mut steps = vec![definition];
            let mut what = format!("restore the function {name}");
            if !differs {
                // The right to call it came back to PUBLIC with it.
                steps.push(statements::revoke_function(&name));
                what.push_str(" (the rights on it are its owner's alone: grant them again)");
            }
            (what, Action::Together(steps))
        }
        _ => (
            format!("create the trigger {name} of {table}"),
            Action::Together(vec![statements::drop_trigger(&table, &name), definition]),
        ),
    };
    Repair { what, action }
}

/// The schema as this build's migrations make it.
async fn reference(database: &DatabaseConnection, here: &str) -> Result<Catalog> {
    let transaction = database.begin().await.wrap_err("compare the schema")?;
    let enter = statements::make_schema(REFERENCE);
    transaction
        .execute_unprepared(&enter)
        .await
        .wrap_err("make a schema to compare with, which only the owner of the database may")?;
    // What the migrations log is not about this database's schema.
    let made = Migrator::up(&transaction, None).with_subscriber(NoSubscriber::default());
    made.await.wrap_err("make a schema to compare with")?;
    let catalog = catalog(&transaction, REFERENCE).await?;
    transaction
        .rollback()
        .await
        .wrap_err("compare the schema")?;
    let as_here = |text: String| {
        text.replace(&format!("{REFERENCE}."), "")
            .replace(&format!("'{REFERENCE}'"), &format!("'{here}'"))
    };
    Ok(catalog
        .into_iter()
        .map(|(thing, definition)| (thing, as_here(definition)))
        .collect())
}

/// What the current schema has; it is called `name`.
async fn catalog(database: &impl ConnectionTrait, name: &str) -> Result<Catalog> {
    let rows = database
        .query_all_raw(statements::parts())
        .await
        .wrap_err("read the catalog")?;
    let read = |row: &sea_orm::QueryResult| {
        let text = |column| row.try_get::<String>("", column);
        let thing = (row.try_get("", "kind")?, text("table")?, text("name")?);
        let definition = text("definition")?.replace(&format!("{name}."), "");
        Ok::<_, sea_orm::DbErr>((thing, definition))
    };
    rows.iter()
        .map(read)
        .collect::<Result<_, _>>()
        .wrap_err("read the catalog")
}
