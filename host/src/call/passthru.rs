//! One call, from the method's name to the driver's answer.
//!
//! The client's task waits for lock and limits, hands everything to a task of the call's own, and waits for that one's
//! answer until the deadline. The call's task owns body, node guard and permits, and carries the driver's code on its
//! thread: whatever the client or the deadline does, they are let go when the driver returns and not before.

mod carry;
mod error;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::time::Instant;
use uuid::Uuid;

use crate::call::in_flight::{InFlight, RunningCall};
use crate::call::limits::Limits;
use crate::config::Config;
use crate::node::fields::Node;
use crate::node::lock::{Holder, NodeLocks};
use crate::node::store::NodeStore;
use crate::plugin::loaded::{CallState, LoadedDriver, OwnedCall, Reply};
use crate::plugin::manifest::{CalledOn, Method};
use crate::plugin::registry::DriverRegistry;
use crate::threads::hand_over_waiting;
use carry::{Carried, Job};
pub use error::CallError;

/// What a client gets.
#[derive(Debug)]
pub enum Answer {
    /// A sync method's reply.
    Reply(Reply),
    /// An async method was begun.
    Accepted,
}

/// A method that was found, with the verb that it takes: what remains is its body.
pub struct Target {
    driver: Arc<LoadedDriver>,
    method: Arc<Method>,
    node: Option<Arc<Node>>,
    http_method: String,
}

/// Everything that calls need.
pub struct Passthru {
    registry: Arc<DriverRegistry>,
    nodes: Arc<NodeStore>,
    locks: NodeLocks,
    limits: Limits,
    in_flight: Arc<InFlight>,
    config: Arc<Config>,
}

impl Passthru {
    /// The calls of this host.
    pub fn new(
        registry: Arc<DriverRegistry>,
        nodes: Arc<NodeStore>,
        locks: NodeLocks,
        limits: Limits,
        config: Arc<Config>,
    ) -> Self {
        Passthru {
            registry,
            nodes,
            locks,
            limits,
            in_flight: Arc::default(),
            config,
        }
    }

    /// The calls that run now.
    pub fn in_flight(&self) -> &Arc<InFlight> {
        &self.in_flight
    }

    /// Finds a method of a node's driver.
    ///
    /// # Errors
    /// The driver is not enabled, has no such method, or the method does not take the verb.
    pub fn node_method(&self, node: Arc<Node>, method: &str, http_method: &str) -> Result<Target, CallError> {
        let driver = self.driver_of(&node)?;
        let method = find(&driver, CalledOn::Node, method, http_method)?;
        Ok(Target {
            driver,
            method,
            node: Some(node),
            http_method: http_method.to_owned(),
        })
    }

    /// Finds a method of the driver itself.
    ///
    /// # Errors
    /// The driver has no such method, or the method does not take the verb.
    pub fn driver_method(
        &self,
        driver: Arc<LoadedDriver>,
        method: &str,
        http_method: &str,
    ) -> Result<Target, CallError> {
        let method = find(&driver, CalledOn::Driver, method, http_method)?;
        Ok(Target {
            driver,
            method,
            node: None,
            http_method: http_method.to_owned(),
        })
    }

    /// Makes the call. `body` is checked JSON. May be dropped at any time: a call that waits for its lock is skipped,
    /// one that has begun goes on.
    ///
    /// # Errors
    /// Before the driver has begun: locked, or busy. After: the driver's fault, a reply that cannot be sent, or the deadline.
    pub async fn call(
        self: &Arc<Self>,
        target: Target,
        body: Bytes,
        request_id: Arc<str>,
    ) -> Result<Answer, CallError> {
        let Target {
            driver,
            method,
            node,
            http_method,
        } = target;
        let name: Arc<str> = method.name.as_str().into();
        let mut guard = None;
        let mut view = None;
        if let Some(node) = &node {
            if method.require_exclusive_lock {
                let holder = Holder {
                    what: name.clone(),
                    request_id: request_id.clone(),
                };
                guard = Some(self.locks.acquire(node.uuid(), holder).await?);
            }
            // What was found before the wait may have been changed or deleted by whoever held the lock.
            view = Some(self.current(node)?.driver_view().clone());
        }
        let permit = self.limits.call(driver.name())?;
        let worker = if driver.holds_thread(&method) {
            self.limits.worker(driver.name())?
        } else {
            self.limits.pass(driver.name()).await?
        };
        let timeout = self.timeout(&driver, &method);
        let state = Arc::new(CallState::new(
            driver.name().clone(),
            request_id,
            Instant::now() + timeout,
        ));
        let node = node.map(|node| node.uuid());
        let listed = self.in_flight.enter(RunningCall {
            method: name,
            node,
            state: state.clone(),
        });
        let call = OwnedCall {
            method: method.clone(),
            http_method,
            body,
            node: view,
            state: state.clone(),
        };
        let (sender, receiver) = oneshot::channel();
        let held = Carried {
            guard,
            worker: Some(worker),
            permit,
            listed,
        };
        tokio::spawn(
            Job {
                calls: self.clone(),
                driver,
                call,
                node,
                held,
                answer: Some(sender),
            }
            .carry(),
        );
        match tokio::time::timeout_at(state.deadline, receiver).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(CallError::Lost {
                method: method.name.clone(),
            }),
            Err(_) => {
                tracing::warn!(
                    request_id = &*state.request_id,
                    driver = &*state.driver,
                    method = method.name,
                    node = node.map(tracing::field::display),
                    "the call passed its deadline of {} ms; the driver is still busy with it",
                    timeout.as_millis()
                );
                Err(CallError::Deadline {
                    method: method.name.clone(),
                    limit: timeout,
                })
            }
        }
    }

    /// Lets a node's driver check the node, as part of a client's `validate`.
    ///
    /// # Errors
    /// As for [`call`](Self::call).
    pub async fn validate_node(&self, node: &Arc<Node>, request_id: Arc<str>) -> Result<(), CallError> {
        let driver = self.driver_of(node)?;
        let permit = self.limits.call(driver.name())?;
        let worker = self.limits.worker(driver.name())?;
        let timeout = self
            .timeout_of(&driver)
            .unwrap_or(Duration::from_millis(self.config.calls.timeout_ms));
        let state = Arc::new(CallState::new(
            driver.name().clone(),
            request_id,
            Instant::now() + timeout,
        ));
        let running = RunningCall {
            method: "validate".into(),
            node: Some(node.uuid()),
            state: state.clone(),
        };
        let listed = self.in_flight.enter(running);
        let view = node.driver_view().clone();
        let deadline = state.deadline;
        let task = tokio::spawn(async move {
            hand_over_waiting();
            let result = driver.validate_node(&view, &state);
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
            }),
        }
    }

    /// The driver that a node names.
    ///
    /// # Errors
    /// It is not enabled on this host.
    pub fn driver_of(&self, node: &Node) -> Result<Arc<LoadedDriver>, CallError> {
        self.registry
            .get(node.driver())
            .ok_or_else(|| CallError::DriverNotEnabled {
                node: node.uuid(),
                driver: node.driver().to_string(),
            })
    }

    /// The node as it is now, under its lock.
    fn current(&self, node: &Node) -> Result<Arc<Node>, CallError> {
        let now = self
            .nodes
            .get(&node.uuid())
            .ok_or(CallError::NodeGone { node: node.uuid() })?;
        if now.driver() == node.driver() {
            Ok(now)
        } else {
            Err(CallError::DriverChanged { node: node.uuid() })
        }
    }

    /// What the operator set for the driver, else what the method declares, else the host's default.
    fn timeout(&self, driver: &LoadedDriver, method: &Method) -> Duration {
        let default = Duration::from_millis(self.config.calls.timeout_ms);
        self.timeout_of(driver).or(method.time_limit).unwrap_or(default)
    }

    fn timeout_of(&self, driver: &LoadedDriver) -> Option<Duration> {
        let settings = self.config.drivers.get(&**driver.name())?;
        settings.call_timeout_ms.map(Duration::from_millis)
    }

    async fn remember_outcome(&self, node: Uuid, error: Option<String>) {
        if let Err(error) = self.nodes.set_last_error(node, error.as_deref()).await {
            tracing::error!(%node, "last_error of the node could not be stored: {error}");
        }
    }
}

fn find(
    driver: &LoadedDriver,
    on: CalledOn,
    method: &str,
    http_method: &str,
) -> Result<Arc<Method>, CallError> {
    let found = driver.method(on, method).ok_or_else(|| CallError::NoHandler {
        method: method.to_owned(),
    })?;
    if found.http_methods.iter().any(|verb| verb == http_method) {
        return Ok(found.clone());
    }
    Err(CallError::WrongVerb {
        method: method.to_owned(),
        http_method: http_method.to_owned(),
    })
}
