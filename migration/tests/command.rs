//! The program `migration`: what it says when it cannot do what it is asked for.

use std::time::Duration;

use sea_orm::ConnectionTrait as _;
use testbed::{Database, Finished, Process, free_address};

/// How long a command may take. A pool would try for 30 s.
const DEADLINE: Duration = Duration::from_secs(15);

/// Runs `migration` on the database of `DATABASE_URL`.
async fn migration(address: &str, arguments: &[&str]) -> Finished {
    let variables = [("DATABASE_URL", address)];
    Process::run_with("migration", arguments, &variables, DEADLINE).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_none_is_named_by_its_variable_and_not_shown() {
    for (address, expected) in [
        (
            "postgress://webmon:geheim@127.0.0.1:5432/webmon",
            "must begin with `postgres://`",
        ),
        (
            "postgres://webmon:ge/heim#1@127.0.0.1:5432/webmon",
            "percent-encode",
        ),
        (
            "postgres://webmon:ge?heim@127.0.0.1:5432/webmon",
            "percent-encode",
        ),
        (
            "postgres://webmon:p@ss/heim@127.0.0.1:5432/webmon",
            "percent-encode",
        ),
        (
            "postgres://webmon@127.0.0.1:5432/webmon?sslpassword=geheim",
            "`sslpassword` is not supported",
        ),
    ] {
        let by_variable = migration(address, &["status"]).await;
        let said = by_variable.stdout + &by_variable.stderr;
        assert_eq!(by_variable.code, 2, "{said}");
        assert!(said.starts_with("migration: DATABASE_URL: "), "{said}");
        assert!(said.contains(expected), "{said}");
        assert!(!said.contains("heim"), "{said}");
        let by_option = migration("", &["status", "--database-url", address]).await;
        let said = by_option.stdout + &by_option.stderr;
        assert_eq!(by_option.code, 2, "{said}");
        assert!(said.starts_with("migration: --database-url: "), "{said}");
        assert!(!said.contains("heim"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_in_the_place_of_a_command_is_not_shown() {
    let address = "postgres://webmon:geheim@127.0.0.1:5432/webmon";
    for arguments in [
        [address, "up"],
        ["up", address],
        ["--database", address],
        ["--url=postgres://webmon:geheim@127.0.0.1/webmon", "up"],
    ] {
        let refused = migration("", &arguments).await;
        let said = refused.stdout + &refused.stderr;
        assert_eq!(refused.code, 2, "{said}");
        assert!(said.contains("DATABASE_URL"), "{said}");
        assert!(!said.contains("geheim"), "{said}");
    }
    let unknown = migration(address, &["upp"]).await;
    assert_eq!(unknown.code, 2, "{}", unknown.stderr);
    assert!(unknown.stderr.contains("upp"), "{}", unknown.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_told_at_once() {
    let closed = free_address();
    let refused = migration(
        &format!("postgres://webmon:hush-hush@{closed}/webmon"),
        &["up"],
    )
    .await;
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    assert_eq!(
        refused.stderr,
        format!(
            "migration: cannot reach PostgreSQL at {closed}/webmon: Connection refused (os error 111); \
             check DATABASE_URL and that the server runs\n"
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_not_make_tables_is_told_which_right_it_lacks() {
    let database = Database::empty().await;
    let connection = database.connect().await;
    let name = database.url().rsplit('/').next().unwrap_or_default();
    let role = format!("{name}_role");
    let sql = format!("CREATE ROLE {role} LOGIN");
    connection.execute_unprepared(&sql).await.expect("a role");
    let address = database.url().replacen("postgres@", &format!("{role}@"), 1);
    let refused = migration(&address, &["up"]).await;
    let grant = format!("GRANT USAGE, CREATE ON SCHEMA public TO {role}");
    let drop = format!("DROP OWNED BY {role}; DROP ROLE {role}");
    connection
        .execute_unprepared(&grant)
        .await
        .expect("a grant");
    let granted = migration(&address, &["up"]).await;
    assert_eq!(granted.code, 0, "{}", granted.stderr);
    connection.execute_unprepared(&drop).await.expect("no role");
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    let wanted = "permission denied for schema public; let the role create tables there";
    assert!(refused.stderr.contains(wanted), "{}", refused.stderr);
    let remedy = format!("GRANT USAGE, CREATE ON SCHEMA public TO \"{role}\"");
    assert!(refused.stderr.contains(&remedy), "{}", refused.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ipv6_address_is_migrated() {
    let database = Database::empty().await;
    let address = database.url().replacen("127.0.0.1", "[::1]", 1);
    let migrated = migration(&address, &["up"]).await;
    assert_eq!(migrated.code, 0, "{}", migrated.stderr);
}
