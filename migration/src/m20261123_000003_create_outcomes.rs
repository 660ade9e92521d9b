//! The enums `check_outcome` and `check_reason`: the verdicts, complete and in order.

use sea_orm_migration::prelude::{
    DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, async_trait,
};
use sea_orm_migration::sea_query::extension::postgres::Type;

/// Creates the two enums.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// What a check says about its site.
const OUTCOMES: [&str; 5] = ["up", "degraded", "down", "inconclusive", "missed"];

/// Why a check did not end as `up`, in the order of the outcomes that they explain.
const REASONS: [&str; 33] = [
    // degraded
    "slow",
    "certificate_expiring",
    // down
    "dns_not_found",
    "dns_timeout",
    "dns_failed",
    "connect_refused",
    "connect_timeout",
    "connect_failed",
    "tls_timeout",
    "tls_handshake",
    "tls_certificate",
    "response_timeout",
    "body_timeout",
    "reset",
    "protocol",
    "encoding",
    "redirects",
    "status",
    "header",
    "body",
    "json",
    "size",
    "too_large",
    // inconclusive
    "address_refused",
    "local_resources",
    "local_network",
    "resolver_unreachable",
    "invalid_site",
    "secret_missing",
    "internal",
    // missed
    "late",
    "backlog",
    "lost",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_type(
                Type::create()
                    .as_enum("check_outcome")
                    .values(OUTCOMES)
                    .to_owned(),
            )
            .await?;
        manager
            .create_type(
                Type::create()
                    .as_enum("check_reason")
                    .values(REASONS)
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_type(
                Type::drop()
                    .names(["check_reason", "check_outcome"])
                    .to_owned(),
            )
            .await
    }
}
