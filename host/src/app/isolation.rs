//! What the configuration says of where a driver runs, as the driver's loading takes it.

use std::time::Duration;

use nix::unistd::User;

use crate::config::{Config, DriverSettings, Place};
use crate::plugin::loaded::{Confinement, Isolation, WorkerUser};

/// How a driver runs in processes of its own; nothing if it runs in the host's.
///
/// # Errors
/// One line: the user that it should run as does not exist, or the host may not run anything as somebody else.
pub(super) fn of(config: &Config, driver: &str) -> Result<Option<Isolation>, String> {
    let none = DriverSettings::default();
    let settings = config.drivers.get(driver).unwrap_or(&none);
    if settings.isolation.unwrap_or(config.isolation.default) == Place::InProcess {
        return Ok(None);
    }
    let user = settings.user.as_deref();
    let user = user.map(|name| user_of(name, driver)).transpose()?;
    Ok(Some(Isolation {
        processes: settings.workers.unwrap_or(1),
        threads: settings.max_workers.unwrap_or(config.workers.max.div_ceil(2)),
        confinement: Confinement {
            memory_max_bytes: settings.memory_max_bytes,
            open_files_max: settings.open_files_max,
            user,
        },
        max_deaths: config.isolation.max_deaths,
        window: Duration::from_secs(config.isolation.window_s),
        create_timeout: Duration::from_millis(config.isolation.create_timeout_ms),
        grace: Duration::from_millis(config.isolation.kill_grace_ms),
        max_reply_bytes: config.limits.max_reply_bytes,
    }))
}

fn user_of(name: &str, driver: &str) -> Result<WorkerUser, String> {
    let key = format!("drivers.{driver}.user");
    let user = User::from_name(name).map_err(|error| format!("{key} = {name:?}: {error}"))?;
    let Some(user) = user else {
        return Err(format!(
            "{key} = {name:?}: expected a user of this machine, found none of this name"
        ));
    };
    if !rustix::process::geteuid().is_root() && user.uid.as_raw() != rustix::process::geteuid().as_raw() {
        return Err(format!(
            "{key} = {name:?}: only a host that is started as root can run drivers as another user"
        ));
    }
    Ok(WorkerUser {
        uid: user.uid.as_raw(),
        gid: user.gid.as_raw(),
    })
}
