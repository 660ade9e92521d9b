//! What webmon's tests stand on, each test on its own: a [database](Database), a [topic](Topic), a
//! [website](Website), and the real programs as [processes](Process). A [cluster](Cluster) is all of
//! them, and an [audit] says whether every scheduled check was accounted for.
//!
//! The servers come from the environment (`ci/services` starts them and sets it). A variable that is
//! not set is a panic which names it: a test that cannot run must not pass. A test that kills servers
//! has [servers](Server) of its own, and [proxies](Proxy) before them to cut what runs through them.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "a test that cannot be set up fails, and says why"
)]

use std::fmt::Display;
use std::io::{self, Write as _};

pub mod acl;
pub mod audit;
mod cluster;
mod collector;
mod crowd;
mod database;
mod disk;
mod http;
mod kafka;
mod memory;
mod pooler;
mod process;
mod proxy;
mod server;
mod service;
mod settings;
pub mod tables;
mod terminal;
mod wait;
mod wall_clock;
mod website;

pub use cluster::Cluster;
pub use collector::Collector;
pub use crowd::{Crowd, THREE_HUNDRED, TWO_THOUSAND, sites_file};
pub use database::{Database, migrate};
pub use disk::lacks_disks;
pub use http::{get, metric};
pub use kafka::{
    Calm, Topic, brokers, certificate, open_tls_brokers, sasl_password, sasl_tls_brokers,
    tls_brokers,
};
pub use memory::MemoryGroup;
pub use pooler::Pooler;
pub use process::{Finished, Process};
pub use proxy::{Mode, Proxy};
pub use server::{Server, database_url};
pub use service::Service;
pub use settings::{ConfigFile, Settings, free_address, free_ports};
pub use terminal::Terminal;
pub use wait::eventually;
pub use wall_clock::WallClock;
pub use website::Website;

/// Says it past the macros whose output the test harness keeps from those who look at tests that pass.
pub fn show(text: impl Display) {
    drop(writeln!(io::stderr().lock(), "{text}"));
}

/// The value of an environment variable that names a service.
#[expect(
    clippy::disallowed_methods,
    reason = "tests get their services by the environment"
)]
fn service(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set: run the tests through `ci/test`, or start `ci/services`")
    })
}
