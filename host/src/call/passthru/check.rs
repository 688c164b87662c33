//! A driver's check of a node that a client asks for: a call without an effect and without a lock.

use std::sync::Arc;
use std::time::Duration;

use super::{CallError, Passthru};
use crate::call::in_flight::RunningCall;
use crate::node::fields::Node;
use crate::plugin::loaded::CallState;
use crate::request_id::RequestId;

impl Passthru {
    /// Lets a node's driver check the node, as part of a client's `validate`.
    ///
    /// # Errors
    /// As for [`call`](Self::call).
    pub async fn validate_node(
        self: &Arc<Self>,
        node: &Arc<Node>,
        request_id: RequestId,
    ) -> Result<(), CallError> {
        let driver = self.driver_of(node)?;
        let share = self.limits.share(driver.name())?;
        let (permit, worker) = (share.call()?, share.worker(driver.is_here())?);
        let seat = driver.seat().await.map_err(CallError::DriverDown)?;
        let timeout = self
            .timeout_of(&driver)
            .unwrap_or(Duration::from_millis(self.config.calls.timeout_ms));
        let secrets = Some(self.secrets(node.driver_view().clone()));
        let state = CallState::new(driver.name().clone(), request_id, timeout).with_secrets(secrets);
        let state = Arc::new(state);
        let running = RunningCall {
            method: "validate".into(),
            node: Some(node.uuid()),
            state: state.clone(),
            is_check: true,
            here: driver.is_here(),
        };
        let listed = self.in_flight.enter(running);
        let view = node.driver_view().clone();
        let deadline = state.deadline;
        let calls = self.clone();
        let task = tokio::spawn(async move {
            let inside = driver.is_here().then(|| calls.watch.enter());
            let result = driver.validate_node(&seat, &view, &state).await;
            drop(inside);
            drop((permit, worker, listed));
            result
        });
        match tokio::time::timeout_at(deadline, task).await {
            Ok(Ok(result)) => Ok(result?),
            Ok(Err(_)) => Err(CallError::Lost {
                method: "validate".to_owned(),
            }),
            Err(_) => Err(CallError::Deadline {
                method: "validate".to_owned(),
                limit: timeout,
                record: None,
            }),
        }
    }
}
