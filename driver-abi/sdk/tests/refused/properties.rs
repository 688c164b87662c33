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
    /// A choice of another type.
    #[property(choices = ["a", 1])]
    mixed: String,
    /// A choice that does not fit.
    #[property(choices = [1])]
    other: String,
    /// No choice at all.
    #[property(choices = [])]
    none: String,
    /// A default that is no choice.
    #[property(choices = ["a"], default = "b")]
    strange: String,
    /// A default out of range.
    #[property(range = 1..=9, default = 10)]
    far: u8,
    /// A range of texts.
    #[property(range = 1..=9)]
    text: String,
}

#[derive(Properties)]
struct Tuple(String);

#[derive(Properties)]
enum Choice {
    A,
}

// What failed above brings no second error here.
fn read(node: &Node) -> Result<Device, Fault> {
    node.driver_info()
}

fn main() {}
