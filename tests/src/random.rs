//! Chance, for tests that must not depend on when something happens.

use std::time::{SystemTime, UNIX_EPOCH};

/// A source of numbers (xorshift64*).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// Another sequence each time. What it decides is when something happens, which no seed would bring back.
    pub fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock");
        let seed = u64::from(now.subsec_nanos()) << 32 | now.as_secs() | 1;
        Random(seed)
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16) % limit
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
