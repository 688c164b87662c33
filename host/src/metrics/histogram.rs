//! How long something took, as counts of durations up to fixed bounds.

use std::time::Duration;

use super::Counter;

/// The bounds of every histogram of durations, and how they are written in seconds: from a call that only passes through a driver to
/// the longest that a call may take unless it is configured otherwise. A duration counts towards the first bound that it does not exceed.
pub const BOUNDS: [(Duration, &str); 14] = [
    (Duration::from_micros(10), "0.00001"),
    (Duration::from_micros(100), "0.0001"),
    (Duration::from_micros(500), "0.0005"),
    (Duration::from_millis(1), "0.001"),
    (Duration::from_millis(5), "0.005"),
    (Duration::from_millis(10), "0.01"),
    (Duration::from_millis(50), "0.05"),
    (Duration::from_millis(100), "0.1"),
    (Duration::from_millis(500), "0.5"),
    (Duration::from_secs(1), "1"),
    (Duration::from_secs(5), "5"),
    (Duration::from_secs(10), "10"),
    (Duration::from_secs(30), "30"),
    (Duration::from_secs(60), "60"),
];

/// Durations by bound. Any thread may add to it while any other reads.
#[derive(Debug, Default)]
pub struct Histogram {
    nanoseconds: Counter,
    /// The last one is for what exceeds every bound.
    buckets: [Counter; BOUNDS.len() + 1],
}

/// What a [`Histogram`] held when it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// How many durations did not exceed the bound of the same index.
    pub up_to: [u64; BOUNDS.len()],
    /// How many there are in all.
    pub count: u64,
    /// All of them together.
    pub sum: Duration,
}

impl Histogram {
    /// Adds one duration.
    pub fn observe(&self, took: Duration) {
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.add(nanoseconds);
        let bucket = BOUNDS.partition_point(|(bound, _)| *bound < took);
        self.buckets[bucket].count();
    }

    /// What it holds now.
    pub fn read(&self) -> Times {
        let sum = Duration::from_nanos(self.nanoseconds.get());
        let mut count = 0;
        let mut up_to = [0; BOUNDS.len()];
        for (up_to, bucket) in up_to.iter_mut().zip(&self.buckets) {
            count += bucket.get();
            *up_to = count;
        }
        count += self.buckets[BOUNDS.len()].get();
        Times { up_to, count, sum }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_counts_towards_the_bound_that_it_equals_and_towards_all_larger_ones() {
        let histogram = Histogram::default();
        for took in [0, 1_000_000, 1_000_001, 61_000_000_000] {
            histogram.observe(Duration::from_nanos(took));
        }
        let times = histogram.read();
        assert_eq!(times.up_to, [1, 1, 1, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3]);
        assert_eq!(times.count, 4);
        assert_eq!(times.sum, Duration::from_nanos(61_002_000_001));
    }

    #[test]
    fn bounds_grow_and_are_written_as_what_they_are() {
        for pair in BOUNDS.windows(2) {
            assert!(pair[0].0 < pair[1].0, "{pair:?}");
        }
        for (bound, text) in BOUNDS {
            let seconds: f64 = text.parse().unwrap();
            assert_eq!(Duration::from_secs_f64(seconds), bound, "{text}");
        }
    }

    #[test]
    fn nothing_is_lost_when_many_threads_add() {
        let histogram = Histogram::default();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..1000).for_each(|n| histogram.observe(Duration::from_micros(n))));
            }
        });
        let times = histogram.read();
        assert_eq!(times.count, 8000);
        assert_eq!(times.sum, Duration::from_micros(8 * 999 * 1000 / 2));
    }
}
