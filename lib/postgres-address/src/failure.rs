//! Why there is no connection, or no right to do something, and what to do.

use std::fmt;
use std::io;

use sea_orm::sqlx::error::DatabaseError;
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::{DbErr, RuntimeErr, sqlx};

use crate::sqlstate;

/// Why an attempt failed, and the remedy. Shows what an accepted address names, never the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What happened.
    pub cause: String,
    /// What to do.
    pub remedy: String,
    /// Whether another attempt is of no use: the configuration itself is at fault.
    pub lasting: bool,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.cause, self.remedy)
    }
}

impl std::error::Error for Failure {}

/// `host:port/name` of a server, or its socket: what people need to recognise it, and no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The host and the port, or the socket.
    place: String,
    /// The database.
    database: String,
    /// The user.
    user: String,
    /// Whether it is a socket.
    on_socket: bool,
}

impl Server {
    /// The server that these options lead to.
    pub fn of(options: &PgConnectOptions) -> Self {
        let (host, port, user) = (
            options.get_host(),
            options.get_port(),
            options.get_username(),
        );
        let on_socket = host.starts_with('/');
        let place = match host {
            folder if on_socket => format!("{}/.s.PGSQL.{port}", folder.trim_end_matches('/')),
            ipv6 if ipv6.contains(':') => format!("[{ipv6}]:{port}"),
            host => format!("{host}:{port}"),
        };
        Self {
            place,
            database: options.get_database().unwrap_or(user).to_owned(),
            user: user.to_owned(),
            on_socket,
        }
    }

    /// Why sqlx has failed, and the remedy; `key` is what the address is called: `database.url`.
    pub fn failure(&self, error: &sqlx::Error, key: &str) -> Failure {
        let (cause, remedy) = match error {
            sqlx::Error::Io(error) => self.of_network(error, key),
            sqlx::Error::Tls(cause) if cause.to_string().contains("does not support TLS") => (
                "the server has no TLS".to_owned(),
                format!(
                    "turn `ssl` on in the server, or set sslmode=disable in {key} if the network can be trusted"
                ),
            ),
            sqlx::Error::Tls(cause) => (format!("TLS: {cause}"), of_tls(key)),
            sqlx::Error::Database(error) => return self.refusal(error.as_ref(), key),
            // sqlx reads the end of a connection as an answer of zero.
            sqlx::Error::Protocol(said) if said.contains("SSLRequest: 0x00") => of_end(key),
            sqlx::Error::Protocol(_) => (
                "what answers there is no PostgreSQL".to_owned(),
                format!("check the host and the port of {key}"),
            ),
            other => (other.to_string(), general(key)),
        };
        Failure {
            cause,
            remedy,
            lasting: false,
        }
    }

    /// Why a statement has failed, with the remedy where the database's administrator has it.
    pub fn explain(&self, error: &DbErr, key: &str) -> String {
        match of_database(error) {
            Some(refusal) => self.refusal(refusal, key).to_string(),
            None => error.to_string(),
        }
    }

    /// Why the network, or TLS, has failed.
    fn of_network(&self, error: &io::Error, key: &str) -> (String, String) {
        let said = error.to_string();
        let place = &self.place;
        match error.kind() {
            io::ErrorKind::NotFound if self.on_socket => (
                format!("there is no socket {place}"),
                format!("check the folder and the port of {key} and that the server runs"),
            ),
            io::ErrorKind::PermissionDenied if self.on_socket => (
                format!("this process has no permission to use the socket {place}"),
                format!("check the rights of its folder, or use another host in {key}"),
            ),
            io::ErrorKind::InvalidData => (format!("TLS: {said}"), of_tls(key)),
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => of_end(key),
            _ if said.starts_with("failed to lookup address") => (
                format!(
                    "the host has no address ({})",
                    said.rsplit(": ").next().unwrap_or_default()
                ),
                format!("check the host of {key}"),
            ),
            _ => (said, general(key)),
        }
    }

    /// What the server, or a pooler before it, has refused.
    fn refusal(&self, error: &dyn DatabaseError, key: &str) -> Failure {
        let message = error.message().to_owned();
        let code = error.code().unwrap_or_default();
        let (remedy, lasting) = match code.as_ref() {
            sqlstate::INVALID_PASSWORD => (format!("correct the user or the password in {key}; a password file counts only if its mode is 0600"), false),
            sqlstate::INVALID_AUTHORIZATION if message.contains("no encryption") => (
                format!("set sslmode=require in {key} if the server demands TLS, or add this host to its pg_hba.conf"),
                false,
            ),
            sqlstate::INVALID_AUTHORIZATION if message.contains("pg_hba.conf") => {
                ("add this host, user and database to the server's pg_hba.conf".to_owned(), false)
            }
            sqlstate::INVALID_AUTHORIZATION => (format!("correct the user in {key}, or create it: CREATE ROLE … LOGIN"), false),
            sqlstate::NO_DATABASE => (
                format!("create it (`createdb {}`), or correct the name in {key}", self.database),
                false,
            ),
            sqlstate::INSUFFICIENT_PRIVILEGE => (self.grant(&message), false),
            sqlstate::TOO_MANY_CONNECTIONS => ("raise max_connections of the server or the limit of the role, or end what holds its connections".to_owned(), false),
            sqlstate::ADMIN_SHUTDOWN | sqlstate::CRASH_SHUTDOWN | sqlstate::CANNOT_CONNECT_NOW => ("wait until the server is up".to_owned(), false),
            _ => match of_pooler(&message, key) {
                Some(remedy) => (remedy, true),
                None => (general(key), false),
            },
        };
        Failure {
            cause: message,
            remedy,
            lasting,
        }
    }

    /// Which right a role lacks, as far as the message tells.
    fn grant(&self, message: &str) -> String {
        let (user, database) = (&self.user, &self.database);
        let object = |what: &str| {
            message
                .strip_prefix("permission denied for ")?
                .strip_prefix(what)
        };
        if let Some(schema) = object("schema ") {
            return format!(
                "let the role create tables there (GRANT USAGE, CREATE ON SCHEMA {schema} TO \"{user}\"), or make \
                 it the owner of the database (ALTER DATABASE \"{database}\" OWNER TO \"{user}\")"
            );
        }
        if object("database ").is_some() {
            return format!("GRANT CONNECT, CREATE ON DATABASE \"{database}\" TO \"{user}\"");
        }
        format!("use the role that owns webmon's tables, or let it grant what \"{user}\" lacks")
    }
}

/// What to say of a server that ends the connection, and what to do.
fn of_end(key: &str) -> (String, String) {
    (
        "the connection was closed at once".to_owned(),
        format!("check that {key} names a PostgreSQL, and whether it demands TLS: sslmode=require"),
    )
}

/// What to do about a certificate.
fn of_tls(key: &str) -> String {
    format!(
        "name the authority of the server's certificate by sslrootcert in {key}, and the host that it was issued for"
    )
}

/// What to do when it may be anything.
fn general(key: &str) -> String {
    format!("check {key} and that the server runs")
}

/// What to do about a pooler, by what only poolers say.
fn of_pooler(message: &str, key: &str) -> Option<String> {
    let session = || {
        format!(
            "this is a pooler such as PgBouncer: set `pool_mode = session` for this database, or name \
             PostgreSQL's own address in {key}"
        )
    };
    if message.starts_with("unsupported startup parameter") {
        return Some(format!(
            "this is a pooler such as PgBouncer: remove `options` from {key} and PGOPTIONS from the \
             environment, or name PostgreSQL's own address"
        ));
    }
    let of_statements = message.starts_with("prepared statement \"sqlx_s_");
    let of_mode = message.contains("statement pooling mode");
    (of_statements || of_mode).then(session)
}

/// The server's error behind an error of sea-orm.
fn of_database(error: &DbErr) -> Option<&dyn DatabaseError> {
    let (DbErr::Conn(source) | DbErr::Exec(source) | DbErr::Query(source)) = error else {
        return None;
    };
    let RuntimeErr::SqlxError(source) = source else {
        return None;
    };
    source.as_database_error()
}

/// `host:port/name`, or the socket and the name.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.place, self.database)
    }
}
