//! A check by HTTPS with a full handshake and a verified chain, against reqwest and rustls.

use color_eyre::eyre::Result;

use super::probe::{Contest, contest};
use crate::figures::Unit;
use crate::stage::{Stage, Website};
use crate::table::{Line, Reach};

/// Checks at once.
const LEVELS: [u32; 2] = [64, 512];

/// Measures the row.
pub(super) async fn measure(stage: &Stage) -> Result<Vec<Line>> {
    let website = Website::tls(stage).await?;
    let mut lines = Vec::new();
    for level in LEVELS {
        let Contest { micros, .. } = contest(stage, &website, level, &["lanes", "reqwest"]).await?;
        if let [lanes, reqwest] = &micros[..] {
            let what = format!("CPU per HTTPS check, {level} at once");
            let line = Line::new(what, Unit::Micros, lanes.clone());
            let line = line.against("reqwest + rustls", reqwest.clone());
            lines.push(line.reach(Reach::AtMost(0.85)));
        }
    }
    Ok(lines)
}
