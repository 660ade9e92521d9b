//! A number of JSON, compared exactly.
//!
//! Floating point takes 12345678901234567890123 and its neighbours for one number. JSON sets no bound to numbers
//! (RFC 8259, 6), so each stays the text that it was, and two are compared digit by digit: `1e3` equals `1000.0`.

use std::cmp::Ordering;
use std::fmt;

/// The most digits of a number that a site's options may hold, written without an exponent: as many as the largest
/// floating point has, and some. `PostgreSQL` writes numbers in that way.
const MAX_DIGITS: u64 = 400;

/// A number as it is written in JSON; equal to others of the same value.
#[derive(Clone, Debug)]
pub struct Decimal(Box<str>);

/// What a number consists of.
#[derive(Clone, Copy, Debug)]
struct Parts<'t> {
    /// Whether it is below zero.
    negative: bool,
    /// The digits before the point.
    whole: &'t str,
    /// Those behind it.
    fraction: &'t str,
    /// By how many places the point is yet to be moved to the right.
    exponent: i64,
}

/// A value as its digits behind a point, without zeros around them.
#[derive(Clone, Copy, Debug)]
struct Value<'t> {
    /// -1, 0 or 1.
    sign: i8,
    /// By how many places the point is to be moved to the right.
    exponent: i64,
    /// Where the digits are.
    parts: Parts<'t>,
    /// How many zeros they begin with.
    zeros: usize,
    /// How many digits come behind these zeros, up to the last one that is no zero.
    digits: usize,
}

impl Decimal {
    /// A number that is written as JSON has it.
    pub fn parse(text: &str) -> Option<Self> {
        Parts::of(text).map(|_| Self(text.into()))
    }

    /// The number as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it has too many digits, written without an exponent, for the options of a site.
    pub fn is_too_long(&self) -> bool {
        let Some(Parts {
            whole,
            fraction,
            exponent,
            ..
        }) = Parts::of(&self.0)
        else {
            return true;
        };
        let written = u64::try_from(whole.len() + fraction.len()).unwrap_or(u64::MAX);
        written.saturating_add(exponent.unsigned_abs()) > MAX_DIGITS
    }

    /// How a number of JSON compares with this one; none if the text is no number.
    pub fn order(&self, text: &str) -> Option<Ordering> {
        let (text, own) = (Parts::of(text)?, Parts::of(&self.0)?);
        Some(Value::of(text).order(Value::of(own)))
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.order(&other.0) == Some(Ordering::Equal)
    }
}

impl Eq for Decimal {}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'t> Parts<'t> {
    /// The parts of a number; none if JSON has no such number.
    fn of(text: &'t str) -> Option<Self> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (number, exponent) = match text.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, exponent_of(exponent)?),
            None => (text, 0),
        };
        let (whole, fraction) = match number.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (number, ""),
        };
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        let right =
            is_digits(whole) && !leading_zero && fraction.bytes().all(|b| b.is_ascii_digit());
        right.then_some(Self {
            negative,
            whole,
            fraction,
            exponent,
        })
    }

    /// All digits in order.
    fn digits(self) -> impl DoubleEndedIterator<Item = u8> {
        self.whole.bytes().chain(self.fraction.bytes())
    }
}

impl<'t> Value<'t> {
    /// The value of a number.
    fn of(parts: Parts<'t>) -> Self {
        let is_zero = |digit: &u8| *digit == b'0';
        let all = parts.whole.len() + parts.fraction.len();
        let zeros = parts.digits().take_while(is_zero).count();
        let behind = parts.digits().rev().take_while(is_zero).count();
        let places = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let point = places(parts.whole.len()).saturating_sub(places(zeros));
        Self {
            sign: match parts.negative {
                _ if zeros == all => 0,
                true => -1,
                false => 1,
            },
            exponent: parts.exponent.saturating_add(point),
            parts,
            zeros,
            digits: all.saturating_sub(zeros + behind),
        }
    }

    /// The digits that count.
    fn significant(self) -> impl Iterator<Item = u8> {
        self.parts.digits().skip(self.zeros).take(self.digits)
    }

    /// How this compares with another value.
    fn order(self, other: Self) -> Ordering {
        let magnitude = || {
            let exponents = self.exponent.cmp(&other.exponent);
            exponents.then_with(|| self.significant().cmp(other.significant()))
        };
        self.sign.cmp(&other.sign).then_with(|| match self.sign {
            0 => Ordering::Equal,
            1 => magnitude(),
            _ => magnitude().reverse(),
        })
    }
}

/// Whether a text consists of digits, and has one.
fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// The exponent of a number; one beyond 64 bits counts as the largest or the smallest.
fn exponent_of(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, text.strip_prefix('-')?),
        b'+' => (false, text.strip_prefix('+')?),
        _ => (false, text),
    };
    if !is_digits(digits) {
        return None;
    }
    let exponent = digits.parse().unwrap_or(i64::MAX);
    Some(if negative { -exponent } else { exponent })
}

#[cfg(test)]
#[path = "decimal_tests.rs"]
mod tests;
