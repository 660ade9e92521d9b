//! Figures of several runs: their median, how far they spread, and how people read them.

use std::fmt;

/// The runs of one figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    /// The median.
    pub(crate) median: f64,
    /// The least.
    pub(crate) least: f64,
    /// The most.
    pub(crate) most: f64,
}

impl Spread {
    /// Of these runs; `None` without any.
    pub(crate) fn of(runs: &[f64]) -> Option<Self> {
        let mut sorted = runs.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (least, most) = (*sorted.first()?, *sorted.last()?);
        let upper = *sorted.get(sorted.len() / 2)?;
        let lower = *sorted.get((sorted.len() - 1) / 2)?;
        Some(Self {
            median: f64::midpoint(lower, upper),
            least,
            most,
        })
    }

    /// Of the ratios of runs that were made in turn (A B A B …), each to its neighbour.
    pub(crate) fn of_ratios(ours: &[f64], theirs: &[f64]) -> Option<Self> {
        let ratios: Vec<_> = ours.iter().zip(theirs).map(|(a, b)| a / b).collect();
        Self::of(&ratios)
    }
}

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Microseconds of CPU.
    Micros,
    /// Milliseconds.
    Millis,
    /// Seconds.
    Seconds,
    /// So many in a second.
    PerSecond,
    /// KiB of memory.
    Kib,
    /// MiB of memory.
    Mib,
    /// Bytes.
    Bytes,
    /// Percent of one core.
    Percent,
    /// How many.
    Count,
    /// How many times something else.
    Ratio,
}

impl Unit {
    /// What stands behind the number.
    const fn name(self) -> &'static str {
        match self {
            Self::Micros => " µs",
            Self::Millis => " ms",
            Self::Seconds => " s",
            Self::PerSecond => "/s",
            Self::Kib => " KiB",
            Self::Mib => " MiB",
            Self::Bytes => " B",
            Self::Percent => " %",
            Self::Count | Self::Ratio => "",
        }
    }

    /// A figure of this unit.
    pub(crate) fn show(self, figure: f64) -> String {
        if self == Self::Count {
            return with_commas(figure);
        }
        format!("{}{}", Number(figure), self.name())
    }

    /// The runs of a figure: their median, and in brackets the least and the most.
    pub(crate) fn spread(self, runs: &Spread, several: bool) -> String {
        let median = self.show(runs.median);
        if several {
            format!("{median} ({}–{})", Number(runs.least), Number(runs.most))
        } else {
            median
        }
    }
}

/// A number in three significant digits, and with commas from a thousand on.
struct Number(f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figure = self.0;
        if figure.abs() >= 1_000.0 {
            return f.write_str(&with_commas(figure));
        }
        let decimals = match figure.abs() {
            100.0.. => 0,
            10.0.. => 1,
            _ => 2,
        };
        write!(f, "{figure:.decimals$}")
    }
}

/// A whole number as people read it.
pub(crate) fn number(number: u32) -> String {
    Unit::Count.show(number.into())
}

/// A whole number with a comma between thousands.
fn with_commas(figure: f64) -> String {
    let digits = format!("{:.0}", figure.abs());
    let mut text = String::from(if figure < 0.0 { "-" } else { "" });
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_run_or_lies_between_the_two() {
        let spread = |median, least, most| Spread {
            median,
            least,
            most,
        };
        assert_eq!(Spread::of(&[]), None);
        assert_eq!(Spread::of(&[3.0]), Some(spread(3.0, 3.0, 3.0)));
        assert_eq!(Spread::of(&[9.0, 1.0, 2.0]), Some(spread(2.0, 1.0, 9.0)));
        assert_eq!(
            Spread::of(&[4.0, 1.0, 2.0, 9.0]),
            Some(spread(3.0, 1.0, 9.0))
        );
    }

    #[test]
    fn a_ratio_is_the_median_of_neighbours_and_not_the_ratio_of_medians() {
        let ratios = Spread::of_ratios(&[1.0, 2.0, 9.0], &[2.0, 2.0, 3.0]).unwrap();
        assert_eq!((ratios.median, ratios.least, ratios.most), (1.0, 0.5, 3.0));
        assert_eq!(Spread::of_ratios(&[], &[1.0]), None);
    }

    #[test]
    fn figures_have_three_digits_a_unit_and_commas() {
        assert_eq!(Unit::Micros.show(93.14), "93.1 µs");
        assert_eq!(Unit::Ratio.show(0.615), "0.61");
        assert_eq!(Unit::Kib.show(512.4), "512 KiB");
        assert_eq!(Unit::PerSecond.show(1_234_567.4), "1,234,567/s");
        assert_eq!(Unit::Count.show(0.0), "0");
        let runs = Spread::of(&[1.0, 1.5, 1.25]).unwrap();
        assert_eq!(Unit::Seconds.spread(&runs, true), "1.25 s (1.00–1.50)");
        assert_eq!(Unit::Seconds.spread(&runs, false), "1.25 s");
    }
}
