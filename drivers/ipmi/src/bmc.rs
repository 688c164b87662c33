//! A node's BMC, as the driver's methods speak with it: commands in their turn, tried again as long as that may help.

use std::time::Duration;

use driver_sdk::{Call, Fault, Node};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::access::Access;
use crate::child;
use crate::command::Command;
use crate::command_line::CommandLine;
use crate::config::Config;
use crate::failure::Failure;
use crate::installed::Installed;
use crate::output;
use crate::patience::Patience;
use crate::queue::Queues;

/// The least time between two attempts, for an operator who has set the pause to nothing.
const LEAST_PAUSE: Duration = Duration::from_millis(500);

/// What all commands of the driver share.
pub(crate) struct Ipmitool {
    installed: Installed,
    queues: Queues,
    children: Semaphore,
    answer_timeout_s: u64,
    retry_window: Duration,
    pause: Duration,
}

/// One node's BMC, for the length of one call.
pub(crate) struct Bmc<'a> {
    ipmitool: &'a Ipmitool,
    access: Access,
    call: &'a Call<'a>,
    patience: Patience<'a>,
}

impl Ipmitool {
    pub(crate) fn new(installed: Installed, config: &Config) -> Self {
        let pause = config.min_command_interval();
        Ipmitool {
            installed,
            queues: Queues::new(pause),
            children: Semaphore::new(config.max_children()),
            answer_timeout_s: config.answer_timeout_s(),
            retry_window: config.retry_window(),
            pause,
        }
    }

    /// The BMC of `node`, while `call` has somebody who waits.
    ///
    /// # Errors
    /// As [`Access::of`].
    pub(crate) fn bmc<'a>(&'a self, call: &'a Call<'a>, node: &Node) -> Result<Bmc<'a>, Fault> {
        Ok(Bmc {
            ipmitool: self,
            access: Access::of(node)?,
            call,
            patience: Patience::of(call),
        })
    }
}

impl Bmc<'_> {
    pub(crate) fn access(&self) -> &Access {
        &self.access
    }

    /// The fault of a BMC that answers fewer bytes than the standard asks for.
    pub(crate) fn too_short(&self, what: &str, data: &[u8]) -> Fault {
        Fault::unavailable(format!(
            "the BMC at {} answered with {} bytes, too few for {what}",
            self.access.place,
            data.len()
        ))
    }

    /// Sends a raw request that may be made twice, and gives the data of the answer.
    ///
    /// # Errors
    /// The fault for the client.
    pub(crate) async fn raw(&self, bytes: &[u8]) -> Result<Vec<u8>, Fault> {
        self.raw_answer(&Command::repeatable(bytes))
            .await
            .map_err(|failure| failure.fault(&self.access))
    }

    /// The data that a raw request is answered with.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) async fn raw_answer(&self, command: &Command) -> Result<Vec<u8>, Failure> {
        output::raw_bytes(&self.answer(command).await?)
    }

    /// What ipmitool prints for a command, after as many attempts as the retry window and the call's deadline leave time for.
    ///
    /// # Errors
    /// Why there is nothing: the latest reason that came from the BMC.
    pub(crate) async fn answer(&self, command: &Command) -> Result<String, Failure> {
        let pause = self.ipmitool.pause.max(LEAST_PAUSE);
        let window = Instant::now() + self.ipmitool.retry_window;
        let mut last = None;
        loop {
            let failure = match (self.attempt(command).await, last) {
                (Ok(answer), _) => return Ok(answer),
                (Err(Failure::Ended { begun: false, .. }), Some(told)) => return Err(told),
                (Err(failure), _) => failure,
            };
            let in_time = Instant::now() + pause <= window && self.patience.left() > pause + LEAST_PAUSE;
            if !in_time || !failure.may_pass(command.repeatable) {
                return Err(failure);
            }
            self.call
                .debug(format_args!("trying again: {}", failure.fault(&self.access)));
            last = Some(failure);
            tokio::time::sleep(LEAST_PAUSE).await;
        }
    }

    async fn attempt(&self, command: &Command) -> Result<String, Failure> {
        let before = |ended| Failure::Ended { ended, begun: false };
        if let Some(ended) = self.patience.ended() {
            return Err(before(ended));
        }
        // The child comes last: it is the scarcest, and must not be held through a pause.
        let turn_and_child = async {
            let turn = self.ipmitool.queues.turn(&self.access.place).await;
            (turn, self.ipmitool.children.acquire().await)
        };
        let _held = tokio::select! {
            held = turn_and_child => held,
            ended = self.patience.run_out() => return Err(before(ended)),
        };
        let line = CommandLine::new(&self.access, command, self.ipmitool.answer_timeout_s);
        let output = child::run(&self.ipmitool.installed, line, self.patience.run_out()).await?;
        output::answer(&output).map(str::to_owned)
    }
}
