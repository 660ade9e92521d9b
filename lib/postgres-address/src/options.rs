//! From an address to what sqlx is told.

use std::path::PathBuf;

use sea_orm::sqlx::postgres::PgConnectOptions;

use crate::address::{Address, Host};
use crate::environment::Environment;
use crate::error::AddressError;
use crate::files::{self, Holds};
use crate::passfile::{self, Wanted};
use crate::split::{named, numbered};
use crate::tls::{MODES, TlsMode};

/// The value of `sslrootcert` that stands for the authorities that everybody trusts.
const SYSTEM: &str = "system";

impl Address {
    /// What sqlx is told. Reads the files of TLS and the password file.
    ///
    /// `extra_float_digits` and an empty `options` are not sent: `PgBouncer` refuses both.
    pub fn options(&self, environment: &Environment) -> Result<PgConnectOptions, AddressError> {
        let mut options = PgConnectOptions::new_without_pgpass().extra_float_digits(None);
        let host = match &self.host {
            Some(host) => Some(host.clone()),
            None => of_environment(environment)?,
        };
        let on_socket = match &host {
            Some(Host::Name(name)) => {
                options = options.host(name);
                false
            }
            Some(Host::Socket(folder)) => {
                options = options.host(&folder.to_string_lossy()).socket(folder);
                true
            }
            None => options.get_host().starts_with('/'),
        };
        if let Some(port) = self.port(environment)? {
            options = options.port(port);
        }
        let named = self.user.as_deref().or(environment.get("PGUSER"));
        let user = named.or(environment.user());
        options = options.username(user.ok_or(AddressError::NoUser)?);
        if let Some(database) = &self.database {
            options = options.database(database);
        }
        options = self.with_parameters(options);
        options = if on_socket {
            // As in libpq: nothing travels that could be listened to.
            options.ssl_mode(TlsMode::Disable.of_sqlx())
        } else {
            self.with_tls(options, environment)?
        };
        self.with_password(options, environment)
    }

    /// The port, if it is said.
    fn port(&self, environment: &Environment) -> Result<Option<u16>, AddressError> {
        let name = "PGPORT";
        match (self.port, environment.get(name)) {
            (None, Some(text)) => numbered(text).map_err(|_| AddressError::Value {
                name,
                expected: "a number from 1 to 65535",
            }),
            (port, _) => Ok(port),
        }
    }

    /// With what goes to the server as it is.
    fn with_parameters(&self, mut options: PgConnectOptions) -> PgConnectOptions {
        let said = &self.parameters;
        if let Some(capacity) = said.statements {
            options = options.statement_cache_capacity(capacity);
        }
        if !said.settings.is_empty() {
            let settings = said.settings.iter();
            options = options.options(settings.map(|(name, value)| (name, &value.0)));
        }
        options
    }

    /// With TLS as it is said.
    fn with_tls(
        &self,
        mut options: PgConnectOptions,
        environment: &Environment,
    ) -> Result<PgConnectOptions, AddressError> {
        let said = &self.parameters;
        let mut mode = self.mode(environment)?;
        match file(
            said.root.as_ref(),
            ["sslrootcert", "PGSSLROOTCERT"],
            environment,
        ) {
            Some((_, root)) if root.as_os_str() == SYSTEM => {
                options = options.ssl_root_cert_from_pem(Vec::new());
                mode = Some(mode.unwrap_or(TlsMode::VerifyFull));
            }
            Some((name, root)) => {
                files::check(name, &root, Holds::Certificates)?;
                options = options.ssl_root_cert(root);
                // As in libpq: who names an authority wants it to count.
                if mode == Some(TlsMode::Require) {
                    mode = Some(TlsMode::VerifyCa);
                }
            }
            None => {}
        }
        let certificate = file(
            said.certificate.as_ref(),
            ["sslcert", "PGSSLCERT"],
            environment,
        );
        let key = file(said.key.as_ref(), ["sslkey", "PGSSLKEY"], environment);
        match (certificate, key) {
            (Some((certificate_name, certificate)), Some((key_name, key))) => {
                files::check(certificate_name, &certificate, Holds::Certificates)?;
                files::check(key_name, &key, Holds::Key)?;
                options = options.ssl_client_cert(certificate).ssl_client_key(key);
            }
            (None, None) => {}
            (Some((name, _)), None) | (None, Some((name, _))) => {
                let expected = "one of two: `sslcert` and `sslkey` go together";
                return Err(AddressError::Value { name, expected });
            }
        }
        Ok(match mode {
            Some(mode) => options.ssl_mode(mode.of_sqlx()),
            None => options,
        })
    }

    /// How TLS is used, if it is said.
    fn mode(&self, environment: &Environment) -> Result<Option<TlsMode>, AddressError> {
        let name = "PGSSLMODE";
        match (self.tls_mode, environment.get(name)) {
            (None, Some(text)) => TlsMode::parse(text).map(Some).ok_or(AddressError::Value {
                name,
                expected: MODES,
            }),
            (mode, _) => Ok(mode),
        }
    }

    /// With the password: of the address, of `PGPASSWORD` (by sqlx), or of the password file.
    fn with_password(
        &self,
        options: PgConnectOptions,
        environment: &Environment,
    ) -> Result<PgConnectOptions, AddressError> {
        if let Some(password) = &self.password {
            return Ok(options.password(&password.0));
        }
        if environment.get("PGPASSWORD").is_some() {
            return Ok(options);
        }
        let Some((path, demanded)) = environment.passfile() else {
            return Ok(options);
        };
        let mut hosts = vec![options.get_host().to_owned()];
        if options.get_host().starts_with('/') {
            hosts.push("localhost".to_owned());
        }
        let (port, user) = (options.get_port().to_string(), options.get_username());
        let wanted = Wanted {
            hosts: &hosts,
            rest: [&port, options.get_database().unwrap_or(user), user],
        };
        match passfile::password(&path, &wanted) {
            Ok(Some(password)) => Ok(options.password(&password)),
            // Of the file in the home folder, which is often not there, there is nothing to say.
            Ok(None) | Err(_) if !demanded => Ok(options),
            Ok(None) => Ok(options),
            Err(problem) => Err(AddressError::File {
                name: "PGPASSFILE",
                path,
                problem,
            }),
        }
    }
}

/// The host of the environment, if it is said.
fn of_environment(environment: &Environment) -> Result<Option<Host>, AddressError> {
    for name in ["PGHOSTADDR", "PGHOST"] {
        if let Some(text) = environment.get(name) {
            return named(text).map_err(|_| AddressError::Value {
                name,
                expected: "one host, one IP address or the folder of a socket",
            });
        }
    }
    Ok(None)
}

/// A file that the address or else the environment names, and what names it. A variable may also hold
/// the certificate itself, which sqlx takes from it.
fn file(
    said: Option<&PathBuf>,
    [parameter, variable]: [&'static str; 2],
    environment: &Environment,
) -> Option<(&'static str, PathBuf)> {
    match said {
        Some(path) => Some((parameter, path.clone())),
        None => environment
            .get(variable)
            .filter(|text| !text.trim_start().starts_with("-----BEGIN"))
            .map(|text| (variable, PathBuf::from(text))),
    }
}
