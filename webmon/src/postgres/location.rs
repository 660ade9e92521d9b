//! Where a server of webmon's own is found: its socket, its database and its user.

use std::path::{Path, PathBuf};

/// The user of the database, who owns it.
pub(super) const USER: &str = "webmon";

/// webmon's database.
pub(super) const DATABASE: &str = "webmon";

/// The port, which is only part of the socket's name.
pub(super) const PORT: u16 = 5432;

/// The socket of a server, in `folder`.
pub(super) fn socket_file(folder: &Path) -> PathBuf {
    folder.join(format!(".s.PGSQL.{PORT}"))
}

/// The address of `database` on the server whose socket is in `folder`.
pub(super) fn url(folder: &Path, database: &str) -> String {
    let host: String = folder.to_string_lossy().bytes().map(escaped).collect();
    format!("postgres://{USER}@{host}:{PORT}/{database}?sslmode=disable")
}

/// A byte as it may stand in the host of a URL.
fn escaped(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}
