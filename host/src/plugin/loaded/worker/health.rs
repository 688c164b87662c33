//! How often a process may die before nothing is entrusted to it any more. Pure: no clock, no process.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// After the first death it is started again at once, after each further one within the window with twice the pause.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// When a driver is quarantined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tolerance {
    /// How many deaths are too many.
    pub(crate) max_deaths: u32,
    /// Within how long.
    pub(crate) window: Duration,
}

/// What is to be done after a death.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Start it again after a pause.
    Restart(Duration),
    /// Start it only when an operator says so.
    Quarantine,
}

/// The latest deaths of a driver's processes.
#[derive(Debug)]
pub(crate) struct Health {
    tolerance: Tolerance,
    deaths: VecDeque<Instant>,
    is_quarantined: bool,
}

impl Health {
    pub(crate) fn new(tolerance: Tolerance) -> Self {
        Health {
            tolerance,
            deaths: VecDeque::new(),
            is_quarantined: false,
        }
    }

    /// A process has died.
    pub(crate) fn died(&mut self, now: Instant) -> Verdict {
        while let Some(first) = self.deaths.front()
            && now.saturating_duration_since(*first) >= self.tolerance.window
        {
            self.deaths.pop_front();
        }
        self.deaths.push_back(now);
        let deaths = u32::try_from(self.deaths.len()).unwrap_or(u32::MAX);
        self.is_quarantined |= deaths >= self.tolerance.max_deaths;
        if self.is_quarantined {
            return Verdict::Quarantine;
        }
        Verdict::Restart(match deaths {
            1 => Duration::ZERO,
            more => FIRST_PAUSE
                .saturating_mul(1 << (more - 2).min(16))
                .min(LONGEST_PAUSE),
        })
    }

    /// An operator trusts it again.
    pub(crate) fn forget(&mut self) {
        self.deaths.clear();
        self.is_quarantined = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health(max_deaths: u32) -> Health {
        Health::new(Tolerance {
            max_deaths,
            window: Duration::from_secs(60),
        })
    }

    #[test]
    fn the_first_death_costs_no_time_and_each_further_one_twice_as_much() {
        let (mut health, now) = (health(100), Instant::now());
        let pauses: Vec<_> = (0..12).map(|_| health.died(now)).collect();
        let ms = |ms| Verdict::Restart(Duration::from_millis(ms));
        assert_eq!(pauses[..5], [ms(0), ms(100), ms(200), ms(400), ms(800)]);
        assert_eq!(pauses[10..], [ms(30_000), ms(30_000)]);
    }

    #[test]
    fn too_many_deaths_within_the_window_are_the_last() {
        let (mut health, now) = (health(3), Instant::now());
        let at = |seconds| now + Duration::from_secs(seconds);
        assert_eq!(health.died(at(0)), Verdict::Restart(Duration::ZERO));
        assert_eq!(health.died(at(59)), Verdict::Restart(Duration::from_millis(100)));
        assert_eq!(
            health.died(at(61)),
            Verdict::Restart(Duration::from_millis(100)),
            "the first one is forgotten"
        );
        assert_eq!(health.died(at(62)), Verdict::Quarantine);
        assert_eq!(
            health.died(at(600)),
            Verdict::Quarantine,
            "another of its processes, which had gone on"
        );
        health.forget();
        assert_eq!(health.died(at(601)), Verdict::Restart(Duration::ZERO));
    }
}
