//! When a cookie ends: the dates of `Expires`, of which there are more forms than RFC 9110 has (RFC 6265, 5.1.1).

use std::ops::RangeInclusive;

use chrono::NaiveDate;

/// The names of the months, as far as they are read.
const MONTHS: [&[u8]; 12] = [
    b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec",
];

/// The parts of a date, as far as they were found.
#[derive(Default)]
struct Parts {
    /// Hour, minute and second.
    time: Option<[u32; 3]>,
    /// The day of the month.
    day: Option<u32>,
    /// The month, from 1.
    month: Option<u32>,
    /// The year.
    year: Option<i32>,
}

/// Seconds since the Unix epoch; `None` for what is no date. Names of days, zones and whatever else are passed over.
pub(super) fn seconds(text: &[u8]) -> Option<i64> {
    let mut parts = Parts::default();
    for token in text.split(|byte| is_delimiter(*byte)) {
        parts.take(token);
    }
    let Parts {
        time: Some([hour, minute, second]),
        day: Some(day),
        month: Some(month),
        year: Some(year),
    } = parts
    else {
        return None;
    };
    let date = NaiveDate::from_ymd_opt(year, month, day)?;
    let at = date.and_hms_opt(hour, minute, second)?;
    Some(at.and_utc().timestamp())
}

impl Parts {
    /// Takes a token for the first part that is missing and looks like it.
    fn take(&mut self, token: &[u8]) {
        let _taken = fill(&mut self.time, || time(token))
            || fill(&mut self.day, || number(token, 1..=2))
            || fill(&mut self.month, || month(token))
            || fill(&mut self.year, || year(token));
    }
}

/// Fills a part that is missing; whether it did.
fn fill<T>(part: &mut Option<T>, found: impl FnOnce() -> Option<T>) -> bool {
    if part.is_some() {
        return false;
    }
    *part = found();
    part.is_some()
}

/// Whether a byte stands between tokens.
fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'/' | b';'..=b'@' | b'['..=b'`' | b'{'..=b'~')
}

/// `hh:mm:ss`, and whatever follows without a digit.
fn time(token: &[u8]) -> Option<[u32; 3]> {
    let mut parts = token.splitn(3, |byte| *byte == b':');
    let mut exact = || {
        let part = parts.next()?;
        part.iter().all(u8::is_ascii_digit).then_some(part)
    };
    let (hour, minute) = (number(exact()?, 1..=2)?, number(exact()?, 1..=2)?);
    Some([hour, minute, number(parts.next()?, 1..=2)?])
}

/// The month that a token begins with.
fn month(token: &[u8]) -> Option<u32> {
    let name = token.get(..3)?;
    let place = MONTHS
        .iter()
        .position(|month| name.eq_ignore_ascii_case(month))?;
    u32::try_from(place + 1).ok()
}

/// The year; one of two digits lies between 1970 and 2069.
fn year(token: &[u8]) -> Option<i32> {
    let year = i32::try_from(number(token, 2..=4)?).ok()?;
    Some(match year {
        70..=99 => 1900 + year,
        0..=69 => 2000 + year,
        _ => year,
    })
}

/// The number that a token begins with, if it has so many digits.
fn number(token: &[u8], digits: RangeInclusive<usize>) -> Option<u32> {
    let count = token
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let number = token.get(..count).filter(|_| digits.contains(&count))?;
    str::from_utf8(number).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_date_that_is_written_is_read(at in 0..253_402_300_800_i64) {
            let date = DateTime::from_timestamp(at, 0).unwrap();
            // years of two digits end in 2069
            let short = (at < 3_155_760_000).then_some("%A, %d-%b-%y %H:%M:%S GMT");
            let long = ["%a, %d %b %Y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];
            for form in long.into_iter().chain(short) {
                let text = date.format(form).to_string();
                prop_assert_eq!(seconds(text.as_bytes()), Some(at), "{}", text);
            }
        }

        #[test]
        fn no_text_makes_a_date_panic(text: Vec<u8>) {
            seconds(&text);
        }
    }

    #[test]
    fn dates_are_read_in_every_form_that_servers_write() {
        let second = Some(1);
        for (text, at) in [
            ("Thu, 01 Jan 1970 00:00:01 GMT", second),
            ("Thu, 01-Jan-1970 00:00:01 GMT", second),
            ("Thursday, 01-Jan-70 00:00:01 GMT", second),
            ("Thu Jan  1 00:00:01 1970", second),
            ("1 january 1970 0:0:1", second),
            ("Thu, 1-Jan-1970 00:00:01", second),
            ("Wed, 09 Jun 2021 10:18:14 GMT", Some(1_623_233_894)),
            ("Tue, 19 Jan 2038 03:14:08 GMT", Some(2_147_483_648)),
            ("Mon, 01-Jan-69 00:00:00 GMT", Some(3_124_224_000)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(253_402_300_799)),
            ("Mon, 30 Feb 2026 00:00:00 GMT", None),
            ("Mon, 01 Jan 2026 24:00:00 GMT", None),
            ("Mon, 01 Jan 2026 00:00 GMT", None),
            ("Mon, 01 Jan 20261 00:00:00 GMT", None),
            ("01 Jan 2026", None),
            ("0", None),
            ("-1", None),
            ("", None),
            ("never", None),
        ] {
            assert_eq!(seconds(text.as_bytes()), at, "{text}");
        }
    }
}
