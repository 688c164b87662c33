//! Chance, for tests that must not depend on when something happens.

use std::time::{SystemTime, UNIX_EPOCH};

/// A source of numbers (xorshift64*).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// Another sequence each time. What it decides is when something happens, which no seed would bring back.
    pub fn new() -> Self {
        Random::seeded(Random::seed())
    }

    /// A number that is another one each time.
    pub fn seed() -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock");
        u64::from(now.subsec_nanos()) << 32 | now.as_secs()
    }

    /// The same sequence for the same seed.
    pub fn seeded(seed: u64) -> Self {
        // Seeds that lie close together give sequences that do not; a state of 0 would give zeros.
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16) % limit
    }

    /// One of some values.
    pub fn one_of<'a, T>(&mut self, values: &'a [T]) -> &'a T {
        let index = self.below(values.len() as u64);
        &values[usize::try_from(index).expect("an index")]
    }

    /// Another source.
    pub fn fork(&mut self) -> Self {
        Random(self.below(u64::MAX) | 1)
    }
}

impl Default for Random {
    fn default() -> Self {
        Random::new()
    }
}
