//! What is said when there is no connection, on a real `PostgreSQL`.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test fails as the test does"
)]

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;
use std::time::{Duration, Instant};

use postgres_address::{Address, CONNECT_TIMEOUT, Environment, attempt};
use sea_orm::ConnectionTrait as _;
use tempfile::TempDir;
use testbed::{Database, Server, certificate, eventually, free_address, free_ports};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

/// What the address is called.
const KEY: &str = "database.url";

/// What is said of an attempt; nothing of one that succeeds.
async fn said(address: &str) -> String {
    said_with(address, &[]).await
}

/// The same, with variables in the environment.
async fn said_with(address: &str, variables: &[(&str, &Path)]) -> String {
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.display().to_string()));
    let environment: Environment = variables.collect();
    match Address::parse(address).unwrap().options(&environment) {
        Ok(options) => attempt(&options, KEY)
            .await
            .err()
            .map(|failure| failure.to_string())
            .unwrap_or_default(),
        Err(error) => error.to_string(),
    }
}

/// The address of `database` with another part.
fn with(database: &Database, part: &str, other: &str) -> String {
    let url = database.url();
    assert!(url.contains(part), "{url}");
    url.replacen(part, other, 1)
}

#[tokio::test]
async fn an_ipv6_address_is_connected_to() {
    let database = Database::empty().await;
    let bracketed = with(&database, "127.0.0.1", "[::1]");
    assert_eq!(said(&bracketed).await, "");
    let parameter = with(&database, "127.0.0.1", "nowhere.invalid") + "?host=::1";
    assert_eq!(said(&parameter).await, "");
    let parameter = with(&database, "127.0.0.1", "nowhere.invalid") + "?hostaddr=::1";
    assert_eq!(said(&parameter).await, "");
}

#[tokio::test]
async fn what_the_server_refuses_is_told_with_its_remedy() {
    let database = Database::empty().await;
    let connection = database.connect().await;
    let name = database.url().rsplit('/').next().unwrap().to_owned();
    let role = format!("{name}_role");
    for sql in [
        format!("CREATE ROLE {role} LOGIN CONNECTION LIMIT 0"),
        format!("CREATE ROLE {role}_out LOGIN"),
        format!("CREATE ROLE {role}_mute NOLOGIN"),
        format!("REVOKE CONNECT ON DATABASE {name} FROM PUBLIC"),
        format!("GRANT CONNECT ON DATABASE {name} TO {role}"),
    ] {
        connection.execute_unprepared(&sql).await.unwrap();
    }
    for (address, expected) in [
        (
            with(&database, &name, "webmon_nowhere"),
            "create it (`createdb webmon_nowhere`)".to_owned(),
        ),
        (
            with(&database, "postgres@", "webmon_nobody@"),
            "correct the user in database.url, or create it".to_owned(),
        ),
        (
            with(&database, "postgres@", &format!("{role}_mute@")),
            "is not permitted to log in".to_owned(),
        ),
        (
            with(&database, "postgres@", &format!("{role}@")),
            "too many connections for role".to_owned(),
        ),
        (
            with(&database, "postgres@", &format!("{role}_out@")),
            format!("GRANT CONNECT, CREATE ON DATABASE \"{name}\" TO \"{role}_out\""),
        ),
        (
            database.url().to_owned() + "?sslmode=require",
            "the server has no TLS; turn `ssl` on".to_owned(),
        ),
        (
            database.url().to_owned() + "?options=-c%20no.such%3D1%20-c%20jit%3Dmaybe",
            "jit".to_owned(),
        ),
    ] {
        let said = said(&address).await;
        assert!(said.contains(&expected), "{address}: {said}");
    }
    for role in [role.clone(), format!("{role}_out"), format!("{role}_mute")] {
        let sql = format!("DROP OWNED BY {role}; DROP ROLE {role}");
        connection.execute_unprepared(&sql).await.unwrap();
    }
}

#[tokio::test]
async fn what_cannot_be_reached_is_told_with_its_remedy() {
    let closed = free_address();
    for (address, expected) in [
        (
            format!("postgres://webmon:hush-hush@{closed}/shop"),
            "Connection refused (os error 111); check database.url and that the server runs",
        ),
        (
            "postgres://webmon:hush-hush@nowhere.invalid/shop".to_owned(),
            "the host has no address (",
        ),
        (
            "postgres://webmon@/shop?host=/nowhere".to_owned(),
            "there is no socket /nowhere/.s.PGSQL.5432; check the folder",
        ),
    ] {
        let said = said(&address).await;
        assert!(said.contains(expected), "{address}: {said}");
        assert!(!said.contains("hush"), "{said}");
    }
}

#[tokio::test]
async fn what_is_no_postgresql_is_told_as_that() {
    for (answer, expected) in [
        (
            "HTTP/1.1 400 Bad Request\r\n\r\n",
            "what answers there is no PostgreSQL",
        ),
        ("", "the connection was closed at once"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answering = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
            // What the client sends is read, or the end would be a reset.
            let mut request = [0; 8];
            tokio::io::AsyncReadExt::read_exact(&mut stream, &mut request)
                .await
                .unwrap();
        });
        let said = said(&format!("postgres://webmon@{address}/shop")).await;
        assert!(said.starts_with(expected), "{said}");
        answering.await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let started = Instant::now();
    let said = said(&format!("postgres://webmon@{address}/shop")).await;
    assert!(said.starts_with("no answer within 5 s"), "{said}");
    assert!(started.elapsed() >= CONNECT_TIMEOUT);
}

#[tokio::test]
async fn a_password_is_taken_from_its_file_and_a_wrong_one_is_told() {
    let folder = TempDir::new().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let port = free_ports(1);
    let mut server = Server::postgres(folder.path(), port);
    server.start();
    server.ready().await;
    let hba = folder.path().join("postgres/data/pg_hba.conf");
    let rules =
        "host all postgres 127.0.0.1/32 trust\nhost all keeper 127.0.0.1/32 scram-sha-256\n";
    fs::write(&hba, rules).unwrap();
    let connection = sea_orm::Database::connect(server.url()).await.unwrap();
    for sql in [
        "CREATE ROLE keeper LOGIN PASSWORD 'hush:hush\\'",
        "SELECT pg_reload_conf()",
    ] {
        connection.execute_unprepared(sql).await.unwrap();
    }

    let address = format!("postgres://keeper@127.0.0.1:{port}/postgres");
    let wrong = said(&address.replace("keeper@", "keeper:gargle-gargle@")).await;
    assert!(wrong.contains("password authentication failed for user \"keeper\"; correct the user or the password in database.url"), "{wrong}");
    assert!(!wrong.contains("gargle"), "{wrong}");
    let encoded = address.replace("keeper@", "keeper:hush%3Ahush%5C@");
    assert_eq!(said(&encoded).await, "");
    let refused = said(&format!("postgres://nobody@127.0.0.1:{port}/postgres")).await;
    assert!(refused.contains("sslmode=require"), "{refused}");

    let passfile = folder.path().join("pgpass");
    let lines = format!(
        "# a comment\nbroken:hush-hush\n127.0.0.1:{port}:other:keeper:gargle\n*:*:postgres:keeper:hush\\:hush\\\\\n"
    );
    fs::write(&passfile, lines).unwrap();
    let by_file = [("PGPASSFILE", passfile.as_path())];
    fs::set_permissions(&passfile, fs::Permissions::from_mode(0o644)).unwrap();
    let open = said_with(&address, &by_file).await;
    assert!(
        open.ends_with("others may read it: use `chmod 600`"),
        "{open}"
    );
    fs::set_permissions(&passfile, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(said_with(&address, &by_file).await, "");
    let missing = [("PGPASSFILE", Path::new("/no/such/file"))];
    let missing = said_with(&address, &missing).await;
    assert_eq!(
        missing,
        "`PGPASSFILE` names /no/such/file: there is no such file"
    );
}

/// Has a server speak TLS, with the certificate of the tests' broker, and demand it of the role `tls`.
async fn turn_tls_on(data: &Path, server: &Server) {
    let owner = fs::metadata(data).unwrap();
    for (name, mode) in [("server.cert", 0o644), ("server.key", 0o600)] {
        let file = data.join(name);
        fs::copy(certificate(name), &file).unwrap();
        chown(&file, Some(owner.uid()), Some(owner.gid())).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    }
    let rules = "hostssl all tls 127.0.0.1/32 trust\nhostssl all tls ::1/128 trust\nhost all postgres 127.0.0.1/32 trust\n";
    fs::write(data.join("pg_hba.conf"), rules).unwrap();
    let connection = sea_orm::Database::connect(server.url()).await.unwrap();
    for sql in [
        "CREATE ROLE tls LOGIN",
        "ALTER SYSTEM SET ssl_cert_file = 'server.cert'",
        "ALTER SYSTEM SET ssl = on",
        "SELECT pg_reload_conf()",
    ] {
        connection.execute_unprepared(sql).await.unwrap();
    }
}

#[tokio::test]
async fn tls_is_checked_as_the_address_says() {
    let folder = TempDir::new().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let port = free_ports(1);
    let mut server = Server::postgres(folder.path(), port);
    server.start();
    server.ready().await;
    turn_tls_on(&folder.path().join("postgres/data"), &server).await;
    let address = |query: &str| format!("postgres://tls@127.0.0.1:{port}/postgres?{query}");
    eventually(
        Duration::from_secs(20),
        "the server speaks TLS",
        async || {
            let said = said(&address("sslmode=require")).await;
            said.is_empty().then_some(())
        },
    )
    .await;
    let (ca, other) = (certificate("ca.pem"), certificate("other-ca.pem"));
    let (ca, other) = (ca.display(), other.display());
    for (query, expected) in [
        (String::new(), None),
        (
            "sslmode=disable".to_owned(),
            Some("set sslmode=require in database.url"),
        ),
        (
            "sslmode=verify-full".to_owned(),
            Some("name the authority of the server's certificate by sslrootcert"),
        ),
        (format!("sslmode=verify-full&sslrootcert={ca}"), None),
        (
            format!("sslmode=verify-full&sslrootcert={ca}&host=localhost"),
            None,
        ),
        // An authority that is named counts, as in libpq.
        (
            format!("sslmode=require&sslrootcert={other}"),
            Some("TLS: "),
        ),
        (format!("sslmode=require&sslrootcert={ca}"), None),
        ("sslrootcert=system".to_owned(), Some("TLS: ")),
    ] {
        let said = said(&address(&query)).await;
        match expected {
            Some(expected) => assert!(said.contains(expected), "{query}: {said}"),
            None => assert_eq!(said, "", "{query}"),
        }
    }
}

#[test]
fn a_variable_with_a_mistake_is_named_and_not_passed_over() {
    let address = Address::parse("postgres://u@h/d").unwrap();
    for (name, value, expected) in [
        (
            "PGSSLMODE",
            "verify-ful",
            "`PGSSLMODE` must be disable, allow",
        ),
        ("PGPORT", "port", "`PGPORT` must be a number"),
        (
            "PGSSLROOTCERT",
            "/no/such.pem",
            "`PGSSLROOTCERT` names /no/such.pem: there is no such file",
        ),
        (
            "PGSSLCERT",
            "/no/such.pem",
            "`PGSSLCERT` must be one of two",
        ),
    ] {
        let environment = [(name.to_owned(), value.to_owned())].into_iter().collect();
        let said = address.options(&environment).unwrap_err().to_string();
        assert!(said.starts_with(expected), "{name}: {said}");
    }
    let several = Address::parse("postgres://u@/d").unwrap();
    let environment = [("PGHOST".to_owned(), "h1,h2".to_owned())]
        .into_iter()
        .collect();
    let said = several.options(&environment).unwrap_err().to_string();
    assert!(said.starts_with("`PGHOST` must be one host"), "{said}");
}

#[test]
fn a_key_with_a_passphrase_is_named() {
    let folder = TempDir::new().unwrap();
    let (certificate, key) = (folder.path().join("c.pem"), folder.path().join("k.pem"));
    fs::write(&certificate, "-----BEGIN CERTIFICATE-----\n").unwrap();
    fs::write(&key, "-----BEGIN ENCRYPTED PRIVATE KEY-----\n").unwrap();
    let address = format!(
        "postgres://u@h/d?sslcert={}&sslkey={}",
        certificate.display(),
        key.display()
    );
    let address = Address::parse(&address).unwrap();
    let said = address
        .options(&Environment::default())
        .unwrap_err()
        .to_string();
    assert!(
        said.starts_with("`sslkey` names ") && said.contains("has a passphrase"),
        "{said}"
    );
}
