#![allow(unused)] // only the errors are of interest
use driver_sdk::prelude::*;

#[derive(Schema)]
struct Bounds {
    #[schema(range = 1..=2)]
    text: String,
}

#[derive(Schema)]
struct Lengths {
    #[schema(length = 1..=2)]
    number: u8,
}

#[derive(Schema)]
struct Patterns {
    #[schema(pattern = "a")]
    number: u8,
}

fn main() {}
