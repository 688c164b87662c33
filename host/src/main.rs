//! The binary `host`: reads the command line and runs it.

use std::process::ExitCode;

use clap::Parser;
use tikv_jemallocator::Jemalloc;

/// Hundreds of threads share what they allocate and free, and any of them may run next: the usual allocator's few arenas
/// are where they meet. A driver has an allocator of its own, and what it gives away is freed there.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    host::cli::Cli::parse().run()
}
