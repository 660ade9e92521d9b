//! A round trip to the database's clock, and the offsets that it allows.

/// One look at the database's clock, all in microseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct RoundTrip {
    /// When it was asked, after the base of the clock.
    pub(super) sent: i64,
    /// When the answer was there, after the base of the clock.
    pub(super) received: i64,
    /// What the database said, since the Unix epoch.
    pub(super) database: i64,
    /// What the wall clock of this host said with the answer, since the Unix epoch.
    pub(super) wall: i64,
}

impl RoundTrip {
    /// How long it took; the database's clock was read somewhere in between.
    pub(super) const fn width(&self) -> i64 {
        self.received - self.sent
    }

    /// The offsets that this look allows.
    const fn bounds(&self) -> (i64, i64) {
        (self.database - self.received, self.database - self.sent)
    }

    /// The likeliest offset.
    pub(super) const fn middle(&self) -> i64 {
        let (low, high) = self.bounds();
        i64::midpoint(low, high)
    }

    /// `offset`, moved no further than this look demands.
    pub(super) fn corrected(&self, offset: i64) -> i64 {
        let (low, high) = self.bounds();
        offset.clamp(low, high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offset_lies_between_question_and_answer() {
        let seen = RoundTrip {
            sent: 10,
            received: 30,
            database: 1_020,
            wall: 0,
        };
        assert_eq!(seen.bounds(), (990, 1_010));
        assert_eq!((seen.width(), seen.middle()), (20, 1_000));
    }

    #[test]
    fn an_offset_that_fits_the_measurement_does_not_waver() {
        let seen = RoundTrip {
            sent: 10,
            received: 30,
            database: 1_020,
            wall: 0,
        };
        assert_eq!(seen.corrected(993), 993);
        assert_eq!(seen.corrected(0), 990);
        assert_eq!(seen.corrected(5_000), 1_010);
    }
}
