//! The thread that answers deferred calls, as the thread of a real driver does that hears from its devices.

use std::io;
use std::sync::mpsc::{channel, Sender};
use std::sync::OnceLock;

use driver_sdk::prelude::*;

type Answer = RawJson;
type Calls = Sender<(Answer, Completion<Answer>)>;

/// The way to the thread, which is started by the first call and ends when this is dropped.
#[derive(Default)]
pub(crate) struct Answerer(OnceLock<io::Result<Calls>>);

impl Answerer {
    pub(crate) fn answer(&self, answer: Answer, completion: Completion<Answer>) {
        match self.0.get_or_init(start) {
            // Without its thread the completion is dropped here, which fails the call.
            Ok(calls) => drop(calls.send((answer, completion))),
            Err(error) => completion.complete(Err(Fault::internal(error.to_string()))),
        }
    }
}

fn start() -> io::Result<Calls> {
    let (sender, calls) = channel::<(Answer, Completion<Answer>)>();
    let thread = std::thread::Builder::new().name("bench-answers".to_owned());
    thread.spawn(move || {
        for (answer, completion) in calls {
            completion.complete(Ok(answer));
        }
    })?;
    Ok(sender)
}
