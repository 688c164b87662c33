//! The thread that answers deferred calls, as the thread of a real driver does that hears from its devices.

use std::sync::mpsc::{channel, Sender};

use driver_sdk::prelude::*;
use serde_json::value::RawValue;

type Answer = Box<RawValue>;

/// The way to the thread. It ends when this is dropped.
pub(crate) struct Answerer(Sender<(Answer, Completion<Answer>)>);

impl Answerer {
    pub(crate) fn start() -> Result<Self, Fault> {
        let (sender, calls) = channel::<(Answer, Completion<Answer>)>();
        std::thread::Builder::new()
            .name("bench-answers".to_owned())
            .spawn(move || {
                for (answer, completion) in calls {
                    completion.complete(Ok(answer));
                }
            })
            .map_err(|error| Fault::internal(error.to_string()))?;
        Ok(Answerer(sender))
    }

    pub(crate) fn answer(&self, answer: Answer, completion: Completion<Answer>) {
        // Without its thread the completion is dropped here, which fails the call.
        let _ = self.0.send((answer, completion));
    }
}
