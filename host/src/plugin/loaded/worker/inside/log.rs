//! The log of a worker process: every line goes to the host, which writes it.

use std::fmt::{self, Write};
use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;
use driver_abi::log_level;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use super::connection::Outgoing;
use crate::plugin::loaded::wire::Report;
use crate::request_id::RequestId;

/// Starts logging for the whole process. To be called once.
///
/// # Errors
/// It was called before.
pub(super) fn start(outgoing: Arc<Outgoing>) -> anyhow::Result<()> {
    let started = tracing_subscriber::registry()
        .with(ToTheHost(outgoing))
        .try_init();
    started.map_err(|error| anyhow::anyhow!("the log could not be started: {error}"))
}

struct ToTheHost(Arc<Outgoing>);

impl<S: Subscriber> Layer<S> for ToTheHost {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Line::default();
        event.record(&mut line);
        let report = Report::Log {
            level: match *event.metadata().level() {
                Level::ERROR => log_level::ERROR,
                Level::WARN => log_level::WARN,
                Level::INFO => log_level::INFO,
                Level::DEBUG => log_level::DEBUG,
                Level::TRACE => log_level::TRACE,
            },
            request_id: line.request_id.map(RequestId::bytes),
            message: line.message,
        };
        // A line is cut far below what can be sent.
        let _ = self.0.send(&report, Bytes::new());
    }
}

/// What is kept of an event.
#[derive(Default)]
struct Line {
    message: String,
    request_id: Option<RequestId>,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            // Writing to a string cannot fail.
            "message" => drop(write!(self.message, "{value:?}")),
            "request_id" => self.request_id = RequestId::from_str(&format!("{value:?}")).ok(),
            _ => {}
        }
    }
}
