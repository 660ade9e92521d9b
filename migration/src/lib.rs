//! The history of webmon's schema: one file per step, each with its way back.
//!
//! A step that has been released is never edited, only followed by another. So nothing here knows
//! the entities or any other code of today: names are strings, and tables are plain SQL, as what
//! makes them (generated columns, constraints, partitions, triggers) has no builder.
//!
//! Every step runs in one transaction. [`up`] and [`lose`] are what people and programs call: they keep one
//! another waiting, and leave alone what is not webmon's. The library's own `fresh` drops tables and types but no
//! functions, hence the `CREATE OR REPLACE` of those.

#![expect(
    elided_lifetimes_in_paths,
    reason = "`async_trait` makes a named `'_` another signature than the trait's (E0195)"
)]

pub mod cli;
mod connect;
mod error;
mod grant;
mod grants;
mod m20261123_000001_create_site;
mod m20261123_000002_create_schedule;
mod m20261123_000003_create_outcomes;
mod m20261123_000004_create_check_result;
mod m20261130_000005_create_installation;
mod m20261130_000006_least_privilege;
mod m20261201_000007_proxy_reasons;
mod run;
mod state;
mod things;

pub use error::MigrationError;
pub use grant::grant;
pub use run::{Foreign, Loss, lose, up};
pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::{MigrationTrait, async_trait};
pub use state::{State, Step};

/// Every step, oldest first.
#[derive(Clone, Copy, Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261123_000001_create_site::Migration),
            Box::new(m20261123_000002_create_schedule::Migration),
            Box::new(m20261123_000003_create_outcomes::Migration),
            Box::new(m20261123_000004_create_check_result::Migration),
            Box::new(m20261130_000005_create_installation::Migration),
            Box::new(m20261130_000006_least_privilege::Migration),
            Box::new(m20261201_000007_proxy_reasons::Migration),
        ]
    }
}
