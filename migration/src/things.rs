//! What a schema holds, and which of it is webmon's.
//!
//! A name alone says little: another application may have a table `site`, too. So a thing is webmon's only
//! if the step that makes it was applied.

use sea_orm_migration::sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement};

/// What each step makes in its schema, as [`THINGS`] finds it: kind and name. A step that makes nothing new has no
/// entry.
const MADE: &[(&str, &[(&str, &str)])] = &[
    (
        "m20261123_000001_create_site",
        &[("table", "site"), ("function", "webmon_site_changed()")],
    ),
    (
        "m20261123_000002_create_schedule",
        &[("table", "schedule_shard"), ("table", "schedule_gap")],
    ),
    (
        "m20261123_000003_create_outcomes",
        &[("type", "check_outcome"), ("type", "check_reason")],
    ),
    (
        "m20261123_000004_create_check_result",
        &[("table", DAYS), ("function", "webmon_make_day(date)")],
    ),
    (
        "m20261130_000005_create_installation",
        &[("table", "installation")],
    ),
    (
        "m20261130_000006_least_privilege",
        &[("function", "webmon_attach_day(date)")],
    ),
];

/// The table of results. Tables of its days are webmon's even while they are no partitions of it.
const DAYS: &str = "check_result";

/// The table in which the applied steps are listed.
pub(crate) const STEPS: &str = "seaql_migrations";

/// How many things a message names.
const NAMED: usize = 5;

/// All that is in the schema in which tables are made, except what belongs to something else there:
/// partitions, sequences of columns, types of rows, and members of extensions.
const THINGS: &str = "
    WITH home AS (SELECT oid FROM pg_namespace WHERE nspname = current_schema()), thing AS (
        SELECT 'pg_class'::regclass AS class, pg_class.oid, relname AS name, pg_class.oid::regclass::text AS identity,
            CASE relkind WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
                WHEN 'f' THEN 'foreign table' ELSE 'table' END AS kind
        FROM pg_class JOIN home ON home.oid = relnamespace WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
        UNION ALL
        SELECT 'pg_proc'::regclass, pg_proc.oid, proname || '(' || oidvectortypes(proargtypes) || ')', pg_proc.oid::regprocedure::text, 'function'
        FROM pg_proc JOIN home ON home.oid = pronamespace
        UNION ALL
        SELECT 'pg_type'::regclass, pg_type.oid, typname, pg_type.oid::regtype::text, 'type'
        FROM pg_type JOIN home ON home.oid = typnamespace
        WHERE typtype IN ('d', 'e', 'r') OR (typtype = 'b' AND typelem = 0)
            OR (typtype = 'c' AND (SELECT relkind FROM pg_class WHERE pg_class.oid = typrelid) = 'c')
    )
    SELECT kind, name, identity FROM thing
    WHERE NOT EXISTS (
        SELECT FROM pg_depend WHERE classid = class AND objid = thing.oid AND deptype IN ('a', 'e', 'i')
            AND refobjid <> thing.oid)
    ORDER BY kind = 'table' DESC, kind, name";

/// Something in the schema.
#[derive(Clone, Debug)]
pub(crate) struct Thing {
    /// `table`, `function`, ….
    pub(crate) kind: String,
    /// Its name; that of a function with the types of its arguments.
    name: String,
    /// The same as SQL writes it.
    pub(crate) identity: String,
}

/// All things of the schema.
#[derive(Debug)]
pub(crate) struct Things {
    /// Those of webmon.
    pub(crate) own: Vec<Thing>,
    /// Those of others.
    pub(crate) foreign: Vec<Thing>,
}

impl Things {
    /// Reads them; `applied` are the steps that were applied.
    pub(crate) async fn read(
        database: &impl ConnectionTrait,
        applied: &[String],
    ) -> Result<Self, DbErr> {
        let statement = Statement::from_string(database.get_database_backend(), THINGS);
        let rows = database.query_all_raw(statement).await?;
        let things: Result<Vec<_>, _> = rows.iter().map(Thing::of_row).collect();
        let is_own = |thing: &Thing| thing.is_steps() || thing.is_made_by(applied);
        let (own, foreign) = things?.into_iter().partition(is_own);
        Ok(Self { own, foreign })
    }

    /// The foreign ones, as a message names them.
    pub(crate) fn name_foreign(&self) -> String {
        let first = self.foreign.iter().take(NAMED);
        let list: Vec<_> = first
            .map(|thing| format!("{} {}", thing.kind, thing.identity))
            .collect();
        match self.foreign.len().saturating_sub(NAMED) {
            0 => list.join(", "),
            more => format!("{} and {more} more", list.join(", ")),
        }
    }
}

impl Thing {
    /// The thing of a row of [`THINGS`].
    fn of_row(row: &QueryResult) -> Result<Self, DbErr> {
        Ok(Self {
            kind: row.try_get("", "kind")?,
            name: row.try_get("", "name")?,
            identity: row.try_get("", "identity")?,
        })
    }

    /// Whether it is the table of the steps. Whose steps these are is asked before.
    fn is_steps(&self) -> bool {
        self.kind == "table" && self.name == STEPS
    }

    /// Whether one of these steps has made it.
    fn is_made_by(&self, steps: &[String]) -> bool {
        let made = MADE
            .iter()
            .filter(|(step, _)| steps.iter().any(|applied| applied == step));
        made.flat_map(|(_, things)| *things).any(|(kind, name)| {
            self.kind == *kind && (self.name == *name || (*name == DAYS && is_day(&self.name)))
        })
    }
}

/// Whether a table of this name holds the results of a day.
fn is_day(name: &str) -> bool {
    name.strip_prefix(DAYS)
        .and_then(|rest| rest.strip_prefix('_'))
        .is_some_and(|day| day.len() == 8 && day.bytes().all(|byte| byte.is_ascii_digit()))
}
