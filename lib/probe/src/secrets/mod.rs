//! The values of `${secret:NAME}`: read where the configuration says, for the origins that it allows.
//!
//! The name is all that a site's row can choose: it means the file NAME in `secrets.dir` or the
//! environment variable `WEBMON_SECRET_NAME`. The file comes first, as it can change while the checker
//! runs; one that is there and useless is a fault, so that no old variable stands in for it unnoticed.

pub(crate) mod recipient;
pub(crate) mod revealed;

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use contract::outcome::Reason;
use url::Url;

use self::recipient::Recipient;
use self::revealed::placeholder;
use crate::fault::Fault;
use crate::observed;
use crate::options::{Origin, SECRET_VARIABLE_PREFIX, Secrets};

/// The longest value, in bytes.
const MAX_VALUE_BYTES: usize = 65_536;
/// What is read of a file: with its line end, and a byte that shows that there is too much.
const MAX_READ_BYTES: u64 = MAX_VALUE_BYTES as u64 + 3;

/// Finds the values of secrets.
#[derive(Clone, Debug)]
pub(crate) struct Vault {
    /// Where they are, and which origins may have them.
    secrets: Secrets,
}

impl Vault {
    /// A vault with the configuration's secrets.
    pub(crate) fn new(secrets: &Secrets) -> Self {
        Self {
            secrets: secrets.clone(),
        }
    }

    /// The value of a secret, to be sent to `recipient`. It is noted, so that it is never shown,
    /// and found there when the same check asks again.
    pub(crate) fn reveal(&self, name: &str, recipient: Recipient<'_>) -> Result<String, Fault> {
        let fault = |message| Fault::at(format!("secret {name}"), Reason::SecretMissing, message);
        match self.secrets.hosts.get(name) {
            Some(origins) => recipient.prove(name, origins)?,
            None if self.secrets.strict => return Err(fault(unbound(name, recipient.url))),
            None => {}
        }
        let shown = placeholder(name);
        // what is made of a secret is noted after it, so the first value is its own
        let known = observed::with(|observed| observed.revealed.value(&shown).map(str::to_owned));
        if let Some(value) = known {
            return Ok(value);
        }
        let value = self.find(name).map_err(fault)?;
        observed::with(|observed| observed.revealed.add(shown, &value));
        Ok(value)
    }

    /// Whether all these secrets, which the origin before `url` got, may go to `url` as well.
    pub(crate) fn admit<'n>(
        &self,
        mut names: impl Iterator<Item = &'n str>,
        url: &Url,
    ) -> Result<(), String> {
        names.try_for_each(|name| match self.secrets.hosts.get(name) {
            Some(origins) => recipient::admit(url, name, origins)
                .map_err(|message| format!("secret {name} {message}")),
            None => Ok(()),
        })
    }

    /// The value of a secret: its file's, else its variable's.
    fn find(&self, name: &str) -> Result<String, String> {
        let Secrets { dir, variables, .. } = &self.secrets;
        let path = dir.as_ref().map(|dir| dir.join(name));
        if let Some(path) = &path
            && let Some(value) = read(path)?
        {
            return checked(value, &path.display().to_string());
        }
        let variable = format!("{SECRET_VARIABLE_PREFIX}{name}");
        match (variables.get(name), path) {
            (Some(value), _) => checked(value.expose().into(), &variable),
            (None, Some(path)) => Err(format!(
                "there is neither a file {} nor a variable {variable}; write the one, or set the \
                 other and restart the checker",
                path.display()
            )),
            (None, None) => Err(format!(
                "there is no variable {variable}, and secrets.dir is not set; set one of them and \
                 restart the checker"
            )),
        }
    }
}

/// Why a secret without origins goes nowhere.
fn unbound(name: &str, url: &Url) -> String {
    let origin = Origin::of(url);
    format!(
        "is bound to no origin, and secrets.strict lets it go nowhere; add {name}: [{origin}] to \
         secrets.hosts"
    )
}

/// What a file holds, without its last line end, and without the mark that some editors put first; `None`
/// when there is no file.
fn read(path: &Path) -> Result<Option<Vec<u8>>, String> {
    let unreadable = |error: io::Error| {
        let path = path.display();
        format!("{path} cannot be read ({error}); let the checker's user read it")
    };
    let file = match open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    if !file.metadata().map_err(unreadable)?.is_file() {
        let path = path.display();
        return Err(format!("{path} is no file; write the value into one"));
    }
    let mut bytes = Vec::new();
    file.take(MAX_READ_BYTES)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    if bytes.pop_if(|last| *last == b'\n').is_some() {
        bytes.pop_if(|last| *last == b'\r');
    }
    Ok(Some(bytes))
}

/// Opens a file for reading, without waiting where it is a pipe without a writer.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path)
}

/// A value that can be meant; `source` is where it was found.
fn checked(bytes: Vec<u8>, source: &str) -> Result<String, String> {
    if bytes.is_empty() {
        return Err(format!("{source} is empty; put the value there"));
    }
    if bytes.len() > MAX_VALUE_BYTES {
        return Err(format!(
            "{source} has more than {MAX_VALUE_BYTES} bytes; a secret must be shorter"
        ));
    }
    String::from_utf8(bytes).map_err(|_| format!("{source} is not UTF-8; a secret must be text"))
}

#[cfg(test)]
mod tests;
