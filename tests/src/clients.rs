//! Ironic's own clients, unmodified, from the virtual environment that `tests/run` makes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::command::{CommandOutput, run_to_end};
use crate::{Built, HostProcess, repository_root};

/// How long a client may take, with its wait for those that run already. Generous: starting one is a lot of work.
pub const CLIENTS_PATIENCE: Duration = Duration::from_secs(600);

/// Runs `openstack baremetal ARGUMENTS` against a host.
pub fn openstack(host: &HostProcess, arguments: &[&str]) -> CommandOutput {
    let mut command = client("openstack", host);
    command.arg("baremetal").args(arguments);
    run(command)
}

/// Runs a script of `tests/clients/`, which gets the host's URL as its argument and prints one JSON document.
pub fn python(host: &HostProcess, script: &str) -> Value {
    let mut command = client("python", host);
    command
        .arg(repository_root().join("tests/clients").join(script))
        .arg(host.url());
    run(command).succeeded().json()
}

/// Asks a public validator whether a file is an OpenAPI document.
pub fn openapi_spec_validator(file: &Path) -> CommandOutput {
    let mut command = program("openapi-spec-validator", file.parent().expect("a folder"));
    command.arg(file);
    run(command)
}

/// Lets Schemathesis call a host as its own description says, with `config` as its configuration; the result is reproducible.
pub fn schemathesis(host: &HostProcess, config: &str, arguments: &[&str]) -> CommandOutput {
    let folder = host.folder().join("schemathesis");
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("schemathesis.toml");
    std::fs::write(&file, config).expect("a configuration");
    let mut command = program("schemathesis", &folder);
    command
        .current_dir(&folder)
        .arg("--config-file")
        .arg(&file)
        .arg("run");
    command
        .arg(format!("{}/openapi.json", host.url()))
        .args(arguments);
    run(command)
}

fn client(name: &str, host: &HostProcess) -> Command {
    let mut command = program(name, host.folder());
    command.env("OS_AUTH_TYPE", "none").env("OS_ENDPOINT", host.url());
    command
}

/// A program of the environment, with a home of its own in `folder`.
fn program(name: &str, folder: &Path) -> Command {
    let path = environment().join("bin").join(name);
    assert!(
        path.exists(),
        "no {}: run tests/run once, it installs the clients",
        path.display()
    );
    let home = folder.join("client-home");
    std::fs::create_dir_all(&home).expect("a home for the client");
    let mut command = Command::new(path);
    command.env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
        .env("HOME", &home)
        .env("XDG_CACHE_HOME", home.join("cache"))
        .env("LANG", "C.UTF-8");
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("COLUMNS", "200");
    command
}

fn environment() -> PathBuf {
    std::env::var_os("SUITE_CLIENTS").map_or_else(|| Built::target_folder().join("clients"), PathBuf::from)
}

fn run(command: Command) -> CommandOutput {
    let _turn = Turn::take();
    run_to_end(command, CLIENTS_PATIENCE)
}

/// Starting a Python client takes a second of CPU time: more at once than there are cores makes none of them faster.
struct Turn;

static RUNNING: Mutex<usize> = Mutex::new(0);
static ENDED: Condvar = Condvar::new();

impl Turn {
    fn take() -> Turn {
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        while *running >= 2 {
            running = ENDED.wait(running).unwrap_or_else(PoisonError::into_inner);
        }
        *running += 1;
        Turn
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *RUNNING.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        ENDED.notify_one();
    }
}
