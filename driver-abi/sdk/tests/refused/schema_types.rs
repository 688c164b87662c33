#![allow(unused)] // only the errors are of interest
use driver_sdk::prelude::*;

struct Unknown;

#[derive(Schema)]
struct Types {
    unknown: Unknown,
    duration: std::time::Duration,
}

fn main() {}
