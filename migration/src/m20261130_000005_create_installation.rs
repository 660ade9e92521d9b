//! `installation`: the identity of a database, by which messages on a shared Kafka are told apart.
//!
//! The table has one row, made here. Beside the identity stand the server's system identifier and the
//! database's oid: a copy of the database has other values there, and so tells that it is a copy.

use sea_orm_migration::prelude::{
    ConnectionTrait, DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, async_trait,
};

/// Creates `installation` with its row.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// The table, and what keeps it at one row.
const TABLE: &str = r"
CREATE TABLE installation (
    id uuid PRIMARY KEY,
    key bytea NOT NULL CONSTRAINT installation_key_length CHECK (octet_length(key) = 32),
    system_identifier bigint,
    database_oid bigint NOT NULL
);
CREATE UNIQUE INDEX installation_single ON installation ((true));
";

/// The row. A server that keeps its system identifier to itself leaves that column null. The key is made of 244
/// random bits, as two random UUIDs have them.
const ROW: &str = r"
DO $$
DECLARE
    system_identifier bigint;
BEGIN
    BEGIN
        SELECT control.system_identifier INTO system_identifier FROM pg_control_system() AS control;
    EXCEPTION WHEN insufficient_privilege THEN
        system_identifier := NULL;
    END;
    INSERT INTO installation (id, key, system_identifier, database_oid)
        SELECT gen_random_uuid(), sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())),
            system_identifier, oid::bigint
        FROM pg_database WHERE datname = current_database();
END
$$;
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for sql in [TABLE, ROW] {
            db.execute_unprepared(sql).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared("DROP TABLE installation").await?;
        Ok(())
    }
}
