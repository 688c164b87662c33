//! What one call of something short takes: rounds in which every contender has its turn, and their medians.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::figures::median;
use crate::load::as_f64;

/// Something that can be done many times over.
pub(crate) struct Case<'a> {
    pub(crate) name: &'static str,
    repeat: Box<dyn FnMut(u64) + 'a>,
}

impl<'a> Case<'a> {
    /// A call.
    pub(crate) fn new(name: &'static str, mut call: impl FnMut() + 'a) -> Self {
        Case::repeating(name, move |times| {
            for _ in 0..times {
                call();
            }
        })
    }

    /// Something that repeats itself.
    pub(crate) fn repeating(name: &'static str, repeat: impl FnMut(u64) + 'a) -> Self {
        Case {
            name,
            repeat: Box::new(repeat),
        }
    }
}

/// The CPU time of this thread: what others on the machine do is not in it.
fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// Nanoseconds of CPU time per call, in the order of the cases: medians of `rounds` of about `turn` each.
pub(crate) fn nanoseconds(cases: &mut [Case<'_>], rounds: usize, turn: Duration) -> Vec<f64> {
    let time = |case: &mut Case<'_>, times: u64| {
        let started = thread_time();
        (case.repeat)(times);
        thread_time().saturating_sub(started)
    };
    let mut counts = Vec::new();
    for case in cases.iter_mut() {
        let mut times = 1;
        while time(case, times) < turn && times < 1 << 40 {
            times *= 2;
        }
        counts.push(times);
    }
    let mut results = vec![Vec::new(); cases.len()];
    for _ in 0..rounds {
        for ((case, times), results) in cases.iter_mut().zip(&counts).zip(&mut results) {
            results.push(time(case, *times).as_secs_f64() * 1e9 / as_f64(*times));
        }
    }
    results.into_iter().map(median).collect()
}
