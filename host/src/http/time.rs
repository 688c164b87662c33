//! Times, as Ironic writes them.

use jiff::Timestamp;

/// Microseconds, and the zone as an offset.
pub(super) fn written(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string()
}
