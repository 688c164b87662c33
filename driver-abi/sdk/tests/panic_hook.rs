//! A panic on a thread of the driver's own goes to the host's log, not to the host's stderr. Alone in its file, because the test bench
//! leaves such panics to the test's own hook.

// Functions beside the tests are part of them.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::mpsc::{channel, Sender};
use std::sync::Mutex;
use std::time::Duration;

use driver_abi::types::{RStr, TD_Opaque};
use driver_abi::{log_level, Host_TO};
use driver_sdk::prelude::*;

struct Threaded;

/// Starts a thread.
#[driver(name = "threaded")]
impl Threaded {
    #[create]
    fn new() -> Result<Self, Fault> {
        std::thread::Builder::new()
            .name("poller".to_owned())
            .spawn(|| panic!("lost\nthe device"))?;
        Ok(Threaded)
    }
}

struct Log(Mutex<Sender<(u8, String)>>);

impl driver_abi::Host for Log {
    fn log(&self, level: u8, message: RStr<'_>) {
        let _ = self.0.lock().unwrap().send((level, message.to_string()));
    }
}

#[test]
fn a_panic_of_a_thread_of_the_driver_is_logged_as_one_line() {
    let (lines, log) = channel();
    let host = Host_TO::from_value(Log(Mutex::new(lines)), TD_Opaque);
    let driver = driver_sdk::__private::create::<Threaded>(b"{}".as_slice().into(), host).unwrap();
    let (level, line) = log.recv_timeout(Duration::from_secs(60)).unwrap();
    assert_eq!(level, log_level::ERROR);
    assert!(
        line.starts_with("thread 'poller' of the driver panicked at "),
        "{line}"
    );
    assert!(
        line.contains("tests/panic_hook.rs:") && line.ends_with(": lost the device"),
        "{line}"
    );
    drop(driver);
}
