//! One call on the bench.

use std::sync::Arc;
use std::time::Duration;

use driver_abi::types::{ROption, RResult, TD_Opaque};
use driver_abi::{Completion_TO, DriverObject, Reply};
use serde_json::{json, Value};

use super::host::{BenchCompletion, BenchContext, Slot};
use super::TestBench;
use crate::{standard, Attachment, Fault};

/// What a call may take when a test does not say.
pub(super) const DEADLINE: Duration = Duration::from_secs(10);

/// A call of one method, to be run by [`run`](Self::run), [`attachment`](Self::attachment) or [`start`](Self::start).
#[must_use = "a call does nothing until it is run"]
pub struct BenchCall<'a> {
    bench: &'a TestBench,
    method: String,
    node: Option<String>,
    http_method: Option<String>,
    args: Value,
    deadline: Duration,
}

/// A call that has been started: [`wait`](Self::wait) for its answer, or [`cancel`](Self::cancel) it.
#[derive(Clone)]
pub struct Started {
    slot: Arc<Slot>,
    context: BenchContext,
}

/// A call that method and verb allow, and that validation has passed.
struct Checked {
    driver: Arc<DriverObject>,
    method: String,
    http_method: String,
    body: String,
    node: Option<String>,
    deferred: bool,
    context: BenchContext,
}

impl<'a> BenchCall<'a> {
    pub(super) fn new(bench: &'a TestBench, method: &str, node: Option<String>) -> Self {
        BenchCall {
            bench,
            method: method.to_owned(),
            node,
            http_method: None,
            args: json!({}),
            deadline: DEADLINE,
        }
    }

    /// The HTTP verb; without it, the first that the method lists.
    pub fn http_method(mut self, verb: &str) -> Self {
        self.http_method = Some(verb.to_owned());
        self
    }

    /// The arguments; without them, `{}`.
    pub fn args(mut self, args: Value) -> Self {
        self.args = args;
        self
    }

    /// How long the call may take; without it, ten seconds.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Validates as the host does before a call, and runs nothing. The arguments of a sync method without `#[validate_call]` are read
    /// by its call, so here they pass unseen.
    ///
    /// # Errors
    /// The method or the verb is not known, or what the driver finds wrong.
    pub fn validate(self) -> Result<(), Fault> {
        self.check().map(drop)
    }

    /// Runs the method, and waits for a deferred one until the deadline.
    ///
    /// # Errors
    /// As [`validate`](Self::validate), what the method answers, or a fault of kind `Timeout`.
    pub fn run(self) -> Result<Value, Fault> {
        Ok(serde_json::from_slice(&self.reply()?.body)?)
    }

    /// Runs a method with `attach`.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn attachment(self) -> Result<Attachment, Fault> {
        let reply = self.reply()?;
        Ok(Attachment {
            content_type: reply.content_type.into_string(),
            bytes: reply.body.into_vec(),
        })
    }

    /// Starts the method and returns: a blocking one on a thread of its own.
    ///
    /// # Errors
    /// As [`validate`](Self::validate).
    pub fn start(self) -> Result<Started, Fault> {
        let checked = self.check()?;
        let started = Started {
            slot: Arc::default(),
            context: checked.context.clone(),
        };
        let slot = Arc::clone(&started.slot);
        if checked.deferred {
            checked.start(slot);
        } else {
            std::thread::Builder::new()
                .name("bench".to_owned())
                .spawn(move || slot.put(checked.call()))?;
        }
        Ok(started)
    }

    fn reply(self) -> Result<Reply, Fault> {
        let checked = self.check()?;
        if !checked.deferred {
            return checked.call();
        }
        let slot = Arc::<Slot>::default();
        let until = checked.context.deadline();
        checked.start(Arc::clone(&slot));
        slot.take(until)
    }

    /// The host's part before a call: method, verb, node, arguments.
    fn check(self) -> Result<Checked, Fault> {
        let on = if self.node.is_some() { "node" } else { "driver" };
        let declared = self.bench.manifest["methods"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|method| method["on"] == on && method["name"] == self.method.as_str())
            .ok_or_else(|| Fault::invalid_parameter(format!("No handler for method {}", self.method)))?;
        let verbs = declared["http_methods"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let fixed = standard::http_method(&self.method);
        let verb = self
            .http_method
            .or_else(|| {
                let first = fixed.or_else(|| verbs.first()?.as_str());
                first.map(str::to_owned)
            })
            .unwrap_or_default();
        if fixed.map_or(!verbs.iter().any(|known| known == verb.as_str()), |fixed| {
            verb != fixed
        }) {
            let text = format!("The method {} does not support HTTP {verb}", self.method);
            return Err(Fault::invalid_parameter(text));
        }
        super::standard::accepted(declared, &self.method, &self.args)?;
        let checked = Checked {
            driver: Arc::clone(&self.bench.driver),
            deferred: declared["run"] == "deferred",
            method: self.method,
            http_method: verb,
            body: self.args.to_string(),
            node: self.node,
            context: BenchContext::new(&self.bench.log, self.deadline),
        };
        let context = checked.context.object();
        if let Some(node) = &checked.node {
            RResult::into_result(checked.driver.validate_node(node.as_bytes().into(), &context))
                .map_err(Fault::from_abi)?;
        }
        RResult::into_result(checked.driver.validate_call(checked.abi(), &context))
            .map_err(Fault::from_abi)?;
        Ok(checked)
    }
}

impl Checked {
    fn abi(&self) -> driver_abi::Call<'_> {
        driver_abi::Call {
            method: self.method.as_str().into(),
            http_method: self.http_method.as_str().into(),
            body: self.body.as_bytes().into(),
            node: ROption::from(self.node.as_ref().map(|node| node.as_bytes().into())),
        }
    }

    fn call(&self) -> Result<Reply, Fault> {
        self.driver
            .call(self.abi(), &self.context.object())
            .into_result()
            .map_err(Fault::from_abi)
    }

    fn start(&self, slot: Arc<Slot>) {
        let completion = Completion_TO::from_value(BenchCompletion(slot), TD_Opaque);
        self.driver.start(self.abi(), self.context.object(), completion);
    }
}

impl Started {
    /// Waits for the answer, until the call's deadline.
    ///
    /// # Errors
    /// What the method answers, or a fault of kind `Timeout`.
    pub fn wait(self) -> Result<Value, Fault> {
        Ok(serde_json::from_slice(
            &self.slot.take(self.context.deadline())?.body,
        )?)
    }

    /// Tells the driver that nobody waits for the answer any more.
    pub fn cancel(&self) {
        self.context.cancel();
    }
}
