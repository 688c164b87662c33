//! A driver on a bench: its methods run with no host, but through the same ABI objects and guards.

mod call;
mod host;
mod standard;

use std::sync::{Arc, Mutex, PoisonError};

use driver_abi::types::{RResult, TD_Opaque};
use driver_abi::{DriverObject, Host_TO};
use serde_json::{json, Value};

pub use call::{BenchCall, Started};

use crate::{guard, object, Driver, Fault, Level};
use host::{BenchContext, BenchHost};

/// Runs a driver's methods with no host: for the driver's own tests.
///
/// A call goes the way that it takes in a host: the manifest is asked for method and verb, node and arguments are
/// validated, the method runs behind its guard. There is no lock and no limit. A blocking method runs on the
/// test's thread; a deferred one is waited for.
///
/// ```
/// # use driver_sdk::prelude::*;
/// # struct Lamp;
/// # /// A lamp.
/// # #[driver(name = "lamp")]
/// # impl Lamp {
/// #     #[create]
/// #     fn new() -> Result<Self, Fault> { Ok(Lamp) }
/// #     /// Switches the lamp.
/// #     #[driver_method]
/// #     fn switch(&self, call: &Call, args: Value) -> Result<Value, Fault> { call.info("switched"); Ok(args) }
/// # }
/// use driver_sdk::TestBench;
///
/// let bench = TestBench::new::<Lamp>(json!({}))?;
/// assert_eq!(bench.driver_method("switch").args(json!({"on": true})).run()?, json!({"on": true}));
/// assert_eq!(bench.log()[0].message, "switched");
///
/// let fault = bench.driver_method("blow_up").run().unwrap_err();
/// assert_eq!(fault.message(), "No handler for method blow_up");
/// # Ok::<(), Fault>(())
/// ```
pub struct TestBench {
    driver: Arc<DriverObject>,
    manifest: Value,
    log: Log,
}

/// One line that a driver logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// How important the driver finds it.
    pub level: Level,
    /// The text.
    pub message: String,
}

type Log = Arc<Mutex<Vec<LogLine>>>;

impl TestBench {
    /// Creates the driver from its configuration, `json!({})` for none.
    ///
    /// # Errors
    /// What the driver's `#[create]` function answers, or what is wrong with the configuration.
    pub fn new<D: Driver>(config: Value) -> Result<Self, Fault> {
        guard::on_a_bench();
        let manifest = serde_json::from_str(D::MANIFEST)?;
        let log = Log::default();
        let host = Host_TO::from_value(
            BenchHost {
                log: Arc::clone(&log),
            },
            TD_Opaque,
        );
        match object::create::<D>(config.to_string().as_bytes().into(), host) {
            RResult::ROk(driver) => Ok(TestBench {
                driver: Arc::new(driver),
                manifest,
                log,
            }),
            RResult::RErr(fault) => Err(Fault::from_abi(fault)),
        }
    }

    /// The manifest, as the host reads it from the driver's file.
    pub fn manifest(&self) -> &Value {
        &self.manifest
    }

    /// Validates a node with this `driver_info`.
    ///
    /// # Errors
    /// What the driver finds wrong with it.
    pub fn validate_node(&self, driver_info: Value) -> Result<(), Fault> {
        let context = BenchContext::new(&self.log, call::DEADLINE).object();
        let node = self.node(driver_info).to_string();
        RResult::into_result(self.driver.validate_node(node.as_bytes().into(), &context))
            .map_err(Fault::from_abi)
    }

    /// A call of a method of a node with this `driver_info`.
    pub fn node_method(&self, name: &str, driver_info: Value) -> BenchCall<'_> {
        BenchCall::new(self, name, Some(self.node(driver_info).to_string()))
    }

    /// A call of a method of the driver itself.
    pub fn driver_method(&self, name: &str) -> BenchCall<'_> {
        BenchCall::new(self, name, None)
    }

    /// What the driver has logged so far, in and outside of calls.
    pub fn log(&self) -> Vec<LogLine> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Shuts the driver down and drops it; the answer is all that it has logged.
    pub fn shut_down(self) -> Vec<LogLine> {
        let log = Arc::clone(&self.log);
        self.driver.shut_down();
        drop(self);
        let lines = log.lock().unwrap_or_else(PoisonError::into_inner).clone();
        lines
    }

    fn node(&self, driver_info: Value) -> Value {
        json!({
            "uuid": "0e1c6a2e-6b7a-4b66-9d0c-6c2b4f3c9d10",
            "name": "bench-node",
            "driver": self.manifest["name"],
            "driver_info": driver_info,
            "properties": {},
            "extra": {},
        })
    }
}
