//! What a run is made of: phases, each with its own kind of trouble.

/// One phase.
#[derive(Debug, Clone, Copy)]
pub(super) struct Phase {
    /// What happens, as the end of a sentence.
    pub(super) name: &'static str,
    /// How many hosts live in it; all but the last one are killed.
    pub(super) lives: u32,
    /// What happens to the processes in each life: at most so many signals.
    pub(super) signals: u32,
    /// How long it is quiet at most between two of them, in milliseconds.
    pub(super) pause_ms: u64,
    /// How long a stopped process stands still at most, in milliseconds.
    pub(super) stop_ms: u64,
    /// The configuration's `calls.timeout_ms` and `isolation.kill_grace_ms`, if calls are to exceed them.
    pub(super) deadline: Option<(u32, u32)>,
    /// `isolation.max_deaths` and `isolation.window_s`.
    pub(super) tolerance: (u32, u32),
    /// Whether the host's size is compared, between the first fifth of the signals and the last.
    pub(super) measured: bool,
}

/// Nothing is quarantined, and deaths are soon forgotten, so that pauses stay short.
const FORGIVING: (u32, u32) = (1_000_000, 1);

/// One round: what takes about 40 seconds on a machine of two cores, or so many `times` as much.
pub(super) fn round(times: u32) -> [Phase; 4] {
    let quiet = Phase {
        name: "",
        lives: 1,
        signals: 0,
        pause_ms: 60,
        stop_ms: 200,
        deadline: None,
        tolerance: FORGIVING,
        measured: false,
    };
    [
        Phase {
            name: "processes of drivers die",
            signals: 250 * times,
            measured: true,
            ..quiet
        },
        Phase {
            name: "hosts die, and start with another configuration",
            lives: 40 * times,
            signals: 5,
            ..quiet
        },
        Phase {
            name: "processes stand still beyond the deadline",
            signals: 40 * times,
            pause_ms: 200,
            stop_ms: 2500,
            deadline: Some((800, 300)),
            ..quiet
        },
        Phase {
            name: "drivers are quarantined, and released",
            signals: 40 * times,
            tolerance: (4, 60),
            ..quiet
        },
    ]
}
