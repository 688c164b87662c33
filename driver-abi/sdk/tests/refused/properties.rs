#![allow(unused)] // only the errors are of interest
use driver_sdk::prelude::*;

enum Colour {}

#[derive(Properties)]
struct Device {
    undescribed: String,
    /// A colour.
    colour: Colour,
    /// A port.
    #[property(type = "port")]
    port: u16,
    /// An unknown word.
    #[property(hidden)]
    word: String,
    /// A default that is not needed.
    #[property(default = 1)]
    optional: Option<u8>,
    /// A default that is computed.
    #[property(default = 2 + 2)]
    computed: u8,
    /// A word that is given twice.
    #[property(secret, secret)]
    twice: String,
    /// A secret that everybody can read.
    #[property(secret, default = "admin")]
    known: String,
}

#[derive(Properties)]
struct Tuple(String);

#[derive(Properties)]
enum Choice {
    A,
}

fn main() {}
