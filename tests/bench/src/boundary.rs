//! What a call through the boundary costs, beside a plain C function pointer out of the same file.

use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use driver_abi::types::{RArc, ROption, RSlice, RStr, RVec, TD_Opaque};
use driver_abi::{Call, CallContext, CallContext_TO, DriverObject, Host, Host_TO};
use host::plugin::library::{self, LoadedLibrary};
use host::plugin::loaded::{CallState, LoadedDriver, OwnedCall};
use host::plugin::{CalledOn, EnabledDriver, survey};
use host::request_id::RequestId;
use libloading::os::unix::{Library, Symbol};

use crate::arguments::Arguments;
use crate::figures::short;
use crate::place::Place;
use crate::rows::large_body;
use crate::table::Table;
use crate::timer::{Case, nanoseconds};

pub(crate) const NAME: &str = "ffi";

struct Nobody;

impl Host for Nobody {
    fn log(&self, _level: u8, _message: RStr<'_>) {}
}

impl CallContext for Nobody {
    fn remaining_ms(&self) -> u64 {
        60_000
    }

    fn cancelled(&self) -> bool {
        false
    }

    fn log(&self, _level: u8, _message: RStr<'_>) {}
}

/// Measures it.
pub(crate) fn measure(place: &Place, arguments: &Arguments) -> Result<Table> {
    let pointers = Pointers::open(place)?;
    let (sdk, plain) = (load(place, "bench")?.driver, load(place, "plain")?.driver);
    let host = LoadedDriver::load(&enabled(place, "bench", "host")?, &toml::Table::new())?;
    let context: driver_abi::Context = CallContext_TO::from_ptr(RArc::new(Nobody), TD_Opaque);
    let (none, large) = (b"{}".as_slice(), large_body());
    let through = |driver: &DriverObject, method: &'static str, body: &[u8]| {
        let call = Call {
            method: method.into(),
            http_method: "POST".into(),
            body: RSlice::from_slice(body),
            node: ROption::RNone,
        };
        driver.call(black_box(call), &context).is_ok()
    };
    for (driver, method) in [(&plain, "repeat"), (&sdk, "echo"), (&sdk, "echo_typed")] {
        if !through(driver, method, &large) {
            bail!("the method {method} fails");
        }
    }
    let whole = whole_call(&host, "echo", none)?;
    let whole_large = whole_call(&host, "echo", &large)?;
    let (empty, echo) = (&pointers.empty, &pointers.echo);
    let mut cases = [
        Case::new("plain C pointer, empty", || black_box(empty)()),
        Case::new("boundary, driver without the SDK, 2 B", || {
            assert!(black_box(through(&plain, "repeat", none)))
        }),
        Case::new("boundary, driver with the SDK, empty", || {
            assert!(black_box(through(&sdk, "empty", none)))
        }),
        Case::new(
            "the same with the host's half: context, validation, reply",
            || whole(&host),
        ),
        Case::new("plain C pointer, copy of 4 KiB", || {
            drop(black_box(echo(RSlice::from_slice(black_box(&large)))));
        }),
        Case::new("boundary, driver without the SDK, 4 KiB", || {
            assert!(black_box(through(&plain, "repeat", &large)))
        }),
        Case::new("boundary, driver with the SDK, 4 KiB unread", || {
            assert!(black_box(through(&sdk, "echo", &large)))
        }),
        Case::new("boundary, driver with the SDK, 4 KiB with types", || {
            assert!(black_box(through(&sdk, "echo_typed", &large)));
        }),
        Case::new("4 KiB unread, with the host's half", || whole_large(&host)),
        Case::new("for comparison: the host's check of 4 KiB of JSON", || {
            black_box(bench::is_fine(black_box(&large)));
        }),
    ];
    let (rounds, turn) = if arguments.quick { (5, 2) } else { (21, 10) };
    let times = nanoseconds(&mut cases, rounds, Duration::from_millis(turn));
    let head = ["call", "ns", "more than the plain pointer, ns"];
    let mut table = Table::new(NAME, "a call through the boundary", &head).noting(
        "CPU time of one thread. The 4 KiB are 61 small objects. `With the host's half` is both validations and the call through `plugin/loaded`.",
    );
    for (number, (case, time)) in cases.iter().zip(&times).enumerate() {
        let plain = if number < 4 { times[0] } else { times[4] };
        let more = match number {
            0 | 4 => String::new(),
            _ if number == times.len() - 1 => String::new(),
            _ => short(time - plain),
        };
        table.line([case.name.to_owned(), short(*time), more]);
    }
    sdk.shut_down();
    plain.shut_down();
    at_once(async {
        host.shut_down().await;
        anyhow::Ok(())
    })?;
    Ok(table)
}

/// The host's whole way into a driver, as `call/passthru` goes it.
fn whole_call(driver: &LoadedDriver, method: &str, body: &[u8]) -> Result<impl Fn(&LoadedDriver) + use<>> {
    let method = driver.method(CalledOn::Driver, method).context("the method")?;
    let timeout = Duration::from_secs(3600);
    let call = OwnedCall {
        method: method.clone(),
        http_method: "POST",
        body: Bytes::copy_from_slice(body),
        node: None,
        state: Arc::new(CallState::new("bench".into(), RequestId::random(), timeout)),
        seat: at_once(driver.seat())?,
    };
    Ok(move |driver: &LoadedDriver| {
        drop(black_box(at_once(driver.validate(&call))));
        drop(black_box(driver.start(&call)));
    })
}

/// What a future is that waits for nothing: in this process a driver's code runs while it is polled.
fn at_once<T, E: Into<anyhow::Error>>(future: impl Future<Output = Result<T, E>>) -> Result<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result.map_err(Into::into),
        Poll::Pending => bail!("a driver in this process is waited for"),
    }
}

/// A driver of its own file: the statics of two loadings must not be the same.
fn enabled(place: &Place, name: &str, copy: &str) -> Result<EnabledDriver> {
    let folder = place.folder(&format!("ffi-{name}-{copy}"))?;
    std::fs::copy(place.driver(name)?, folder.join("driver.so"))?;
    let mut selection = survey(&folder, &[name.to_owned()])?;
    selection
        .enabled
        .pop()
        .with_context(|| format!("{:?}", selection.faults))
}

fn load(place: &Place, name: &str) -> Result<LoadedLibrary> {
    let host = Host_TO::from_value(Nobody, TD_Opaque);
    Ok(library::load(&enabled(place, name, "alone")?, b"{}", host)?)
}

/// The plain functions of the driver's file.
struct Pointers {
    empty: Symbol<extern "C" fn()>,
    echo: Symbol<extern "C" fn(RSlice<'_, u8>) -> RVec<u8>>,
    _library: Library,
}

impl Pointers {
    fn open(place: &Place) -> Result<Pointers> {
        // SAFETY: the file is the driver of this crate, whose constructors do nothing.
        let library = unsafe { Library::new(place.driver("bench")?) }?;
        // SAFETY: the driver's `pointers.rs` defines it so.
        let empty = unsafe { library.get(b"bench_empty") }?;
        // SAFETY: the driver's `pointers.rs` defines it so.
        let echo = unsafe { library.get(b"bench_echo") }?;
        Ok(Pointers {
            empty,
            echo,
            _library: library,
        })
    }
}
