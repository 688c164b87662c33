//! What became of the calls of one method.

use super::{Counter, Histogram};

/// How a call ended. Each call that found its method has one, unless its client left before it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The driver answered.
    Succeeded,
    /// The driver found the request at fault.
    Refused,
    /// The driver or its device failed, or the reply could not be sent on.
    Failed,
    /// The driver's code panicked.
    Panicked,
    /// The deadline passed first.
    TimedOut,
    /// Somebody else held the node; the driver was not asked.
    Locked,
    /// A limit was reached; the driver was not asked.
    Busy,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Outcome; 7] = [
        Outcome::Succeeded,
        Outcome::Refused,
        Outcome::Failed,
        Outcome::Panicked,
        Outcome::TimedOut,
        Outcome::Locked,
        Outcome::Busy,
    ];

    /// The value of the label `outcome`.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Succeeded => "succeeded",
            Outcome::Refused => "refused",
            Outcome::Failed => "failed",
            Outcome::Panicked => "panicked",
            Outcome::TimedOut => "timed_out",
            Outcome::Locked => "locked",
            Outcome::Busy => "busy",
        }
    }
}

/// The calls of one method since its driver was loaded.
///
/// On cache lines of its own: methods that are called at the same time do not slow each other.
#[derive(Debug, Default)]
#[repr(align(64))]
pub struct MethodCalls {
    begun: Counter,
    outcomes: [Counter; Outcome::ALL.len()],
    duration: Histogram,
}

impl MethodCalls {
    /// A call has begun; [`ended`](Self::ended) follows.
    pub fn begun(&self) {
        self.begun.count();
    }

    /// The driver is done with a call that took so long.
    pub fn ended(&self, took: std::time::Duration) {
        self.duration.observe(took);
    }

    /// Counts how a call ended, whether it had begun or not.
    pub fn count(&self, outcome: Outcome) {
        self.outcomes[outcome as usize].count();
    }

    /// How many calls ended so.
    pub fn outcomes(&self, outcome: Outcome) -> u64 {
        self.outcomes[outcome as usize].get()
    }

    /// How long the driver was busy with each call.
    pub fn duration(&self) -> &Histogram {
        &self.duration
    }

    /// How many calls the driver is busy with.
    pub fn in_flight(&self) -> u64 {
        // In this order: what begins in between counts, and what ends in between does not make the figure negative.
        let ended = self.duration.read().count;
        self.begun.get().saturating_sub(ended)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_call_is_in_flight_between_its_begin_and_its_end_whatever_its_outcome() {
        let calls = MethodCalls::default();
        calls.begun();
        calls.begun();
        calls.count(Outcome::TimedOut);
        assert_eq!(calls.in_flight(), 2);
        calls.ended(Duration::from_millis(2));
        assert_eq!(calls.in_flight(), 1);
        assert_eq!(calls.duration().read().sum, Duration::from_millis(2));
        assert_eq!(calls.outcomes(Outcome::TimedOut), 1);
    }

    #[test]
    fn every_outcome_is_counted_by_itself_and_has_its_own_name() {
        let calls = MethodCalls::default();
        for (times, outcome) in Outcome::ALL.into_iter().enumerate() {
            (0..times).for_each(|_| calls.count(outcome));
        }
        let mut names: Vec<_> = Outcome::ALL.map(Outcome::name).into();
        for (times, outcome) in (0_u64..).zip(Outcome::ALL) {
            assert_eq!(calls.outcomes(outcome), times, "{outcome:?}");
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Outcome::ALL.len());
    }
}
