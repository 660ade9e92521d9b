//! Sites by the thousand.

use std::fmt::Write as _;

use crate::website::Website;

/// Sites that differ by name only.
#[derive(Clone, Copy, Debug)]
pub struct Crowd {
    /// Their names are `NAME-1`, `NAME-2`, …
    pub name: &'static str,
    /// How their paths start: see [`Website`].
    pub path: &'static str,
    /// `interval_ms` of each.
    pub interval_ms: i32,
    /// How many they are.
    pub count: i32,
}

/// 2,000 sites of several intervals: some 800 checks a second, a twentieth of which do not end well.
pub const TWO_THOUSAND: &[Crowd] = &[
    Crowd::new("quarter", "/ok", 250, 50),
    Crowd::new("second", "/ok", 1_000, 160),
    Crowd::new("failing", "/fail", 1_000, 20),
    Crowd::new("resetting", "/reset", 1_000, 20),
    Crowd::new("two-seconds", "/ok", 2_000, 340),
    Crowd::new("slow", "/slow/300", 2_000, 60),
    Crowd::new("five-seconds", "/ok", 5_000, 600),
    Crowd::new("ten-seconds", "/ok", 10_000, 750),
];

/// 325 sites: some 300 checks a second.
pub const THREE_HUNDRED: &[Crowd] = &[
    Crowd::new("quarter", "/ok", 250, 25),
    Crowd::new("second", "/ok", 1_000, 90),
    Crowd::new("failing", "/fail", 1_000, 10),
    Crowd::new("two-seconds", "/ok", 2_000, 200),
];

impl Crowd {
    /// A crowd in one line.
    pub const fn new(name: &'static str, path: &'static str, interval_ms: i32, count: i32) -> Self {
        Self {
            name,
            path,
            interval_ms,
            count,
        }
    }

    /// The statement that adds its sites, as any tool might.
    pub fn sql(&self, website: &Website) -> String {
        let Self {
            name,
            path,
            interval_ms,
            count,
        } = self;
        let url = website.url(path);
        let timeout_ms = self.timeout_ms();
        format!(
            "INSERT INTO site (name, url, interval_ms, timeout_ms)
             SELECT '{name}-' || n, '{url}/{name}-' || n, {interval_ms}, {timeout_ms}
             FROM generate_series(1, {count}) n"
        )
    }

    /// Its sites as entries of a sites file.
    pub fn yaml(&self, website: &Website) -> String {
        let mut yaml = String::new();
        for n in 1..=self.count {
            let (name, url) = (self.name, website.url(self.path));
            let (interval, timeout) = (self.interval_ms, self.timeout_ms());
            writeln!(
                yaml,
                "  - {{name: {name}-{n}, url: '{url}/{name}-{n}', \
                 interval: {interval}ms, timeout: {timeout}ms}}"
            )
            .expect("a String takes all");
        }
        yaml
    }

    /// Long enough for a busy machine.
    fn timeout_ms(&self) -> i32 {
        self.interval_ms.min(2_000)
    }
}

/// A sites file of several crowds.
pub fn sites_file(crowds: &[Crowd], website: &Website) -> String {
    let sites: String = crowds.iter().map(|crowd| crowd.yaml(website)).collect();
    format!("sites:\n{sites}")
}
