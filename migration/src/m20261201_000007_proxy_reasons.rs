//! The reasons `proxy_unreachable` and `proxy_refused`, of checks that go by way of a proxy.

use sea_orm_migration::prelude::{
    ConnectionTrait, DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, async_trait,
};

/// Adds the two reasons.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// They stand with the others of `inconclusive`.
const ADD: &str = r"
ALTER TYPE check_reason ADD VALUE 'proxy_unreachable' AFTER 'resolver_unreachable';
ALTER TYPE check_reason ADD VALUE 'proxy_refused' AFTER 'proxy_unreachable';
";

/// The way back. PostgreSQL drops no value of an enum, so the type is made anew. Results with the two reasons get
/// another one of `inconclusive`.
const TAKE_BACK: &str = r"
ALTER TYPE check_reason RENAME TO check_reason_with_proxies;
DO $$
BEGIN
    EXECUTE (
        SELECT 'CREATE TYPE check_reason AS ENUM (' || string_agg(quote_literal(value), ', ' ORDER BY place) || ')'
        FROM unnest(enum_range(NULL::check_reason_with_proxies)::text[]) WITH ORDINALITY AS known (value, place)
        WHERE value NOT IN ('proxy_unreachable', 'proxy_refused')
    );
END
$$;
REVOKE USAGE ON TYPE check_reason FROM PUBLIC;
ALTER TABLE check_result ALTER COLUMN reason TYPE check_reason USING (
    CASE WHEN reason::text IN ('proxy_unreachable', 'proxy_refused') THEN 'local_network' ELSE reason::text END
)::check_reason;
DROP TYPE check_reason_with_proxies;
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(ADD).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared(TAKE_BACK).await?;
        Ok(())
    }
}
