//! A plain check by lanes and probe, against reqwest, against bare sockets and against ureq alone: CPU time
//! and rate.

use color_eyre::eyre::Result;

use crate::figures::{Unit, number};
use crate::flow::whole;
use crate::parts::Report;
use crate::process::part;
use crate::stage::{Stage, Website};
use crate::table::{Line, Reach};

/// Checks at once.
const LEVELS: [u32; 4] = [64, 512, 1_024, 2_048];
/// At so many the rate counts.
const BUSY: [u32; 2] = [1_024, 2_048];
/// Targets that answer after 100 ms allow 1,024 at once 10,240 a second and no more, whichever program asks: the
/// rate is that of targets that answer after so many.
const QUICK_MS: u64 = 20;

/// The same checks by several programs, run in turn.
pub(super) struct Contest {
    /// CPU time for each check in microseconds, by program.
    pub(super) micros: Vec<Vec<f64>>,
    /// Checks a second, by program.
    pub(super) rates: Vec<Vec<f64>>,
}

/// Measures the row.
pub(super) async fn measure(stage: &Stage) -> Result<Vec<Line>> {
    let website = Website::plain(stage).await?;
    let mut lines = Vec::new();
    for level in LEVELS {
        let rivals = ["lanes", "reqwest", "sockets", "ureq"];
        let Contest { micros, .. } = contest(stage, &website, level, &rivals).await?;
        if let [lanes, reqwest, sockets, ureq] = &micros[..] {
            let cpu = |rival: &str, theirs: &Vec<f64>| {
                let what = format!("CPU per plain check, {} at once", number(level));
                Line::new(what, Unit::Micros, lanes.clone()).against(rival, theirs.clone())
            };
            lines.extend([
                cpu("reqwest", reqwest).reach(Reach::AtMost(0.75)),
                cpu("bare sockets", sockets).reach(Reach::AtMost(1.7)),
                cpu("ureq, which it uses, alone", ureq),
            ]);
        }
    }
    let website = Website::plain_after(stage, QUICK_MS).await?;
    for level in BUSY {
        let Contest { rates, .. } = contest(stage, &website, level, &["lanes", "reqwest"]).await?;
        if let [lanes, reqwest] = &rates[..] {
            let what = format!(
                "plain checks, {} at once, answered after {QUICK_MS} ms",
                number(level)
            );
            let rate = Line::new(what, Unit::PerSecond, lanes.clone());
            let rate = rate.against("reqwest", reqwest.clone());
            lines.push(rate.reach(Reach::AtLeast(1.1)));
        }
    }
    Ok(lines)
}

/// Lets these parts make so many checks at once, in turn.
pub(super) async fn contest(
    stage: &Stage,
    website: &Website,
    level: u32,
    rivals: &[&str],
) -> Result<Contest> {
    let mut micros = vec![Vec::new(); rivals.len()];
    let mut rates = micros.clone();
    for _ in stage.repeats() {
        for ((rival, micros), rates) in rivals.iter().zip(&mut micros).zip(&mut rates) {
            let seconds = stage.pick(2.5, 1.0);
            let report = checks(stage, website, (level, seconds), rival).await?;
            let done = whole(i64::try_from(report.done).unwrap_or(i64::MAX));
            micros.push(report.cpu_seconds * 1e6 / done);
            rates.push(done / report.seconds);
        }
    }
    Ok(Contest { micros, rates })
}

/// Lets a part make so many checks at once for so many seconds.
pub(super) async fn checks(
    stage: &Stage,
    website: &Website,
    (level, seconds): (u32, f64),
    rival: &str,
) -> Result<Report> {
    let (level, seconds) = (level.to_string(), seconds.to_string());
    let mut arguments = vec!["--in-flight", &level, "--seconds", &seconds];
    let ca = website.ca.as_ref().map(|ca| ca.to_string_lossy());
    if let Some(ca) = &ca {
        arguments.extend(["--ca", ca]);
    }
    arguments.extend(website.urls.iter().map(String::as_str));
    part(rival, arguments, stage.folder()).await
}
