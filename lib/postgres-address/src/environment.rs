//! libpq's variables, which fill in what an address leaves out.
//!
//! sqlx takes them as well, but passes over values that it cannot read: a mistake in `PGSSLMODE` would
//! turn TLS's checks off.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// The list of the system's users.
const USERS: &str = "/etc/passwd";

/// The variables of the environment that count, and the name of the process's user.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// The variables.
    variables: BTreeMap<String, String>,
    /// The name of the user, if there is one.
    user: Option<String>,
}

/// Shows no value: one may be `PGPASSWORD`.
impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}

impl Environment {
    /// That of this process.
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        let mut environment: Self = std::env::vars_os().filter_map(text).collect();
        environment.user = name_of(rustix::process::geteuid().as_raw()).or_else(|| {
            // A user of a directory service is in no file.
            let said = ["USER", "LOGNAME"]
                .into_iter()
                .find_map(|name| environment.get(name));
            said.map(str::to_owned)
        });
        environment
    }

    /// The name of the process's user, which libpq takes where no other is named.
    pub(crate) fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The value of a variable; an empty one counts as unset, as in libpq.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The password file: the one that is named, or that of the home folder.
    pub(crate) fn passfile(&self) -> Option<(PathBuf, bool)> {
        match self.get("PGPASSFILE") {
            Some(path) => Some((PathBuf::from(path), true)),
            None => Some((std::env::home_dir()?.join(".pgpass"), false)),
        }
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(variables: T) -> Self {
        Self {
            variables: variables.into_iter().collect(),
            user: None,
        }
    }
}

/// The name of the user with this number. sqlx, as it is built here, has no other for it than `anonymous`.
fn name_of(uid: u32) -> Option<String> {
    let users = std::fs::read_to_string(USERS).ok()?;
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let number: u32 = fields.nth(1)?.parse().ok()?;
        (number == uid).then(|| name.to_owned())
    })
}
