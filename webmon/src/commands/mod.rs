//! The commands beside `webmon up`: each is one module, named as the command is.

pub mod audit;
pub mod backup;
pub mod identity;
pub mod repair;
pub mod status;
mod table;
pub mod upgrade;
