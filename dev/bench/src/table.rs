//! The table: what was measured, against what, and whether it reaches what it should.

use crate::figures::{Spread, Unit};

/// A line of the table.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// What was measured.
    what: String,
    /// In what.
    unit: Unit,
    /// What webmon took, run by run.
    ours: Vec<f64>,
    /// What the rival took in the same runs, and its name.
    rival: Option<(String, Vec<f64>)>,
    /// What it should reach.
    reach: Option<Reach>,
    /// What else there is to say.
    note: String,
}

/// What a figure should reach, or its ratio to the rival's where there is a rival.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reach {
    /// At most.
    AtMost(f64),
    /// Less than.
    Under(f64),
    /// At least.
    AtLeast(f64),
}

impl Reach {
    /// Whether a figure reaches it.
    fn holds(self, figure: f64) -> bool {
        match self {
            Self::AtMost(bound) => figure <= bound,
            Self::Under(bound) => figure < bound,
            Self::AtLeast(bound) => figure >= bound,
        }
    }

    /// As people write it.
    fn show(self, unit: Unit) -> String {
        match self {
            Self::AtMost(bound) => format!("≤ {}", unit.show(bound)),
            Self::Under(bound) => format!("< {}", unit.show(bound)),
            Self::AtLeast(bound) => format!("≥ {}", unit.show(bound)),
        }
    }
}

impl Line {
    /// What webmon took, run by run.
    pub(crate) fn new(what: impl Into<String>, unit: Unit, ours: Vec<f64>) -> Self {
        Self {
            what: what.into(),
            unit,
            ours,
            rival: None,
            reach: None,
            note: String::new(),
        }
    }

    /// A line that only says why there are no figures.
    pub(crate) fn without_figures(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(what, Unit::Count, Vec::new()).note(why)
    }

    /// What a rival took in the same runs.
    #[must_use]
    pub(crate) fn against(mut self, rival: impl Into<String>, theirs: Vec<f64>) -> Self {
        self.rival = Some((rival.into(), theirs));
        self
    }

    /// What the ratio to the rival should reach, or without one the figure itself.
    #[must_use]
    pub(crate) const fn reach(mut self, reach: Reach) -> Self {
        self.reach = Some(reach);
        self
    }

    /// What else there is to say.
    #[must_use]
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// The cells of the line.
    fn cells(&self) -> [String; 6] {
        let Self {
            what,
            unit,
            ours,
            rival,
            reach,
            note,
        } = self;
        let show = |runs: &[f64]| {
            let spread = Spread::of(runs);
            spread.map_or_else(String::new, |spread| unit.spread(&spread, runs.len() > 1))
        };
        let (against, ratio) = match rival {
            Some((name, theirs)) => (
                format!("{name} {}", show(theirs)),
                Spread::of_ratios(ours, theirs),
            ),
            None => (String::new(), None),
        };
        let (of, compared) = match rival {
            Some(_) => (Unit::Ratio, ratio),
            None => (*unit, Spread::of(ours)),
        };
        let verdict = match (reach, compared) {
            (Some(reach), Some(compared)) if reach.holds(compared.median) => "yes",
            (Some(_), Some(_)) => "**no**",
            _ => "",
        };
        let said: Vec<_> = [verdict, note.as_str()]
            .into_iter()
            .filter(|said| !said.is_empty())
            .collect();
        [
            what.clone(),
            show(ours),
            against,
            ratio.map_or_else(String::new, |ratio| {
                Unit::Ratio.spread(&ratio, ours.len() > 1)
            }),
            reach.map_or_else(String::new, |reach| reach.show(of)),
            said.join("; "),
        ]
    }
}

/// What stands above the columns.
const HEAD: [&str; 6] = ["what", "webmon", "against", "ratio", "reach", "reached"];

/// The lines as a table in Markdown that can be read as it is.
pub(crate) fn table(lines: &[Line]) -> String {
    let mut rows = vec![HEAD.map(str::to_owned)];
    rows.extend(lines.iter().map(Line::cells));
    let mut widths = [0; HEAD.len()];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    rows.insert(1, widths.map(|width| "-".repeat(width)));
    let mut text = String::new();
    for row in &rows {
        let cells = widths.iter().zip(row);
        let cells: Vec<_> = cells
            .map(|(width, cell)| format!("| {cell:width$} "))
            .collect();
        text += &cells.concat();
        text += "|\n";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_medians_ratios_and_verdicts() {
        let lines = [
            Line::new("probe", Unit::Micros, vec![90.0, 91.0, 96.0])
                .against("reqwest", vec![150.0, 140.0, 160.0])
                .reach(Reach::AtMost(0.75)),
            Line::new("memory", Unit::Kib, vec![70.0]).reach(Reach::AtMost(64.0)),
            Line::without_figures("checker", "gatus is missing"),
        ];
        let table = table(&lines);
        let rows: Vec<_> = table.lines().collect();
        assert_eq!(rows.len(), 5);
        assert!(rows[0].starts_with("| what    | webmon "), "{table}");
        assert!(
            rows[2].contains(
                "| 91.0 µs (90.0–96.0) | reqwest 150 µs (140–160) | 0.60 (0.60–0.65) | ≤ 0.75"
            ),
            "{table}"
        );
        assert!(rows[2].contains("| yes "), "{table}");
        assert!(
            rows[3].contains("| 70.0 KiB ") && rows[3].contains("| ≤ 64.0 KiB | **no**"),
            "{table}"
        );
        assert!(rows[4].contains("gatus is missing"), "{table}");
        let widths = rows.iter().map(|row| row.chars().count());
        assert!(
            widths
                .clone()
                .all(|width| Some(width) == widths.clone().next())
        );
    }

    #[test]
    fn a_bound_is_reached_from_its_own_side() {
        assert!(Reach::AtMost(1.0).holds(1.0) && !Reach::AtMost(1.0).holds(1.1));
        assert!(!Reach::Under(1.0).holds(1.0) && Reach::Under(1.0).holds(0.9));
        assert!(Reach::AtLeast(1.0).holds(1.0) && !Reach::AtLeast(1.0).holds(0.9));
    }
}
