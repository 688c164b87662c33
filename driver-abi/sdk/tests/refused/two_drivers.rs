#![allow(unused)] // only the errors are of interest
use driver_sdk::prelude::*;

struct One;

/// The first.
#[driver(name = "one")]
impl One {
    #[create]
    fn new() -> Result<Self, Fault> {
        Ok(One)
    }
}

mod other {
    use driver_sdk::prelude::*;

    struct Two;

    /// The second.
    #[driver(name = "two")]
    impl Two {
        #[create]
        fn new() -> Result<Self, Fault> {
            Ok(Two)
        }
    }
}

fn main() {}
