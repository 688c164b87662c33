//! The longer chaos run: what the suite does in a minute, for as long as one likes.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "its report")]

use std::time::Duration;

use clap::Parser;
use suite::Random;
use suite::chaos::Chaos;

/// Lets clients of every kind at hosts, while these and the processes of their drivers are killed, stopped and started again
#[derive(Debug, Parser)]
#[command(after_help = "\
Examples:
  tests/chaos/run                     half an hour
  tests/chaos/run --minutes 600       a night
  tests/chaos/run --seed 17           what the seed 17 chooses")]
struct Arguments {
    /// How long; the last round is made to its end
    #[arg(long, value_name = "N", default_value_t = 30)]
    minutes: u64,
    /// What happens; without it something else each time
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How long a round is, compared with the suite's: the longer, the more a host goes through before it is measured again
    #[arg(long, value_name = "N", default_value_t = 5)]
    times: u32,
}

fn main() {
    let arguments = Arguments::parse();
    let seed = arguments.seed.unwrap_or_else(Random::seed);
    let time = Duration::from_secs(arguments.minutes * 60);
    let tally = Chaos::new(seed, |line| println!("{line}")).run(time, arguments.times);
    println!("seed {seed}: nothing was lost\n{tally}");
}
