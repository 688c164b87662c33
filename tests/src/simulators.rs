//! Simulators of devices, from the virtual environment that `tests/run` makes and from Debian's packages.

mod image;
mod ipmi_sim;
mod pyghmi;
mod snmpsim;
mod sushy;
mod udp;

use std::path::PathBuf;
use std::process::Command;

pub use image::ImageServer;
pub use ipmi_sim::IpmiSim;
pub use pyghmi::Pyghmi;
pub use snmpsim::Snmpsim;
pub use sushy::Sushy;

use crate::Built;

/// A command of the simulators' virtual environment, such as `python` or `sushy-emulator`, with nothing of the test's environment
/// but `PATH`.
///
/// # Panics
/// When it is not installed.
pub fn simulator(program: &str) -> Command {
    let path = environment().join("bin").join(program);
    assert!(
        path.exists(),
        "no {}: run tests/run once, it installs the simulators",
        path.display()
    );
    let mut command = Command::new(path);
    command.env_clear();
    command
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("LANG", "C.UTF-8")
        .env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

fn environment() -> PathBuf {
    std::env::var_os("SUITE_SIMULATORS")
        .map_or_else(|| Built::target_folder().join("simulators"), PathBuf::from)
}
