//! Whether the way to `PostgreSQL` is closed to others.

use std::net::IpAddr;

use postgres_address::{Address, Environment};
use sea_orm::sqlx::postgres::PgSslMode;

use super::DatabaseConfig;

impl DatabaseConfig {
    /// What to warn about: a server on another machine that is reached without TLS for certain. No
    /// message shows more of the address than its host.
    pub fn open_way(&self) -> Option<String> {
        let address = Address::parse(self.url.expose()).ok()?;
        let options = address.options(&Environment::of_process()).ok()?;
        let is_certain = matches!(
            options.get_ssl_mode(),
            PgSslMode::Require | PgSslMode::VerifyCa | PgSslMode::VerifyFull
        );
        if is_certain || options.get_socket().is_some() || is_here(options.get_host()) {
            return None;
        }
        Some(format!(
            "database.url reaches {} without `sslmode=verify-full`: passwords and results can be read and changed on \
             the way; append `?sslmode=verify-full`, and `&sslrootcert=FILE` for an authority of your own",
            options.get_host()
        ))
    }
}

/// Whether a host is this machine: a socket's folder, or loopback.
fn is_here(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.starts_with('/')
        || host.eq_ignore_ascii_case("localhost")
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use runtime::config::Secret;

    use super::*;

    /// The warning for an address.
    fn warning(url: &str) -> Option<String> {
        DatabaseConfig {
            url: Secret::new(url),
        }
        .open_way()
    }

    #[test]
    fn a_server_elsewhere_is_warned_about_unless_tls_is_certain() {
        for query in ["", "?sslmode=prefer", "?sslmode=allow", "?sslmode=disable"] {
            for host in ["db.example", "10.0.0.7:5433", "[2001:db8::1]:5432"] {
                let url = format!("postgres://webmon:hush-hush@{host}/webmon{query}");
                let said = warning(&url).expect(&url);
                assert!(said.contains("sslmode=verify-full"), "{said}");
                assert!(!said.contains("hush-hush"), "{said}");
            }
        }
        for mode in ["require", "verify-ca", "verify-full"] {
            let url = format!("postgres://webmon@db.example/webmon?sslmode={mode}");
            assert_eq!(warning(&url), None);
        }
    }

    #[test]
    fn this_machine_is_not_warned_about() {
        for host in [
            "127.0.0.1",
            "127.8.8.8:5433",
            "[::1]",
            "localhost",
            "%2Frun%2Fpostgresql",
        ] {
            let url = format!("postgres://webmon@{host}/webmon");
            assert_eq!(warning(&url), None, "{url}");
        }
        let socket = "postgres:///webmon?host=/run/postgresql";
        assert_eq!(warning(socket), None);
    }
}
