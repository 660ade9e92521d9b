//! The files of TLS: looked at before a connection, as the libraries would not say which one is wrong.

use std::fs;
use std::io;
use std::path::Path;

use crate::error::AddressError;

/// What a file is to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    /// Certificates.
    Certificates,
    /// A private key.
    Key,
}

/// Looks into a file that `name`, a parameter or a variable, names.
pub(crate) fn check(name: &'static str, path: &Path, holds: Holds) -> Result<(), AddressError> {
    let problem = match fs::read(path) {
        Ok(content) => fault(&String::from_utf8_lossy(&content), holds),
        Err(error) => Some(problem(&error)),
    };
    match problem {
        None => Ok(()),
        Some(problem) => Err(AddressError::File {
            name,
            path: path.to_owned(),
            problem,
        }),
    }
}

/// What is wrong with the content of a file.
fn fault(content: &str, holds: Holds) -> Option<String> {
    let has = |text: &str| content.contains(text);
    match holds {
        Holds::Certificates if has("-----BEGIN CERTIFICATE-----") => None,
        Holds::Certificates => Some("holds no certificate in PEM".to_owned()),
        Holds::Key if has("-----BEGIN ENCRYPTED PRIVATE KEY") || has("Proc-Type: 4,ENCRYPTED") => {
            Some(
                "its key has a passphrase: write one without by `openssl pkey`, which only webmon may read"
                    .to_owned(),
            )
        }
        Holds::Key if has("PRIVATE KEY-----") => None,
        Holds::Key => Some("holds no private key in PEM".to_owned()),
    }
}

/// Why a file cannot be read.
pub(crate) fn problem(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "this process has no permission to read it".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        _ => format!("it cannot be read: {error}"),
    }
}
