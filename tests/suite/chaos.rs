//! Everything at once: clients of every kind, and processes that die under them.

use std::time::Duration;

use suite::Random;
use suite::chaos::Chaos;

/// The seed to repeat a run with; without it each run has its own.
const SEED: &str = "CHAOS_SEED";

#[test]
fn whatever_dies_under_clients_of_every_kind_nothing_is_lost_repeated_held_or_left_over() {
    let seed = match std::env::var(SEED) {
        Ok(seed) => seed.parse().expect("CHAOS_SEED is a number"),
        Err(_) => Random::seed(),
    };
    let tally = Chaos::new(seed, |line| println!("{line}")).run(Duration::ZERO, 1);
    println!("{tally}");
    // What was meant to happen did happen.
    assert!(tally.kills >= 150 && tally.hosts >= 20, "{tally}");
    for end in ["200", "202, succeeded", "202, interrupted", "500", "503"] {
        assert_ne!(tally.ended(end), 0, "{end}: {tally}");
    }
    assert_ne!(tally.ended("504") + tally.ended("202, timed_out"), 0, "{tally}");
    for count in [
        tally.stops,
        tally.released,
        tally.programs,
        tally.halves,
        tally.reads,
    ] {
        assert_ne!(count, 0, "{tally}");
    }
}
