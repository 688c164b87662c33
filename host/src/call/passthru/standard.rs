//! Finding a node's standard calls, and reading its power state when somebody asks.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;

use super::power::PowerChange;
use super::{Answer, CallError, Passthru, Target};
use crate::call::standard;
use crate::node::fields::Node;
use crate::node::power::PowerTarget;
use crate::node::store::NodeError;
use crate::plugin::manifest::StandardCall;
use crate::request_id::RequestId;

/// What a call without arguments gets.
pub(super) const NO_ARGUMENTS: Bytes = Bytes::from_static(b"{}");
/// What an operating system gets to shut down. Ironic's `soft_power_off_timeout`.
const SOFT_PATIENCE: Duration = Duration::from_secs(600);
/// What a client may give a machine: the node is locked meanwhile.
const MOST_PATIENCE: Duration = Duration::from_secs(3600);
/// How often a reading that lost a race is made again.
const ATTEMPTS: usize = 3;

impl Target {
    /// Whether the driver's manifest lists this among what a standard call accepts.
    pub fn accepts(&self, word: &str) -> bool {
        let call = StandardCall::named(&self.method.name);
        call.is_some_and(|call| self.driver.accepts(call).iter().any(|known| known == word))
    }
}

impl Passthru {
    /// Finds a node's implementation of a standard call.
    ///
    /// # Errors
    /// The driver is not enabled, or does not have it.
    pub fn standard(&self, node: Arc<Node>, call: StandardCall) -> Result<Target, CallError> {
        let driver = self.driver_of(&node)?;
        let Some(method) = driver.standard(call).cloned() else {
            let extension = if driver.has(call.interface()) {
                call.extension()
            } else {
                call.interface().name()
            };
            let driver = driver.name().to_string();
            return Err(CallError::Unsupported { driver, extension });
        };
        Ok(Target {
            driver,
            method,
            node: Some(node),
            http_method: call.http_method(),
            change: None,
        })
    }

    /// Finds a node's `power:set`, to change the state to `target`, and its arguments. The machine gets as long as the client has `patience`; a soft
    /// change has some if the client says nothing.
    ///
    /// # Errors
    /// As [`standard`](Self::standard); also a target that the driver does not declare.
    pub fn power_change(
        &self,
        node: Arc<Node>,
        target: PowerTarget,
        patience: Option<Duration>,
    ) -> Result<(Target, Bytes), CallError> {
        let mut found = self.standard(node, StandardCall::SetPower)?;
        let driver = &found.driver;
        if !found.accepts(target.word()) {
            return Err(CallError::UnsupportedTarget {
                driver: driver.name().to_string(),
                target: target.word(),
            });
        }
        // A manifest has both or neither.
        let read = driver.standard(StandardCall::GetPower).cloned();
        let read = read.ok_or_else(|| CallError::Unsupported {
            driver: driver.name().to_string(),
            extension: StandardCall::GetPower.interface().name(),
        })?;
        let timeout = self.timeout(driver, &read);
        let patience = patience
            .or(target.is_soft().then_some(SOFT_PATIENCE))
            .map(|patience| patience.min(MOST_PATIENCE));
        let arguments = match patience {
            Some(patience) => json!({"target": target.word(), "timeout": patience.as_secs()}),
            None => json!({"target": target.word()}),
        };
        found.change = Some(Box::new(PowerChange::new(target, patience, read, timeout)));
        Ok((found, arguments.to_string().into()))
    }

    /// Has the power state read from the device, without the node's lock, and keeps it. Answers the node with it.
    ///
    /// # Errors
    /// As [`call`](Self::call); also an answer that is no power state, and a node that cannot be written.
    pub async fn read_power(
        self: &Arc<Self>,
        node: Arc<Node>,
        request_id: RequestId,
    ) -> Result<Arc<Node>, CallError> {
        let mut seen = node;
        for _ in 0..ATTEMPTS {
            let target = self.standard(seen.clone(), StandardCall::GetPower)?;
            let Answer::Reply(reply) = self.call(target, NO_ARGUMENTS, request_id).await? else {
                break;
            };
            let mut fields = seen.fields();
            fields.power_state = standard::power_state(&reply)?;
            if fields.power_state == seen.power_state() {
                break;
            }
            // Compare-and-swap: a state that a change has read meanwhile is newer than this one.
            let uuid = seen.uuid();
            match self.nodes.update(&seen, fields).await {
                Ok(node) => return Ok(node),
                Err(NodeError::Changed { .. }) => {}
                Err(NodeError::Store(error)) => return Err(error.into()),
                Err(_) => return Err(CallError::NodeGone { node: uuid }),
            }
            seen = self.nodes.get(&uuid).ok_or(CallError::NodeGone { node: uuid })?;
        }
        Ok(seen)
    }
}
