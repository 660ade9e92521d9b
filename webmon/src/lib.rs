//! What the `webmon` program is made of.

pub mod config;
pub mod postgres;
