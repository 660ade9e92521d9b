//! A wall clock of one process's own, which a test steps: the machine's is everybody's.

use std::ffi::OsString;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a process loads that goes by such a clock.
const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/wall_clock.c");

/// A wall clock.
#[derive(Debug)]
pub struct WallClock {
    /// How far it is ahead of the machine's, where the process reads it.
    ahead: PathBuf,
    /// What the process loads.
    library: PathBuf,
}

impl WallClock {
    /// One that shows the machine's time; its files are in `folder`.
    pub fn new(folder: &Path, name: &str) -> Self {
        let library = folder.join("wall_clock.so");
        if !library.exists() {
            let mut compiler = Command::new("cc");
            compiler.args(["-shared", "-fPIC", "-O1", "-o"]);
            let built = compiler.arg(&library).arg(SOURCE).status();
            assert!(built.expect("Rust links with cc").success(), "{SOURCE}");
        }
        let ahead = folder.join(format!("{name}.ahead"));
        let clock = Self { ahead, library };
        clock.set_ahead(0);
        clock
    }

    /// Sets it: from now on it is so many seconds ahead of the machine's.
    pub fn set_ahead(&self, seconds: i32) {
        let nanoseconds = i64::from(seconds) * 1_000_000_000;
        let mut file = File::options();
        // In place: the process has mapped it.
        let file = file.write(true).create(true).truncate(false);
        let written = file
            .open(&self.ahead)
            .and_then(|mut file| file.write_all(&nanoseconds.to_ne_bytes()));
        written.expect("a file of our own");
    }

    /// The environment of a process that goes by it.
    pub(crate) fn environment(&self) -> [(&'static str, OsString); 2] {
        [
            ("LD_PRELOAD", self.library.clone().into()),
            ("TESTBED_WALL_CLOCK", self.ahead.clone().into()),
        ]
    }
}
