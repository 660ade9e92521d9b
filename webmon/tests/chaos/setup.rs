//! What a run finds when it begins: the schema, the sites, and what the services are told.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection};
use testbed::{Proxy, Server, Settings, Topic, Website, database_url, migrate};

use crate::background::Tools;
use crate::changes::SITES;
use crate::services::Services;

/// The checkers' settings: several runs share a machine.
const CHECKER: &str = "slots: 256\n";
/// Notes each missed row that a check replaced: without them rows and metrics do not add up.
const NOTE_REPLACED: &str = "
    CREATE TABLE replaced (outcome text, reason text);
    CREATE FUNCTION note_replaced() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO replaced VALUES (OLD.outcome::text, OLD.reason::text);
        RETURN NEW;
    END $$;
    CREATE TRIGGER note_replaced AFTER UPDATE ON check_result
        FOR EACH ROW EXECUTE FUNCTION note_replaced()";

/// Makes the database, the sites, and what the services are told.
pub(crate) async fn prepare(
    folder: &Path,
    postgres: &Server,
    broker: &Server,
    links: &[Proxy; 4],
) -> (Tools, Services) {
    migrate(&postgres.url()).await;
    let mut options = ConnectOptions::new(postgres.url());
    options
        .sqlx_logging(false)
        .max_connections(20)
        .acquire_timeout(Duration::from_secs(5));
    let database = Database::connect(options).await.expect("a pool");
    let website = Arc::new(Website::start());
    execute(&database, NOTE_REPLACED).await;
    for crowd in SITES {
        execute(&database, &crowd.sql(&website)).await;
    }
    let brokers = broker.address().to_string();
    let topic = Arc::new(Topic::on(&brokers, "chaos"));
    let direct = Settings {
        kafka: String::new(),
        database_url: postgres.url(),
        brokers,
        topic: topic.name().to_owned(),
        ca: None,
        filter: "info",
        checker: CHECKER.to_owned(),
    };
    let through = |database: &Proxy, broker: &Proxy| Settings {
        database_url: database_url(database.address()),
        brokers: broker.address().to_string(),
        ..direct.clone()
    };
    let [
        schedulers_database,
        checkers_database,
        schedulers_broker,
        checkers_broker,
    ] = links;
    let tools = Tools {
        database,
        topic,
        website,
        apply: direct.scheduler(folder, "apply"),
        folder: folder.to_owned(),
    };
    let services = Services::new(
        through(schedulers_database, schedulers_broker),
        through(checkers_database, checkers_broker),
        folder.to_owned(),
    );
    (tools, services)
}

/// Runs a statement while nothing fails.
async fn execute(database: &DatabaseConnection, sql: &str) {
    database.execute_unprepared(sql).await.expect(sql);
}
