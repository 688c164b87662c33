//! The driver as an object of the boundary: every way in goes through the guard.

use std::sync::Arc;

use driver_abi::types::{RErr, ROk, ROption, RResult, RSlice, TD_Opaque};
use driver_abi::{CompletionObject, Context, DriverObject, Driver_TO, HostObject, Reply};

use crate::completion::Pending;
use crate::declared::Driver;
use crate::guard::{self, Place};
use crate::runtime::Runtime;
use crate::{Call, Fault, Host, Level, Node};

/// Creates a driver: the `create` function of its library.
#[doc(hidden)]
pub fn create<D: Driver>(
    config: RSlice<'_, u8>,
    host: HostObject,
) -> RResult<DriverObject, driver_abi::Fault> {
    let host = Host::new(host);
    guard::install_hook(&host);
    let created = guard::run(
        D::NAME,
        Place::Create,
        |level, line| host.log(level, line),
        || {
            let driver = Arc::new(D::create(config.as_slice(), host.clone())?);
            Ok(Object {
                runtime: Runtime::start(D::NAME, D::NEEDS_RUNTIME)?,
                driver: Some(driver),
                host: host.clone(),
            })
        },
    );
    match created {
        Ok(object) => ROk(Driver_TO::from_value(object, TD_Opaque)),
        Err(fault) => RErr(fault.into_abi()),
    }
}

struct Object<D: Driver> {
    /// Taken only by the drop, which has to be guarded too.
    driver: Option<Arc<D>>,
    host: Host,
    runtime: Runtime,
}

impl<D: Driver> Object<D> {
    fn guarded<R>(
        &self,
        place: Place<'_>,
        log: impl FnOnce(Level, &str),
        action: impl FnOnce(&Arc<D>) -> Result<R, Fault>,
    ) -> RResult<R, driver_abi::Fault> {
        let result = guard::run(D::NAME, place, log, || match &self.driver {
            Some(driver) => action(driver),
            None => Err(Fault::internal("the driver has been dropped")),
        });
        RResult::from(result.map_err(Fault::into_abi))
    }
}

impl<D: Driver> driver_abi::Driver for Object<D> {
    fn validate_node(&self, node: RSlice<'_, u8>, context: &Context) -> RResult<(), driver_abi::Fault> {
        self.guarded(Place::ValidateNode, logging(context), |driver| {
            let node = Node::borrowed(node.as_slice());
            node.check()?;
            driver.validate_node(&node)
        })
    }

    fn validate_call(&self, call: driver_abi::Call<'_>, context: &Context) -> RResult<(), driver_abi::Fault> {
        self.guarded(
            Place::ValidateCall(call.method.as_str()),
            logging(context),
            |driver| {
                let (number, method) = method_of::<D>(&call)?;
                let borrowed = Call::borrowed(
                    method.name,
                    verb(&call)?,
                    node_of(&call).map(Node::borrowed),
                    context,
                );
                driver.validate_call(number, &borrowed, call.body.as_slice())
            },
        )
    }

    fn call(&self, call: driver_abi::Call<'_>, context: &Context) -> RResult<Reply, driver_abi::Fault> {
        self.guarded(Place::Method(call.method.as_str()), logging(context), |driver| {
            let (number, method) = method_of::<D>(&call)?;
            if method.deferred {
                return Err(Fault::internal(format!(
                    "method '{}' is deferred: it is started, not called",
                    method.name
                )));
            }
            let borrowed = Call::borrowed(
                method.name,
                verb(&call)?,
                node_of(&call).map(Node::borrowed),
                context,
            );
            driver.call(number, &borrowed, call.body.as_slice())
        })
    }

    fn start(&self, call: driver_abi::Call<'_>, context: Context, completion: CompletionObject) {
        let found = method_of::<D>(&call).and_then(|found| Ok((found, verb(&call)?)));
        let ((number, method), verb) = match found {
            Ok(found) => found,
            Err(fault) => return completion.complete(RErr(fault.into_abi())),
        };
        let pending = Pending::new(
            D::NAME,
            Call::owned(method.name, verb, node_of(&call).map(Node::owned), context),
            completion,
        );
        let place = Place::Method(method.name);
        let started = guard::run(
            D::NAME,
            place,
            |level, line| pending.call().log(level, line),
            || match &self.driver {
                _ if !method.deferred => Err(Fault::internal(format!(
                    "method '{}' is blocking: it is called, not started",
                    method.name
                ))),
                Some(driver) => driver.start(number, &pending, call.body.as_slice(), &self.runtime),
                None => Err(Fault::internal("the driver has been dropped")),
            },
        );
        if let Err(fault) = started {
            pending.answer(|| Err(fault));
        }
    }

    fn shut_down(&self) {
        let log = |level, line: &str| self.host.log(level, line);
        let ended = self.guarded(Place::ShutDown, log, |driver| driver.shut_down());
        if let RErr(fault) = ended {
            self.host
                .error(format_args!("shutting down failed: {}", fault.message));
        }
        self.runtime.stop();
    }
}

impl<D: Driver> Drop for Object<D> {
    fn drop(&mut self) {
        let driver = self.driver.take();
        let host = &self.host;
        // The fault has nobody to go to; the guard has logged it.
        let _ = guard::run(
            D::NAME,
            Place::Drop,
            |level, line| host.log(level, line),
            || {
                drop(driver);
                Ok(())
            },
        );
        self.runtime.stop();
    }
}

fn logging(context: &Context) -> impl FnOnce(Level, &str) + '_ {
    |level, line| context.log(level.number(), line.into())
}

fn method_of<D: Driver>(
    call: &driver_abi::Call<'_>,
) -> Result<(usize, &'static crate::declared::Method), Fault> {
    let name = call.method.as_str();
    D::find(call.node.is_some(), name)
        .and_then(|number| D::METHODS.get(number).map(|method| (number, method)))
        .ok_or_else(|| Fault::unsupported(format!("driver '{}' has no method '{name}'", D::NAME)))
}

fn node_of<'a>(call: &driver_abi::Call<'a>) -> Option<&'a [u8]> {
    match call.node {
        ROption::RSome(node) => Some(node.as_slice()),
        ROption::RNone => None,
    }
}

fn verb(call: &driver_abi::Call<'_>) -> Result<&'static str, Fault> {
    let verb = call.http_method.as_str();
    ["POST", "GET", "PUT", "PATCH", "DELETE"]
        .into_iter()
        .find(|known| *known == verb)
        .ok_or_else(|| Fault::unsupported(format!("method '{}' does not support HTTP {verb}", call.method)))
}
