//! `check_result`: what became of each due instant.
//!
//! Its partitions are [days](crate::days). The scheduler and the recorder write rows, people ask for the [audit] of
//! all checks and for the [status] of the sites.

pub mod audit;
mod invalid;
mod lost;
mod recorded;
pub mod status;
mod upsert;

use contract::outcome::{Outcome, Reason};
use sea_orm::entity::prelude::*;

use crate::named::Named;

pub use invalid::record_invalid;
pub use lost::{Losses, record_lost};
pub use recorded::{read_key, recorded};
pub use upsert::{Refusal, Written, upsert};

/// A row of `check_result`; the table is partitioned by UTC day on `scheduled_at`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "check_result")]
pub struct Model {
    /// The site; no foreign key, as results outlive sites.
    #[sea_orm(primary_key, auto_increment = false)]
    pub site_id: i64,
    /// The due instant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub scheduled_at: DateTimeUtc,
    /// When the probe started; null if it never did.
    pub started_at: Option<DateTimeUtc>,
    /// When the first certificate ends of those that the connections needed.
    pub certificate_expires_at: Option<DateTimeUtc>,
    /// Decoded bytes of the body that were read.
    pub body_bytes: Option<i64>,
    /// The verdict.
    pub outcome: Named<Outcome>,
    /// Why it is not `up`.
    pub reason: Option<Named<Reason>>,
    /// Looking up the name, in microseconds.
    pub dns_us: Option<i32>,
    /// Connecting, in microseconds.
    pub connect_us: Option<i32>,
    /// The TLS handshake, in microseconds.
    pub tls_us: Option<i32>,
    /// Connected to first byte, in microseconds.
    pub wait_us: Option<i32>,
    /// First to last byte, in microseconds.
    pub receive_us: Option<i32>,
    /// The whole check, in microseconds.
    pub total_us: Option<i32>,
    /// The status of the final response.
    pub status: Option<i16>,
    /// The address that was dialled last.
    pub address: Option<IpNetwork>,
    /// A sentence for people.
    pub detail: Option<String>,
}

/// Results have no relations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
