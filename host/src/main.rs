//! The binary `host`: reads the command line and runs it.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    host::cli::Cli::parse().run()
}
