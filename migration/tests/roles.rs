//! Each role may do exactly what it must, right by right; a new table or function needs a decision here.

#![expect(
    clippy::expect_used,
    reason = "a helper that fails here fails its test"
)]

use std::collections::BTreeSet;

use migration::{MigrationError, grant};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbErr, RuntimeErr, SqlxError, Statement};
use testbed::Database;

/// The roles.
const ROLES: [&str; 3] = ["webmon_scheduler", "webmon_checker", "webmon_reader"];

/// Every table, with a column that may be written.
const TABLES: &[(&str, &str)] = &[
    ("check_result", "detail"),
    ("installation", "database_oid"),
    ("schedule_gap", "since"),
    ("schedule_shard", "scheduled_until"),
    ("seaql_migrations", "applied_at"),
    ("site", "url"),
];

/// Every function, with a call of it.
const FUNCTIONS: &[(&str, &str)] = &[
    (
        "webmon_attach_day(date)",
        "SELECT webmon_attach_day('2026-11-23')",
    ),
    (
        "webmon_make_day(date)",
        "SELECT webmon_make_day((now() AT TIME ZONE 'UTC')::date)",
    ),
    ("webmon_site_changed()", "SELECT webmon_site_changed()"),
];

/// The rights on tables and functions.
const RIGHTS: &str = "
    webmon_scheduler check_result SELECT, webmon_scheduler check_result INSERT,
    webmon_scheduler schedule_gap SELECT, webmon_scheduler schedule_gap INSERT, webmon_scheduler schedule_gap DELETE,
    webmon_scheduler schedule_shard SELECT,
    webmon_scheduler site SELECT, webmon_scheduler site INSERT, webmon_scheduler site UPDATE, webmon_scheduler site DELETE,
    webmon_scheduler seaql_migrations SELECT,
    webmon_scheduler webmon_make_day(date) EXECUTE,
    webmon_checker check_result SELECT, webmon_checker check_result INSERT,
    webmon_checker seaql_migrations SELECT,
    webmon_checker webmon_make_day(date) EXECUTE,
    webmon_reader check_result SELECT, webmon_reader schedule_gap SELECT, webmon_reader schedule_shard SELECT,
    webmon_reader seaql_migrations SELECT, webmon_reader site SELECT";

/// The rights on columns of tables on which the role has them not as a whole.
const COLUMN_RIGHTS: &[(&str, &str, &str, &str)] = &[
    (
        "webmon_scheduler",
        "installation",
        "SELECT",
        "id system_identifier database_oid",
    ),
    (
        "webmon_scheduler",
        "schedule_shard",
        "UPDATE",
        "scheduled_until reconciled_until",
    ),
    ("webmon_scheduler", "schedule_gap", "UPDATE", "until"),
    (
        "webmon_checker",
        "installation",
        "SELECT",
        "id system_identifier database_oid",
    ),
    (
        "webmon_checker",
        "site",
        "SELECT",
        "id name url timeout_ms request expect",
    ),
    (
        "webmon_checker",
        "check_result",
        "UPDATE",
        "started_at certificate_expires_at body_bytes outcome reason dns_us connect_us tls_us wait_us receive_us \
         total_us status address detail",
    ),
    (
        "webmon_reader",
        "installation",
        "SELECT",
        "id system_identifier database_oid",
    ),
];

/// Everything that a role may do, from the catalog.
const ALL_RIGHTS: &str = "
    WITH thing AS (
        SELECT oid, relname FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT relispartition
    )
    SELECT concat_ws(' ', role, relname, verb) AS text
    FROM unnest($1::text[]) AS role, thing,
        unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) AS verb
    WHERE has_table_privilege(role, oid, verb)
    UNION ALL
    SELECT concat_ws(' ', role, relname || '.' || attname, verb)
    FROM unnest($1::text[]) AS role, thing JOIN pg_attribute ON attrelid = oid AND attnum > 0 AND NOT attisdropped,
        unnest('{SELECT,INSERT,UPDATE,REFERENCES}'::text[]) AS verb
    WHERE has_column_privilege(role, oid, attnum, verb) AND NOT has_table_privilege(role, oid, verb)
    UNION ALL
    SELECT concat_ws(' ', role, oid::regprocedure, 'EXECUTE')
    FROM unnest($1::text[]) AS role, pg_proc
    WHERE pronamespace = 'public'::regnamespace AND has_function_privilege(role, oid, 'EXECUTE')
    UNION ALL
    SELECT concat_ws(' ', role, relname, verb)
    FROM unnest($1::text[]) AS role, pg_class, unnest('{USAGE,SELECT,UPDATE}'::text[]) AS verb
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'S' AND has_sequence_privilege(role, oid, verb)
    UNION ALL
    SELECT concat_ws(' ', role, typname, 'USAGE') FROM unnest($1::text[]) AS role, pg_type
    WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd') AND has_type_privilege(role, oid, 'USAGE')
    UNION ALL
    SELECT concat_ws(' ', role, 'CREATE') FROM unnest($1::text[]) AS role
    WHERE has_schema_privilege(role, 'public', 'CREATE') OR has_database_privilege(role, current_database(), 'CREATE')";

/// The same as decided here.
fn decided() -> BTreeSet<String> {
    let whole = RIGHTS.split(',').map(|right| right.trim().to_owned());
    let columns = COLUMN_RIGHTS
        .iter()
        .flat_map(|(role, table, verb, columns)| {
            columns
                .split(' ')
                .map(move |column| format!("{role} {table}.{column} {verb}"))
        });
    whole.chain(columns).collect()
}

/// Runs a query and gives the one text, named `text`, of each row.
async fn texts(db: &DatabaseConnection, sql: &str) -> BTreeSet<String> {
    let sql = sql.replace("$1", &format!("'{{{}}}'", ROLES.join(",")));
    let statement = Statement::from_string(db.get_database_backend(), &sql);
    let rows = db.query_all_raw(statement).await.expect(&sql);
    rows.iter()
        .map(|row| row.try_get("", "text").expect("a text"))
        .collect()
}

/// The SQLSTATE with which a statement fails; empty if it does not.
async fn failure(db: &DatabaseConnection, sql: &str) -> String {
    match db.execute_unprepared(sql).await {
        Ok(_) => String::new(),
        Err(DbErr::Exec(RuntimeErr::SqlxError(error))) => match &*error {
            SqlxError::Database(error) => error.code().expect("a code").into_owned(),
            error => error.to_string(),
        },
        Err(error) => error.to_string(),
    }
}

/// A pool of a login that is a member of a role.
async fn member(database: &Database, role: &str) -> DatabaseConnection {
    let url = database.login(&format!("IN ROLE {role}")).await;
    sea_orm::Database::connect(url).await.expect(role)
}

#[tokio::test]
async fn the_catalog_holds_exactly_the_rights_that_were_decided() {
    let database = Database::granted().await;
    let db = database.connect().await;
    let tables = "SELECT relname::text AS text FROM pg_class WHERE relnamespace = 'public'::regnamespace
        AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND NOT relispartition
        AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'i' AND refobjid <> objid)";
    let known: BTreeSet<_> = TABLES
        .iter()
        .map(|(table, _)| (*table).to_owned())
        .collect();
    assert_eq!(
        texts(&db, tables).await,
        known,
        "each table needs a decision"
    );
    let functions = "SELECT oid::regprocedure::text AS text FROM pg_proc WHERE pronamespace = 'public'::regnamespace";
    let known: BTreeSet<_> = FUNCTIONS
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    assert_eq!(
        texts(&db, functions).await,
        known,
        "each function needs a decision"
    );
    assert_eq!(texts(&db, ALL_RIGHTS).await, decided());
    // Again, after more was granted.
    let superuser = sea_orm::Database::connect(database.superuser())
        .await
        .unwrap();
    let more = "GRANT ALL ON ALL TABLES IN SCHEMA public TO webmon_reader; GRANT SELECT (key) ON installation TO webmon_checker;
        GRANT EXECUTE ON FUNCTION webmon_attach_day TO webmon_reader";
    superuser.execute_unprepared(more).await.unwrap();
    grant(&superuser).await.unwrap();
    assert_eq!(texts(&db, ALL_RIGHTS).await, decided());
}

#[tokio::test]
async fn nothing_is_open_to_every_role() {
    let database = Database::granted().await;
    let stranger = sea_orm::Database::connect(database.login("").await)
        .await
        .unwrap();
    for (table, column) in TABLES {
        for sql in attempts(table, column) {
            assert_eq!(failure(&stranger, &sql.1).await, "42501", "{}", sql.1);
        }
    }
    for (_, call) in FUNCTIONS {
        assert_eq!(failure(&stranger, call).await, "42501", "{call}");
    }
}

/// A statement for each verb, which changes nothing where it is allowed.
fn attempts(table: &str, column: &str) -> [(&'static str, String); 6] {
    [
        ("SELECT", format!("SELECT * FROM {table} LIMIT 0")),
        ("INSERT", format!("INSERT INTO {table} DEFAULT VALUES")),
        (
            "UPDATE",
            format!("UPDATE {table} SET {column} = NULL WHERE false"),
        ),
        ("DELETE", format!("DELETE FROM {table} WHERE false")),
        ("TRUNCATE", format!("TRUNCATE {table}")),
        (
            "LOCK",
            format!("SELECT 1; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"),
        ),
    ]
}

#[tokio::test]
async fn a_member_of_a_role_is_refused_whatever_was_not_decided() {
    let database = Database::granted().await;
    let rights = decided();
    for role in ROLES {
        let db = member(&database, role).await;
        for (table, column) in TABLES {
            for (verb, sql) in attempts(table, column) {
                let is_allowed = match verb {
                    "UPDATE" => {
                        rights.contains(&format!("{role} {table} {verb}"))
                            || rights.contains(&format!("{role} {table}.{column} {verb}"))
                    }
                    // The lock needs a right to write whole rows.
                    "LOCK" => ["UPDATE", "DELETE", "TRUNCATE"]
                        .iter()
                        .any(|verb| rights.contains(&format!("{role} {table} {verb}"))),
                    _ => rights.contains(&format!("{role} {table} {verb}")),
                };
                let code = failure(&db, &sql).await;
                assert_eq!(code != "42501", is_allowed, "{role}: {sql}: {code:?}");
            }
        }
        for (name, call) in FUNCTIONS {
            let is_allowed = rights.contains(&format!("{role} {name} EXECUTE"));
            let code = failure(&db, call).await;
            assert_eq!(code != "42501", is_allowed, "{role}: {call}: {code:?}");
        }
    }
}

#[tokio::test]
async fn no_role_changes_the_schema_or_reads_what_is_not_webmons() {
    let database = Database::granted().await;
    let owner = database.connect().await;
    let theirs = "CREATE TABLE invoices (id int); SELECT webmon_attach_day('2026-11-23')";
    owner.execute_unprepared(theirs).await.unwrap();
    for role in ROLES {
        let db = member(&database, role).await;
        for sql in [
            "CREATE TABLE mine ()",
            "CREATE FUNCTION mine() RETURNS int LANGUAGE sql RETURN 1",
            "CREATE SCHEMA mine",
            "DROP TABLE check_result_20261123",
            "ALTER TABLE check_result DETACH PARTITION check_result_20261123",
            "SELECT * FROM check_result_20261123",
            "INSERT INTO check_result_20261123 DEFAULT VALUES",
            "REINDEX TABLE check_result_20261123",
            "ALTER TABLE site ADD COLUMN mine int",
            "ALTER TABLE site DISABLE TRIGGER site_changed",
            "DROP TABLE site",
            "CREATE INDEX ON site (name)",
            "CREATE OR REPLACE FUNCTION webmon_make_day(day date) RETURNS void LANGUAGE sql AS ''",
            "ALTER FUNCTION webmon_make_day(date) RESET search_path",
            "SELECT * FROM invoices",
            "SELECT key FROM installation",
            "CREATE ROLE mine",
            "COPY site TO PROGRAM 'cat'",
            "SELECT pg_read_file('/etc/passwd')",
        ] {
            assert_eq!(failure(&db, sql).await, "42501", "{role}: {sql}");
        }
        let set = "SELECT format('SET ROLE %I', pg_get_userbyid(relowner)) AS text FROM pg_class WHERE relname = 'site'";
        let set = texts(&owner, set).await.into_iter().next().unwrap();
        let code = failure(&db, &set).await;
        assert_eq!(
            code.is_empty(),
            role == "webmon_scheduler",
            "{role}: {set}: {code}"
        );
        assert_eq!(failure(&db, "SET ROLE postgres").await, "42501", "{role}");
    }
}

#[tokio::test]
async fn an_owner_that_may_make_no_roles_is_told_what_a_superuser_is_to_run() {
    let database = Database::owned().await;
    testbed::migrate(database.url()).await;
    let owner = database.connect().await;
    let Err(MigrationError::NeedsSuperuser { sql }) = grant(&owner).await else {
        unreachable!("an ordinary role may make no member of itself");
    };
    assert!(sql.contains("TO webmon_scheduler"), "{sql}");
    let superuser = sea_orm::Database::connect(database.superuser())
        .await
        .unwrap();
    superuser.execute_unprepared(&sql).await.unwrap();
    grant(&owner).await.unwrap();
    assert_eq!(texts(&owner, ALL_RIGHTS).await, decided());
}

#[tokio::test]
async fn the_tables_of_a_superuser_are_given_to_a_role_of_their_own() {
    let database = Database::migrated().await;
    let db = database.connect().await;
    db.execute_unprepared("SELECT webmon_attach_day('2026-11-23')")
        .await
        .unwrap();
    grant(&db).await.unwrap();
    assert_eq!(texts(&db, ALL_RIGHTS).await, decided());
    let owners = "SELECT DISTINCT pg_get_userbyid(relowner)::text AS text FROM pg_class
                  WHERE relnamespace = 'public'::regnamespace
                  UNION SELECT pg_get_userbyid(proowner)::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace";
    assert_eq!(
        texts(&db, owners).await,
        BTreeSet::from(["webmon_owner".to_owned()])
    );
    let scheduler = member(&database, "webmon_scheduler").await;
    assert_eq!(
        failure(
            &scheduler,
            "SELECT webmon_make_day((now() AT TIME ZONE 'UTC')::date)"
        )
        .await,
        ""
    );
    assert_eq!(
        failure(
            &scheduler,
            "SET ROLE webmon_owner; DROP TABLE check_result_20261123; RESET ROLE"
        )
        .await,
        ""
    );
}

#[tokio::test]
async fn rights_need_the_schema_and_the_owner() {
    let database = Database::owned().await;
    let owner = database.connect().await;
    assert!(matches!(
        grant(&owner).await,
        Err(MigrationError::Incomplete)
    ));
    let granted = Database::granted().await;
    let stranger = sea_orm::Database::connect(granted.login("").await)
        .await
        .unwrap();
    let refused = grant(&stranger)
        .await
        .expect_err("a stranger may grant nothing");
    assert!(!matches!(refused, MigrationError::Incomplete), "{refused}");
}

#[tokio::test]
async fn an_id_is_given_by_the_database_alone() {
    let database = Database::migrated().await;
    let db = database.connect().await;
    let chosen = "INSERT INTO site (id, name, url, interval_ms, timeout_ms) VALUES (7, 'a', 'http://a/', 1000, 1000)";
    assert_eq!(failure(&db, chosen).await, "428C9");
    let gap = "INSERT INTO schedule_gap (id, shard, since, until) VALUES (7, 1, now(), now())";
    assert_eq!(failure(&db, gap).await, "428C9");
    assert_eq!(failure(&db, "UPDATE site SET id = 7").await, "428C9");
}
