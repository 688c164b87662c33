#![allow(unused)] // only the errors are of interest
use driver_sdk::prelude::*;

struct Unknown;

#[derive(Schema)]
struct Attributes {
    #[serde(alias = "b")]
    alias: u8,
    #[serde(flatten)]
    flattened: Value,
    #[serde(skip)]
    skipped: u8,
    #[serde(with = "somewhere")]
    elsewhere: u8,
    #[serde(rename(deserialize = "x", serialize = "y"))]
    two_names: u8,
}

#[derive(Schema)]
#[serde(tag = "kind")]
enum Tagged {
    A,
}

#[derive(Schema)]
#[serde(untagged)]
enum Untagged {
    A(u8),
}

#[derive(Schema)]
#[serde(try_from = "String")]
struct Converted {
    a: u8,
}

#[derive(Schema)]
#[serde(rename_all = "Title Case")]
struct Spelling {
    a: u8,
}

#[derive(Schema)]
#[derive(Deserialize)]
enum Holding {
    A(u8),
}

#[derive(Schema)]
struct Generic<T> {
    a: T,
}

#[derive(Schema)]
struct Pair(u8, u8);

#[derive(Schema)]
struct Nothing;

#[derive(Schema)]
enum Never {}

#[derive(Schema)]
struct Recursive {
    next: Option<Box<Recursive>>,
}

#[derive(Schema)]
struct LeftOut {
    #[serde(skip_serializing_if = "String::is_empty")]
    text: String,
}

#[derive(Schema)]
struct Words {
    #[schema(minimum = 1)]
    unknown: u8,
    #[schema(range = 1..100)]
    open: u8,
    #[schema(range = 9..=1)]
    empty: u8,
    #[schema(length = -1..=2)]
    negative: String,
    #[schema]
    bare: u8,
}

// What failed above brings no second error here.
struct User;

/// Uses them.
#[driver(name = "user")]
impl User {
    #[create]
    fn new() -> Result<Self, Fault> {
        Ok(User)
    }

    /// Takes one of them.
    #[driver_method]
    fn take(&self, args: Holding) -> Result<(), Fault> {
        Ok(())
    }
}

fn main() {}
