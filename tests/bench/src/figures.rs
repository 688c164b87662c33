//! Medians and how they are written.

/// The middle one; of an even number the lower middle. Zero of none.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len().saturating_sub(1) / 2;
    values.get(middle).copied().unwrap_or_default()
}

/// A ratio of one round to the next: the median, and from where to where it went.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Spread {
    pub(crate) fn of(values: &[f64]) -> Spread {
        Spread {
            median: median(values.iter().copied()),
            low: values.iter().copied().fold(f64::INFINITY, f64::min),
            high: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }
    }

    /// Of the ratios the other way round.
    pub(crate) fn inverse(&self) -> Spread {
        Spread {
            median: 1.0 / self.median,
            low: 1.0 / self.high,
            high: 1.0 / self.low,
        }
    }

    /// As percentages: `97 % (95 to 99)`.
    pub(crate) fn percent(&self) -> String {
        format!(
            "{:.0} % ({:.0} to {:.0})",
            self.median * 100.0,
            self.low * 100.0,
            self.high * 100.0
        )
    }
}

/// How long something took, round by round: the middle one, and the one that was disturbed least.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub(crate) median: f64,
    pub(crate) fastest: f64,
}

impl Times {
    pub(crate) fn of(values: &[f64]) -> Times {
        Times {
            median: median(values.iter().copied()),
            fastest: values.iter().copied().fold(f64::INFINITY, f64::min),
        }
    }

    /// As `12.3 (9.8)`.
    pub(crate) fn text(&self) -> String {
        format!("{} ({})", short(self.median), short(self.fastest))
    }
}

/// A number with three digits that count, in thousands from a thousand on.
pub(crate) fn short(value: f64) -> String {
    if value >= 100_000.0 {
        format!("{:.0} k", value / 1000.0)
    } else if value >= 1000.0 {
        format!("{:.1} k", value / 1000.0)
    } else if value >= 100.0 {
        format!("{value:.0}")
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one_whatever_the_order() {
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), 2.0);
        assert_eq!(median([]), 0.0);
    }

    #[test]
    fn numbers_are_short_at_every_size() {
        let all = [0.123, 12.34, 123.4, 1234.0, 123_456.0].map(short);
        assert_eq!(all, ["0.12", "12.3", "123", "1.2 k", "123 k"]);
    }
}
