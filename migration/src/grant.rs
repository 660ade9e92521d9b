//! `migration grant`: the roles of the services, with exactly their rights.
//!
//! Rights are the owner's to give. Roles, and membership in the owner, may need a superuser: then the error
//! holds the SQL. All of it is one transaction, so that a running service never meets half of it.

use std::borrow::Cow;

use postgres_address::sqlstate;
use sea_orm_migration::sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbErr, RuntimeErr, SqlxError,
    Statement, TryGetable,
};

use crate::grants::{ROLES, Role, SCHEDULER};
use crate::run::{lock, unlock};
use crate::things::Things;
use crate::{MigrationError, State};

/// The role that gets the tables if they belong to a superuser: a scheduler becomes their owner at times.
const OWNER: &str = "webmon_owner";

/// What is known of the server and the tables' owner.
#[derive(Debug)]
struct Facts {
    /// `server_version_num`.
    version: i32,
    /// The tables' owner, as SQL writes it.
    owner: String,
    /// Whether it is a superuser.
    is_superuser: bool,
    /// The schema, as SQL writes it.
    schema: String,
}

/// Makes the roles that are missing, and their rights what they are to be.
pub async fn grant(database: &DatabaseConnection) -> Result<(), MigrationError> {
    let transaction = lock(database).await?;
    let state = State::known(&transaction).await?;
    if !state.is_complete() {
        return Err(MigrationError::Incomplete);
    }
    let things = Things::read(&transaction, &state.applied).await;
    let things = things.map_err(MigrationError::query("look at what the schema holds"))?;
    let mut facts = Facts::read(&transaction).await?;
    let mut sql = facts.make_roles(&transaction).await?;
    if facts.is_superuser {
        sql.extend(facts.give_away(&transaction, &things).await?);
        OWNER.clone_into(&mut facts.owner);
    }
    sql.extend(facts.make_member(&transaction).await?);
    as_superuser(&transaction, &sql).await?;
    let names: Vec<_> = ROLES.iter().map(|role| role.name).collect();
    let tables = things.own.iter().filter(|thing| thing.kind == "table");
    let mut rights: Vec<_> = tables
        .map(|table| {
            format!(
                "REVOKE ALL ON TABLE {} FROM {}",
                table.identity,
                names.join(", ")
            )
        })
        .collect();
    let functions = things.own.iter().filter(|thing| thing.kind == "function");
    rights.extend(functions.map(|function| {
        let roles = names.join(", ");
        format!("REVOKE ALL ON FUNCTION {} FROM {roles}", function.identity)
    }));
    for role in ROLES {
        rights.extend(facts.access(&transaction, role).await?);
        let own = role.rights.iter();
        rights.extend(own.map(|(what, on)| format!("GRANT {what} ON {on} TO {}", role.name)));
    }
    for right in &rights {
        execute(&transaction, right).await.map_err(|error| {
            if is_refused(&error) {
                return MigrationError::NotTheOwner {
                    owner: facts.owner.clone(),
                };
            }
            MigrationError::query("grant the roles their rights")(error)
        })?;
    }
    unlock(transaction).await?;
    for Role { name, .. } in ROLES {
        tracing::info!(role = name, "granted its rights");
    }
    Ok(())
}

impl Facts {
    /// Asks for them.
    async fn read(transaction: &DatabaseTransaction) -> Result<Self, MigrationError> {
        let owner = "FROM pg_class JOIN pg_roles ON pg_roles.oid = relowner WHERE pg_class.oid = 'check_result'::regclass";
        let one = |what: &str| format!("SELECT {what} {owner}");
        Ok(Self {
            version: ask(
                transaction,
                "SELECT current_setting('server_version_num')::int",
            )
            .await?,
            owner: ask(transaction, &one("quote_ident(rolname)")).await?,
            is_superuser: ask(transaction, &one("rolsuper")).await?,
            schema: ask(transaction, "SELECT quote_ident(current_schema())").await?,
        })
    }

    /// Whether the option of a membership says what is inherited, not the member itself.
    const fn has_options(&self) -> bool {
        self.version >= 160_000
    }

    /// What makes the roles that are missing.
    async fn make_roles(
        &self,
        transaction: &DatabaseTransaction,
    ) -> Result<Vec<String>, MigrationError> {
        let mut sql = Vec::new();
        for Role { name, .. } in ROLES {
            // A scheduler that inherited what its owner may do would have all of it all the time.
            let options = if *name == SCHEDULER && !self.has_options() {
                " NOINHERIT"
            } else {
                ""
            };
            let found = format!("SELECT count(*) FROM pg_roles WHERE rolname = '{name}'");
            if ask::<i64>(transaction, &found).await? == 0 {
                sql.push(format!("CREATE ROLE {name}{options}"));
            } else if !options.is_empty() {
                let inherits = format!("SELECT rolinherit FROM pg_roles WHERE rolname = '{name}'");
                if ask(transaction, &inherits).await? {
                    sql.push(format!("ALTER ROLE {name}{options}"));
                }
            }
        }
        Ok(sql)
    }

    /// What gives the tables of a superuser to a role of their own: the scheduler is to become no superuser.
    async fn give_away(
        &self,
        transaction: &DatabaseTransaction,
        things: &Things,
    ) -> Result<Vec<String>, MigrationError> {
        let mut sql = Vec::new();
        let found = format!("SELECT count(*) FROM pg_roles WHERE rolname = '{OWNER}'");
        if ask::<i64>(transaction, &found).await? == 0 {
            sql.push(format!("CREATE ROLE {OWNER}"));
        }
        sql.push(format!(
            "GRANT USAGE, CREATE ON SCHEMA {} TO {OWNER}",
            self.schema
        ));
        let own = things.own.iter();
        sql.extend(
            own.map(|thing| format!("ALTER {} {} OWNER TO {OWNER}", thing.kind, thing.identity)),
        );
        let days = "SELECT coalesce(array_agg(inhrelid::regclass::text ORDER BY inhrelid), '{}')
            FROM pg_inherits WHERE inhparent = 'check_result'::regclass";
        let days: Vec<String> = ask(transaction, days).await?;
        sql.extend(
            days.iter()
                .map(|day| format!("ALTER TABLE {day} OWNER TO {OWNER}")),
        );
        Ok(sql)
    }

    /// What lets the scheduler become the owner.
    async fn make_member(
        &self,
        transaction: &DatabaseTransaction,
    ) -> Result<Vec<String>, MigrationError> {
        let Self { owner, .. } = self;
        let (options, has_them) = if self.has_options() {
            (
                " WITH INHERIT FALSE, SET TRUE",
                " AND set_option AND NOT inherit_option",
            )
        } else {
            ("", "")
        };
        let name = owner.replace('\'', "''");
        let found = format!(
            "SELECT count(*) FROM pg_auth_members WHERE roleid = to_regrole('{name}') \
             AND member = to_regrole('{SCHEDULER}'){has_them}"
        );
        if ask::<i64>(transaction, &found).await? > 0 {
            return Ok(Vec::new());
        }
        Ok(vec![format!("GRANT {owner} TO {SCHEDULER}{options}")])
    }

    /// What lets a role into the database and the schema, as far as PUBLIC is not let in.
    async fn access(
        &self,
        transaction: &DatabaseTransaction,
        Role {
            name,
            makes_temporary,
            ..
        }: &Role,
    ) -> Result<Vec<String>, MigrationError> {
        let mut sql = Vec::new();
        let here = "current_database()";
        let mut rights = vec![
            ("database", here, "CONNECT"),
            ("schema", "current_schema()", "USAGE"),
        ];
        if *makes_temporary {
            rights.push(("database", here, "TEMPORARY"));
        }
        for (kind, object, right) in rights {
            let ask_for = format!("SELECT has_{kind}_privilege('{name}', {object}, '{right}')");
            if !ask::<bool>(transaction, &ask_for).await? {
                let object: String =
                    ask(transaction, &format!("SELECT quote_ident({object})")).await?;
                sql.push(format!("GRANT {right} ON {kind} {object} TO {name}"));
            }
        }
        Ok(sql)
    }
}

/// Runs what may need a superuser; the error holds all of it.
async fn as_superuser(
    transaction: &DatabaseTransaction,
    sql: &[String],
) -> Result<(), MigrationError> {
    for statement in sql {
        match execute(transaction, statement).await {
            Err(error) if is_refused(&error) => {
                return Err(MigrationError::NeedsSuperuser {
                    sql: sql.join("; "),
                });
            }
            // Made by another database's command at this moment: roles are the server's.
            Err(error) if statement.starts_with("CREATE ROLE") && is_there_already(&error) => {}
            done => done.map_err(MigrationError::query("make the roles"))?,
        }
    }
    Ok(())
}

/// Runs a statement; one that fails leaves the transaction usable.
async fn execute(transaction: &DatabaseTransaction, sql: &str) -> Result<(), DbErr> {
    use sea_orm_migration::sea_orm::TransactionTrait as _;
    let savepoint = transaction.begin().await?;
    savepoint.execute_unprepared(sql).await?;
    savepoint.commit().await
}

/// Whether the role may not do this.
fn is_refused(error: &DbErr) -> bool {
    state_of(error).is_some_and(|state| state == sqlstate::INSUFFICIENT_PRIVILEGE)
}

/// Whether there is one of this name: found, or met in the index.
fn is_there_already(error: &DbErr) -> bool {
    state_of(error).is_some_and(|state| {
        matches!(
            &*state,
            sqlstate::DUPLICATE_OBJECT | sqlstate::UNIQUE_VIOLATION
        )
    })
}

/// The SQLSTATE of an error.
fn state_of(error: &DbErr) -> Option<String> {
    let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) =
        error
    else {
        return None;
    };
    match &**error {
        SqlxError::Database(error) => error.code().map(Cow::into_owned),
        _ => None,
    }
}

/// The one value of a query.
async fn ask<T: TryGetable>(
    transaction: &DatabaseTransaction,
    sql: &str,
) -> Result<T, MigrationError> {
    let statement = Statement::from_string(transaction.get_database_backend(), sql);
    let row = transaction.query_one_raw(statement).await;
    row.and_then(|row| row.ok_or_else(|| DbErr::RecordNotFound(sql.to_owned())))
        .and_then(|row| row.try_get_by_index(0))
        .map_err(MigrationError::query("look at the roles"))
}
