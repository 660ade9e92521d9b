//! What `PostgreSQL`'s programs said, for the message of an error.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use super::folders::ServerFolders;

/// How many lines of a log an error shows.
const SHOWN_LINES: usize = 12;

/// How much of a log is read for them.
const READ_BYTES: u64 = 16 * 1024;

/// What the server writes at last before it logs to a file of its own (`syslogger.c`).
const REDIRECTED: &str = "redirecting log output";

/// The last lines of what a server that did not start has said.
pub(super) fn of_start(folders: &ServerFolders) -> String {
    let at_first = end_of(&folders.start_log());
    let later = if at_first.contains(REDIRECTED) {
        newest(&folders.log)
    } else {
        None
    };
    let text = later.map_or(at_first, |file| end_of(&file));
    last_lines(text.as_bytes())
}

/// The last lines of `text`, below one another.
pub(super) fn last_lines(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    if lines.is_empty() {
        return " it said nothing".to_owned();
    }
    let skipped = lines.len().saturating_sub(SHOWN_LINES);
    lines
        .iter()
        .skip(skipped)
        .flat_map(|line| ["\n    ", line])
        .collect()
}

/// The end of a file, or why it cannot be read.
fn end_of(path: &Path) -> String {
    let read = || {
        let mut file = File::open(path)?;
        let bytes = file.metadata()?.len();
        file.seek(SeekFrom::Start(bytes.saturating_sub(READ_BYTES)))?;
        let mut end = Vec::new();
        file.take(READ_BYTES).read_to_end(&mut end)?;
        Ok(String::from_utf8_lossy(&end).into_owned())
    };
    read().unwrap_or_else(|error: std::io::Error| {
        format!("its log {} cannot be read: {error}", path.display())
    })
}

/// The file in `folder` that was written last.
fn newest(folder: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    let written = entries.filter_map(|entry| {
        let modified = entry.metadata().and_then(|found| found.modified()).ok()?;
        Some((modified, entry.path()))
    });
    written.max().map(|(_, path)| path)
}

#[cfg(test)]
mod tests {
    use super::{SHOWN_LINES, last_lines};

    #[test]
    fn an_error_shows_the_end_of_a_log() {
        let log: String = "line 7\n\n".repeat(100) + "line 8\n";
        let shown = last_lines(log.as_bytes());
        assert!(shown.ends_with("\n    line 8"));
        assert_eq!(shown.lines().skip(1).count(), SHOWN_LINES);
        assert_eq!(last_lines(b"\n"), " it said nothing");
    }
}
