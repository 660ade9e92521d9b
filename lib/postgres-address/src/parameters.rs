//! What follows `?` in an address: libpq's parameters, and those of sqlx.

use std::path::PathBuf;

use crate::address::{Address, Hidden, Host};
use crate::error::AddressError;
use crate::split::{decoded, is_ip, named, numbered};
use crate::tls::{MODES, TlsMode};

/// Parameters that change nothing here: webmon has its own names and time limits, and one host.
const WITHOUT_EFFECT: [&str; 18] = [
    "application_name",
    "connect_timeout",
    "fallback_application_name",
    "gssdelegation",
    "gsslib",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "krbsrvname",
    "load_balance_hosts",
    "max_protocol_version",
    "min_protocol_version",
    "sslcertmode",
    "sslcompression",
    "sslsni",
    "ssl_max_protocol_version",
    "tcp_user_timeout",
];

/// Parameters of which only some values can be honoured.
const ONLY: [(&str, &[&str], &str); 7] = [
    (
        "channel_binding",
        &["disable", "prefer"],
        "disable or prefer: channel binding cannot be demanded",
    ),
    ("client_encoding", &["utf8", "UTF8", "auto"], "UTF8"),
    (
        "gssencmode",
        &["disable", "prefer"],
        "disable or prefer: there is no encryption by GSSAPI",
    ),
    ("replication", &["false", "off", "no", "0"], "off"),
    ("sslnegotiation", &["postgres"], "postgres"),
    (
        "target_session_attrs",
        &["any", "read-write", "primary", "prefer-standby"],
        "any, read-write or primary: name one host that can be written",
    ),
    (
        "ssl_min_protocol_version",
        &["TLSv1", "TLSv1.1", "TLSv1.2", ""],
        "TLSv1.2, which is the least in any case",
    ),
];

/// Parameters that ask for what sqlx does not do.
const UNSUPPORTED: [(&str, &str); 10] = [
    (
        "passfile",
        "name the file in the environment variable PGPASSFILE",
    ),
    ("requirepeer", "remove it"),
    (
        "require_auth",
        "remove it, and demand scram-sha-256 in the server's pg_hba.conf",
    ),
    ("scram_client_key", "give the password itself"),
    ("scram_server_key", "give the password itself"),
    ("service", "write out what the service's file says"),
    ("servicefile", "write out what the service's file says"),
    (
        "sslcrl",
        "remove it: lists of revoked certificates are not looked at",
    ),
    (
        "sslcrldir",
        "remove it: lists of revoked certificates are not looked at",
    ),
    (
        "sslpassword",
        "name a key without a passphrase, which only webmon may read, in `sslkey`",
    ),
];

/// Parameters whose values are secret: what follows one may be a part of it.
const SECRET: [&str; 4] = [
    "password",
    "sslpassword",
    "scram_client_key",
    "scram_server_key",
];

/// What `options` may be.
const OPTIONS: &str = "settings as `-c name=value`, with percent-encoded spaces";

impl Address {
    /// Reads what follows `?`.
    ///
    /// The name of a parameter that is not known is shown, unless it may be a part of a password.
    pub(crate) fn read_parameters(
        &mut self,
        query: &str,
        mut may_be_secret: bool,
    ) -> Result<(), AddressError> {
        let pieces = query.split('&').filter(|piece| !piece.is_empty());
        for (index, piece) in pieces.enumerate() {
            let (name, value) = piece.split_once('=').ok_or(AddressError::Bare)?;
            let name = decoded(name)?;
            let known = self.read_parameter(&name, &decoded(value)?)?;
            if !known && (may_be_secret || !is_plain(&name)) {
                return Err(AddressError::UnknownNumber(index + 1));
            }
            if !known {
                return Err(AddressError::Unknown(name));
            }
            may_be_secret |= SECRET.contains(&name.as_str());
        }
        Ok(())
    }

    /// Reads one parameter; returns whether it is known.
    fn read_parameter(&mut self, name: &str, value: &str) -> Result<bool, AddressError> {
        let text = || (!value.is_empty()).then(|| value.to_owned());
        let file = || text().map(PathBuf::from);
        let parameters = &mut self.parameters;
        match name {
            "host" => self.host = named(value)?,
            "hostaddr" if is_ip(value) => self.host = Some(Host::Name(value.to_owned())),
            "hostaddr" => return Err(wrong("hostaddr", "one IP address, without brackets")),
            "port" => self.port = numbered(value)?,
            "user" if value.contains(':') => return Err(AddressError::User),
            "user" => self.user = text(),
            "password" => self.password = text().map(Hidden),
            "dbname" if value.contains("://") => return Err(wrong("dbname", "a database's name")),
            "dbname" => self.database = text(),
            "sslmode" | "ssl-mode" => {
                let mode = TlsMode::parse(value).ok_or_else(|| wrong("sslmode", MODES))?;
                self.tls_mode = Some(mode);
            }
            "sslrootcert" | "ssl-root-cert" | "ssl-ca" => parameters.root = file(),
            "sslcert" | "ssl-cert" => parameters.certificate = file(),
            "sslkey" | "ssl-key" => parameters.key = file(),
            "statement-cache-capacity" => {
                let wrong = |_| wrong("statement-cache-capacity", "a number");
                parameters.statements = Some(value.parse().map_err(wrong)?);
            }
            "options" => {
                let settings = settings(value).ok_or_else(|| wrong("options", OPTIONS))?;
                parameters.settings.extend(settings);
            }
            name => return self.read_rare(name, value),
        }
        Ok(true)
    }

    /// Reads one of the parameters that are only looked at.
    fn read_rare(&mut self, name: &str, value: &str) -> Result<bool, AddressError> {
        let setting = name
            .strip_prefix("options[")
            .and_then(|name| name.strip_suffix(']'));
        if let Some(setting) = setting {
            let setting = (setting.to_owned(), Hidden(value.to_owned()));
            self.parameters.settings.push(setting);
            return Ok(true);
        }
        if let Some((name, remedy)) = UNSUPPORTED.into_iter().find(|known| known.0 == name) {
            return Err(AddressError::Unsupported { name, remedy });
        }
        if let Some((name, values, expected)) = ONLY.into_iter().find(|known| known.0 == name) {
            let honoured = values.contains(&value).then_some(true);
            return honoured.ok_or(AddressError::Value { name, expected });
        }
        Ok(WITHOUT_EFFECT.contains(&name))
    }
}

/// The settings of `-c name=value` and `--name=value`, apart by spaces. A `\\` takes away the meaning of a space.
fn settings(text: &str) -> Option<Vec<(String, Hidden)>> {
    let mut words = words(text).into_iter();
    let mut settings = Vec::new();
    while let Some(word) = words.next() {
        let setting = match word.strip_prefix("--").or_else(|| word.strip_prefix("-c")) {
            Some("") => words.next()?,
            Some(setting) => setting.to_owned(),
            None => return None,
        };
        let (name, value) = setting.split_once('=')?;
        settings.push((name.to_owned(), Hidden(value.to_owned())));
    }
    Some(settings)
}

/// The words of a text, apart by spaces without a `\\` before them.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut escaped = false;
    for c in text.chars() {
        match c {
            '\\' if !escaped => {
                escaped = true;
                continue;
            }
            c if c.is_whitespace() && !escaped => words.push(String::new()),
            c => words.last_mut().into_iter().for_each(|word| word.push(c)),
        }
        escaped = false;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether a name is written as the names of parameters are, so that it may be shown.
fn is_plain(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_lowercase() || matches!(c, '_' | '-');
    (1..=32).contains(&name.len()) && name.chars().all(letter)
}

/// A value that a parameter cannot have.
const fn wrong(name: &'static str, expected: &'static str) -> AddressError {
    AddressError::Value { name, expected }
}
