//! How long a connection may take for what it is doing. Service and stream say what happens, the connection's task asks
//! until when it may go on.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::head::HeadError;
use crate::config::Limits;

/// How long an answered client may go on sending before its connection is closed under it.
const LINGER: Duration = Duration::from_secs(2);

/// What has to happen, and how fast.
#[derive(Debug, Clone, Copy)]
pub(in crate::http) struct Pace {
    head: Duration,
    idle: Duration,
    bytes_per_s: u64,
}

impl Pace {
    pub(in crate::http) fn new(limits: &Limits) -> Self {
        Pace {
            head: Duration::from_millis(limits.header_timeout_ms),
            idle: Duration::from_millis(limits.idle_timeout_ms),
            bytes_per_s: u64::from(limits.min_bytes_per_s),
        }
    }

    /// How long a new connection has for its first request.
    pub(super) fn first(&self) -> Duration {
        self.head
    }

    /// Until when a transfer may go on: begun at `since`, moved last at `moved`, `bytes` so far. The second bound keeps
    /// one byte a minute from holding a connection for days.
    pub(in crate::http) fn transfer(&self, since: Instant, moved: Instant, bytes: u64) -> Instant {
        let earned = Duration::from_secs(bytes / self.bytes_per_s.max(1));
        let pause = moved + self.idle;
        pause.min(since + self.idle + earned)
    }
}

/// What a connection is waiting for too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Late {
    /// For the rest of a head.
    Head,
    /// For anything to come.
    Request,
    /// For the client to read its answer.
    Reader,
    /// For the client to close.
    Close,
}

/// The clock of one connection.
#[derive(Debug)]
pub(super) struct Clock {
    pace: Pace,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// A request is being answered: the call has a deadline of its own.
    serving: bool,
    /// When a head began. A new connection has one to send from the start.
    head_since: Option<Instant>,
    head_has_begun: bool,
    is_overdue: bool,
    refusal: Option<HeadError>,
    /// When the last answer was ready.
    reply_since: Instant,
    reply_bytes: u64,
    /// When the connection last did something.
    moved: Instant,
    /// The client does not take what is written.
    is_not_read: bool,
    closing_since: Option<Instant>,
}

impl Clock {
    pub(super) fn new(pace: Pace) -> Self {
        let now = Instant::now();
        Clock {
            pace,
            state: Mutex::new(State {
                serving: false,
                head_since: Some(now),
                head_has_begun: false,
                is_overdue: false,
                refusal: None,
                reply_since: now,
                reply_bytes: 0,
                moved: now,
                is_not_read: false,
                closing_since: None,
            }),
        }
    }

    /// The service has a request. Answers why it is refused, if it only stands for one.
    pub(super) fn begin(&self, is_stand_in: bool) -> Option<HeadError> {
        let mut state = self.state.lock();
        state.serving = true;
        if is_stand_in { state.refusal.take() } else { None }
    }

    /// The service has answered.
    pub(super) fn end(&self) {
        let now = Instant::now();
        let mut state = self.state.lock();
        state.serving = false;
        state.reply_since = now;
        state.reply_bytes = 0;
        state.moved = now;
    }

    pub(super) fn head_began(&self) {
        let mut state = self.state.lock();
        if !state.head_has_begun {
            state.head_has_begun = true;
            if state.head_since.is_none() {
                state.head_since = Some(Instant::now());
            }
        }
    }

    pub(super) fn head_came(&self) {
        let mut state = self.state.lock();
        state.head_has_begun = false;
        state.head_since = None;
    }

    pub(super) fn refuse(&self, error: HeadError) {
        let mut state = self.state.lock();
        state.head_since = None;
        state.head_has_begun = false;
        state.refusal = Some(error);
    }

    /// Whether the head that is on its way is to be refused.
    pub(super) fn overdue(&self) -> Option<HeadError> {
        let late = self.state.lock().is_overdue;
        late.then(|| HeadError::Overdue {
            ms: u64::try_from(self.pace.head.as_millis()).unwrap_or(u64::MAX),
        })
    }

    pub(super) fn wrote(&self, bytes: u64) {
        let mut state = self.state.lock();
        // Most answers are one write, right after they were ready.
        if state.is_not_read || state.reply_bytes > 0 {
            state.moved = Instant::now();
        }
        state.is_not_read = false;
        state.reply_bytes = state.reply_bytes.saturating_add(bytes);
    }

    pub(super) fn is_not_read(&self) {
        self.state.lock().is_not_read = true;
    }

    pub(super) fn closing(&self) {
        let mut state = self.state.lock();
        if state.closing_since.is_none() {
            state.closing_since = Some(Instant::now());
        }
    }

    /// Until when the connection may go on as it is, and what it waits for. Nothing while a request is being answered.
    pub(super) fn deadline(&self) -> Option<(Instant, Late)> {
        let state = self.state.lock();
        if let Some(since) = state.closing_since {
            return Some((since + LINGER, Late::Close));
        }
        if state.is_not_read {
            let until = self
                .pace
                .transfer(state.reply_since, state.moved, state.reply_bytes);
            return Some((until, Late::Reader));
        }
        if state.serving || state.refusal.is_some() {
            return None;
        }
        Some(match state.head_since {
            Some(since) if state.head_has_begun => (since + self.pace.head, Late::Head),
            Some(since) => (since + self.pace.head, Late::Request),
            None => (state.moved + self.pace.idle, Late::Request),
        })
    }

    /// The head that is on its way has taken too long. False when that was said before.
    pub(super) fn give_head_up(&self) -> bool {
        !std::mem::replace(&mut self.state.lock().is_overdue, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transfer_may_neither_pause_for_long_nor_go_on_for_ever() {
        let pace = Pace {
            head: Duration::from_secs(1),
            idle: Duration::from_secs(60),
            bytes_per_s: 1000,
        };
        let since = Instant::now();
        let after = |seconds| since + Duration::from_secs(seconds);
        assert_eq!(pace.transfer(since, since, 0), after(60));
        assert_eq!(pace.transfer(since, after(50), 50), after(60), "a byte a second");
        assert_eq!(pace.transfer(since, after(50), 1_000_000), after(110), "a pause");
    }

    #[test]
    fn each_state_has_a_deadline_and_an_answer_in_the_making_has_none() {
        let started = Instant::now();
        let clock = Clock::new(Pace {
            head: Duration::from_secs(1_000),
            idle: Duration::from_secs(60_000),
            bytes_per_s: 1000,
        });
        let has = |seconds, late| {
            let (until, found) = clock.deadline().expect("a deadline");
            let time = Duration::from_secs(seconds);
            assert_eq!(found, late);
            assert!(
                until >= started + time && until <= Instant::now() + time,
                "{late:?}"
            );
        };
        has(1_000, Late::Request);
        clock.head_began();
        has(1_000, Late::Head);
        clock.head_came();
        clock.begin(false);
        assert_eq!(clock.deadline(), None);
        clock.end();
        clock.wrote(100);
        has(60_000, Late::Request);
        clock.head_began();
        has(1_000, Late::Head);
        assert!(clock.give_head_up() && !clock.give_head_up());
        clock.head_came();
        clock.begin(false);
        clock.end();
        clock.is_not_read();
        has(60_000, Late::Reader);
        clock.closing();
        has(LINGER.as_secs(), Late::Close);
    }
}
