//! How long somebody waits for a call's answer.

use std::time::Duration;

use driver_sdk::Call;

/// How often a call is asked whether it still has somebody who waits.
const GLANCE: Duration = Duration::from_millis(250);

/// Why nobody waits any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    Deadline,
    Cancelled,
}

/// The longest that the driver keeps for itself at the end of a call.
const LONGEST_MARGIN: Duration = Duration::from_millis(500);

/// The time that a call's client has.
#[derive(Clone, Copy)]
pub(crate) struct Patience<'a> {
    call: &'a Call<'a>,
    margin: Duration,
}

impl<'a> Patience<'a> {
    /// To be asked when the call begins.
    pub(crate) fn of(call: &'a Call<'a>) -> Self {
        Patience {
            call,
            margin: LONGEST_MARGIN.min(call.remaining() / 10),
        }
    }

    /// Until the driver has to have answered: a little before the deadline, so that the client reads what the driver knows and
    /// not only that time is up.
    pub(crate) fn left(self) -> Duration {
        self.call.remaining().saturating_sub(self.margin)
    }

    /// Why nobody waits any more, if that is so.
    pub(crate) fn ended(self) -> Option<Ended> {
        if self.left().is_zero() {
            return Some(Ended::Deadline);
        }
        self.call.cancelled().then_some(Ended::Cancelled)
    }

    /// Ends when nobody waits any more.
    pub(crate) async fn run_out(self) -> Ended {
        loop {
            if let Some(ended) = self.ended() {
                return ended;
            }
            tokio::time::sleep(self.left().min(GLANCE)).await;
        }
    }
}
