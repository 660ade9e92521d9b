//! What the schema has according to `PostgreSQL`'s catalog, and what puts its parts back.
//!
//! Names are as SQL writes them, and definitions as the catalog does.

use sea_orm::Statement;

use crate::sql::POSTGRES;

/// The schema that statements without one use, as SQL writes it.
const HERE: &str = "SELECT quote_ident(current_schema()) AS here";

/// What a schema has, in the order in which it can be made. A trigger that is switched off counts as missing.
const CATALOG: &str = "\
WITH tables AS (
    SELECT oid, relname::text FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
)
SELECT 1 AS kind, relname AS table, '' AS name, '' AS definition FROM tables
UNION ALL SELECT 2, relname, attname::text, '' FROM tables JOIN pg_attribute ON attrelid = tables.oid
    WHERE attnum > 0 AND NOT attisdropped
UNION ALL SELECT 3, relname, conname::text, pg_get_constraintdef(pg_constraint.oid)
    FROM tables JOIN pg_constraint ON conrelid = tables.oid WHERE contype IN ('c', 'p', 'u', 'x')
UNION ALL SELECT 4, tables.relname, indexes.relname::text, pg_get_indexdef(indexrelid)
    FROM tables JOIN pg_index ON indrelid = tables.oid JOIN pg_class AS indexes ON indexes.oid = indexrelid
    WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u', 'x'))
UNION ALL SELECT 5, '', proname || '(' || pg_get_function_identity_arguments(oid) || ')', pg_get_functiondef(oid)
    FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND prokind = 'f'
UNION ALL SELECT 6, relname, tgname::text, pg_get_triggerdef(pg_trigger.oid)
    FROM tables JOIN pg_trigger ON tgrelid = tables.oid WHERE NOT tgisinternal AND tgenabled <> 'D'";

/// Indexes that no query uses, as a statement that makes them concurrently did not end. What is being made now,
/// by [packing](crate::days::pack) too, is none of them. Each has a `name`.
pub const INVALID: &str = "\
SELECT indexrelid::regclass::text AS name
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_class AS tables ON tables.oid = indrelid
WHERE NOT indisvalid AND pg_class.relkind = 'i' AND tables.relnamespace = current_schema()::regnamespace
    AND tables.relname ~ '^(site|installation|schedule_|check_result)'
    AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index AS progress WHERE progress.relid = indrelid)
    AND NOT EXISTS (
        SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND (classid::bigint << 32) | objid::bigint = hashtextextended('webmon_pack', 0))
ORDER BY name";

/// Reads the schema that statements without one use: `here`.
pub fn here() -> Statement {
    Statement::from_string(POSTGRES, HERE)
}

/// Reads what it has: `kind`, `table`, `name` and `definition` of each part. The kinds are 1 table, 2 column,
/// 3 constraint, 4 index, 5 function, 6 trigger.
pub fn parts() -> Statement {
    Statement::from_string(POSTGRES, CATALOG)
}

/// Makes a schema, which the rest of the transaction uses.
pub fn make_schema(name: &str) -> String {
    format!("CREATE SCHEMA {name}; SET LOCAL search_path = {name}")
}

/// Adds a constraint to a table.
pub fn add_constraint(table: &str, name: &str, definition: &str) -> String {
    format!("ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
}

/// Leaves a function to its owner alone.
pub fn revoke_function(name: &str) -> String {
    format!("REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
}

/// Drops a trigger if it is there.
pub fn drop_trigger(table: &str, name: &str) -> String {
    format!("DROP TRIGGER IF EXISTS {name} ON {table}")
}

/// Drops an index; no part of a transaction.
pub fn drop_index(index: &str) -> String {
    format!("DROP INDEX CONCURRENTLY {index}")
}

/// Writes an index anew; no part of a transaction.
pub fn reindex(index: &str) -> String {
    format!("REINDEX INDEX CONCURRENTLY {index}")
}

/// Renews the statistics of all tables.
pub const ANALYZE: &str = "ANALYZE";

/// The tables of webmon's own database that may have rows before a restore: the migrations make these.
const FILLED: &str = "'seaql_migrations', 'schedule_shard', 'installation'";

/// Reads the tables of the database that must have no rows before a restore: a `name` each.
pub fn tables_to_be_empty() -> Statement {
    let text = format!(
        "SELECT oid::regclass::text AS name FROM pg_class
         WHERE relkind = 'r' AND relpersistence <> 't' AND relname NOT IN ({FILLED})
            AND relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace,
                'pg_toast'::regnamespace)"
    );
    Statement::from_string(POSTGRES, text)
}

/// Asks whether a table has rows.
pub fn has_rows(table: &str) -> String {
    format!("SELECT EXISTS (SELECT FROM {table})")
}
