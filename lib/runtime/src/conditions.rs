//! The names of what must hold before a service is ready, as `/readyz` and the log have them.

/// The database answers and takes changes.
pub const DATABASE: &str = "database";
/// The database is at the schema of this build.
pub const SCHEMA: &str = "schema";
/// A broker answers, and has the topic.
pub const KAFKA: &str = "kafka";
/// The checker is a member of its consumer group.
pub const KAFKA_GROUP: &str = "kafka group";
/// A scheduler works.
pub const SCHEDULER: &str = "scheduler";
/// The schedule is not behind, and has all its rows.
pub const SCHEDULE: &str = "schedule";
/// A checker works.
pub const CHECKER: &str = "checker";
