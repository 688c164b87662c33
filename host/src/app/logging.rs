//! The log: tracing's events on standard error, as lines for people or as JSON.

use std::io::IsTerminal;

use anyhow::Context;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::cli::{LogFormat, LogOptions};

/// Starts logging for the whole process. To be called once.
///
/// # Errors
/// The filter cannot be read.
pub(super) fn start(options: &LogOptions) -> anyhow::Result<()> {
    check(&options.log_level)?;
    let filter: Targets = options.log_level.parse().with_context(|| {
        format!(
            "--log-level {:?}: expected a level or a filter like warn,driver=debug",
            options.log_level
        )
    })?;
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        // A line that cannot be written is lost. To tell of it on the same standard error would panic whoever wrote it.
        .log_internal_errors(false);
    let lines = match options.log_format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry()
        .with(lines)
        .with(filter)
        .try_init()
        .map_err(|error| anyhow::anyhow!("the log could not be started: {error}"))
}

/// Refuses what the filter's own syntax takes for a target: a mistyped level would silence everything.
fn check(filter: &str) -> anyhow::Result<()> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    for part in filter.split(',') {
        let level = part.rsplit('=').next().unwrap_or(part).trim();
        if !LEVELS.iter().any(|known| known.eq_ignore_ascii_case(level)) {
            anyhow::bail!(
                "--log-level {filter:?}: expected one of {}, or a filter like warn,driver=debug; found {level:?}",
                LEVELS.join(", ")
            );
        }
    }
    Ok(())
}
