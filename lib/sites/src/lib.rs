//! The sites file: from YAML on disk to rows of the table `site`, and back.
//!
//! ```text
//! file ──► check ──► apply ──► the table `site` ──► export ──► file
//! ```
//!
//! 1. [`file`] reads the file part by part: [`yaml`] makes a node of each site, which holds whatever YAML
//!    can say.
//! 2. [`check`] reads the keys of each entry, completes them with the defaults and checks them. All that
//!    is wrong becomes one [`BadFile`], and the database is not even asked.
//! 3. [`apply`](mod@apply) brings the table in line with the valid sites, in one transaction, and tells in a
//!    [`Summary`] what it did. A dry run compares by statements that only read.
//! 4. [`export`](mod@export) writes the table as a file.
//!
//! The table has the texts of the file as they are written: `${secret:…}` stays what it is, and nothing comes
//! from the environment. Other [variables](yaml::variables) are refused.
//!
//! [`command`] is all of this for people: the commands `apply` and `export` of `scheduler` and of `webmon`.

mod apply;
mod check;
pub mod command;
mod export;
mod fault;
mod file;
mod name;
mod yaml;

pub use apply::{Options, Progress, Summary, Touched, apply};
pub use export::{Exported, entry, export};
pub use fault::{BadFile, Fault};
pub use file::{load, read};
pub use store::site::apply::Site;
