//! What the configuration says of where drivers run, as their loading takes it, and whether this machine allows it.

use std::collections::HashMap;
use std::time::Duration;

use nix::unistd::User;
use rustix::process::{Resource, geteuid, getrlimit};

use crate::config::{Config, ConfigError, DriverSettings, Place};
use crate::plugin::loaded::{Confinement, Isolation, WorkerUser};

/// How each enabled driver runs that has processes of its own, by its name.
///
/// # Errors
/// Every user that does not exist, or that this host may not run anything as, and every limit that it may not set.
pub(super) fn plan(config: &Config) -> Result<HashMap<&str, Isolation>, ConfigError> {
    let (mut plan, mut faults) = (HashMap::new(), Vec::new());
    for driver in &config.enabled_drivers {
        let none = DriverSettings::default();
        let settings = config.drivers.get(driver).unwrap_or(&none);
        if settings.isolation.unwrap_or(config.isolation.default) == Place::InProcess {
            continue;
        }
        faults.extend(unreachable_limits(config, driver, settings));
        match user(config, driver, settings) {
            Ok(user) => drop(plan.insert(driver.as_str(), isolation(config, settings, user))),
            Err(fault) => faults.push(fault),
        }
    }
    match faults.len() {
        0 => Ok(plan),
        1 => Err(faults.remove(0)),
        _ => Err(ConfigError::Several(faults)),
    }
}

fn isolation(config: &Config, settings: &DriverSettings, user: Option<WorkerUser>) -> Isolation {
    Isolation {
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
    }
}

/// Whom a driver's processes run as; nothing for the host's own user.
fn user(config: &Config, driver: &str, settings: &DriverSettings) -> Result<Option<WorkerUser>, ConfigError> {
    let Some(name) = &settings.user else {
        return Ok(None);
    };
    let refuse =
        |reason: String| config.refuse(&format!("drivers.{driver}.user"), format!("{name:?}"), reason);
    let user = User::from_name(name).map_err(|error| {
        refuse(format!(
            "the users of this machine cannot be read: {}",
            error.desc()
        ))
    })?;
    let user =
        user.ok_or_else(|| refuse("expected a user of this machine, found none of this name".to_owned()))?;
    let own = geteuid();
    if !own.is_root() && user.uid.as_raw() != own.as_raw() {
        let reason = "only a host that is started as root can run drivers as another user";
        return Err(refuse(reason.to_owned()));
    }
    Ok(Some(WorkerUser {
        uid: user.uid.as_raw(),
        gid: user.gid.as_raw(),
    }))
}

/// The limits that a driver's processes cannot be given, because this process itself has less.
fn unreachable_limits<'a>(
    config: &'a Config,
    driver: &'a str,
    settings: &DriverSettings,
) -> impl Iterator<Item = ConfigError> + use<'a> {
    let limits = [
        ("memory_max_bytes", settings.memory_max_bytes, Resource::Data),
        ("open_files_max", settings.open_files_max, Resource::Nofile),
    ];
    // Root may raise them, and a process that becomes somebody else is not root any more.
    let may_raise = geteuid().is_root() && settings.user.is_none();
    limits.into_iter().filter_map(move |(key, value, resource)| {
        let (value, most) = (value?, getrlimit(resource).maximum?);
        (value > most && !may_raise).then(|| {
            let reason = format!(
                "more than the {most} that the host itself may have; lower it, or raise the limit under which the host is started"
            );
            config.refuse(&format!("drivers.{driver}.{key}"), value.to_string(), reason)
        })
    })
}
