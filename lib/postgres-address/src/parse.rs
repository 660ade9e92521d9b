//! Reading an address: the parts before `?`.

use crate::address::{Address, Hidden, Parameters};
use crate::error::AddressError;
use crate::split::{Parts, decoded, host_and_port};

impl Address {
    /// Reads an address. The error says what is wrong and shows nothing that may be a part of a password.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let Parts {
            login,
            host,
            path,
            query,
        } = Parts::of(text)?;
        let (user, password) = match login.map(|login| login.split_once(':').unwrap_or((login, "")))
        {
            Some((user, password)) => (decoded(user)?, decoded(password)?),
            None => (String::new(), String::new()),
        };
        // What looks like the end of a password must not be taken for a user: servers show the user in their messages.
        if login.is_some_and(|login| !is_user(login)) || user.contains(':') {
            return Err(AddressError::User);
        }
        let (host, port) = host_and_port(host)?;
        let database = decoded(path)?;
        if path.contains('/') {
            return Err(AddressError::Database);
        }
        let mut address = Self {
            host,
            port,
            user: some(user),
            password: some(password).map(Hidden),
            database: some(database),
            tls_mode: None,
            parameters: Parameters::default(),
        };
        // `postgres://user:password?…`, with the host forgotten.
        address.read_parameters(query, login.is_none() && path.is_empty())?;
        Ok(address)
    }
}

/// Whether a login begins with a user whose special characters are percent-encoded.
fn is_user(login: &str) -> bool {
    let user = login.split_once(':').map_or(login, |(user, _)| user);
    let legal = |c: char| c.is_alphanumeric() || "-._~$+%".contains(c);
    user.chars().all(legal)
}

/// A text that is not empty.
fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}
