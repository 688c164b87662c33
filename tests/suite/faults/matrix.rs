//! What can go wrong, where, and what was seen of it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

/// A way in which a driver misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault {
    /// Its word in an order to the driver.
    pub(super) word: &'static str,
    /// For the table.
    pub(super) title: &'static str,
    pub(super) what: What,
}

/// What a fault does to the process in which it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// It unwinds, as far as somebody catches it.
    Panics,
    /// It ends.
    Ends,
    /// A thread of it never comes back.
    Hangs,
    /// A thread of it comes back too late.
    Dawdles,
    /// All its threads stand still.
    Stops,
    /// It goes on with less than it had.
    Leaks,
    /// What others in it rely on is gone.
    Breaks,
    /// The answer is wrong.
    Answers,
}

const fn fault(word: &'static str, title: &'static str, what: What) -> Fault {
    Fault { word, title, what }
}

/// Every fault, in the order of the table.
pub(super) const FAULTS: [Fault; 24] = [
    fault("panic", "panics", What::Panics),
    fault(
        "panic-payload",
        "panics, and panics again when the payload is dropped",
        What::Panics,
    ),
    fault("abort", "`abort()`", What::Ends),
    fault("segfault", "writes to an address that is not mapped", What::Ends),
    fault("stack-overflow", "recurses without end", What::Ends),
    fault("exit", "`exit(0)`", What::Ends),
    fault("quick-exit", "`_exit(0)`", What::Ends),
    fault("kill", "sends itself SIGKILL", What::Ends),
    fault("allocate", "allocates without end", What::Ends),
    fault("endless-loop", "loops without end", What::Hangs),
    fault("deadlock", "deadlocks", What::Hangs),
    fault("sleep", "sleeps for ever", What::Hangs),
    fault("late", "sleeps past its deadline", What::Dawdles),
    fault("stop", "sends itself SIGSTOP", What::Stops),
    fault("leak-descriptors", "opens files until it may not", What::Leaks),
    fault("leak-threads", "starts 200 threads and forgets them", What::Leaks),
    fault("fork", "forks; the child lives on", What::Leaks),
    fault("fork-returns", "forks; the child returns as well", What::Breaks),
    fault(
        "write-descriptors",
        "writes to the descriptors 0 to 64",
        What::Breaks,
    ),
    fault(
        "close-descriptors",
        "closes the descriptors 0 to 64",
        What::Breaks,
    ),
    fault("broken-reply", "answers what is not JSON", What::Answers),
    fault(
        "huge-reply",
        "answers more than `limits.max_reply_bytes`",
        What::Answers,
    ),
    fault("two-replies", "answers twice", What::Answers),
    fault("no-reply", "never answers", What::Hangs),
];

/// Where the host enters a driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Entry {
    Constructor,
    Create,
    ValidateNode,
    ValidateCall,
    Call,
    Deferred,
    ShutDown,
}

impl Entry {
    pub(super) const ALL: [Entry; 7] = [
        Entry::Constructor,
        Entry::Create,
        Entry::ValidateNode,
        Entry::ValidateCall,
        Entry::Call,
        Entry::Deferred,
        Entry::ShutDown,
    ];
    /// Those that a call leads to.
    pub(super) const OF_CALLS: [Entry; 4] = [
        Entry::ValidateNode,
        Entry::ValidateCall,
        Entry::Call,
        Entry::Deferred,
    ];

    pub(super) fn title(self) -> &'static str {
        match self {
            Entry::Constructor => "the library's constructor",
            Entry::Create => "`create`",
            Entry::ValidateNode => "`validate_node`",
            Entry::ValidateCall => "`validate_call`",
            Entry::Call => "a blocking method",
            Entry::Deferred => "a thread that answers a deferred method",
            Entry::ShutDown => "`shut_down`",
        }
    }

    /// Whether a fault can happen there.
    pub(super) fn knows(self, fault: Fault) -> bool {
        match fault.word {
            "broken-reply" | "huge-reply" => matches!(self, Entry::Call | Entry::Deferred),
            "two-replies" | "no-reply" => self == Entry::Deferred,
            // Elsewhere there is no deadline of its own.
            "late" => Entry::OF_CALLS.contains(&self),
            _ => true,
        }
    }
}

impl Fault {
    /// The order to the driver, with more of it in `more`.
    pub(super) fn order(self, more: Value) -> Value {
        let word = if self.word == "late" { "sleep" } else { self.word };
        let mut order = json!({ "way": word });
        let fields = more.as_object().expect("an object").clone();
        order.as_object_mut().expect("an object").extend(fields);
        order
    }

    /// Its place in [`FAULTS`].
    pub(super) fn number(self) -> usize {
        let place = FAULTS.iter().position(|fault| *fault == self);
        place.expect("one of them")
    }
}

/// What the driver runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mode {
    Process,
    /// The same, while the host starts.
    ProcessAtStart,
    InProcess,
}

/// What was seen of one fault in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    /// Status and text.
    pub(super) client: String,
    /// State and error.
    pub(super) record: String,
    /// How long the node was held.
    pub(super) lock: String,
    /// What other drivers lost.
    pub(super) others: String,
}

impl Seen {
    /// Of something that was no call.
    pub(super) fn of_no_call(client: impl Into<String>, others: impl Into<String>) -> Self {
        Seen {
            client: client.into(),
            record: "none".to_owned(),
            lock: "none".to_owned(),
            others: others.into(),
        }
    }
}

/// Everything that was seen.
#[derive(Default)]
pub(super) struct Sightings(Mutex<BTreeMap<(Mode, Entry, usize), Seen>>);

impl Sightings {
    pub(super) fn note(&self, mode: Mode, entry: Entry, fault: Fault, mut seen: Seen) {
        if fault.word == "close-descriptors" {
            seen.client = either_signal(&seen.client);
            seen.record = either_signal(&seen.record);
        }
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = all.insert((mode, entry, fault.number()), seen);
        assert_eq!(before, None, "{mode:?} {entry:?} {}: seen twice", fault.word);
    }

    pub(super) fn all(self) -> BTreeMap<(Mode, Entry, usize), Seen> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Without its descriptors a process gives up or ends itself, whichever thread is first.
fn either_signal(text: &str) -> String {
    let either = "signal 6 (SIGABRT) or 9 (SIGKILL)";
    text.replace("signal 6 (SIGABRT)", either)
        .replace("signal 9 (SIGKILL)", either)
}

/// A text without what differs from run to run: names of copies, folders.
pub(super) fn plain(text: &str, folder: &std::path::Path) -> String {
    let text = text.replace(&folder.display().to_string(), "DIR");
    let mut pieces = text.split("wild-");
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        plain.push_str("wild");
        plain.push_str(piece.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    plain
}
