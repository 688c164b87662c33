//! Wires the stages together: configuration, drivers, store, calls, server; and takes them down in order.

mod error;
mod isolation;
mod logging;
mod shutdown;
mod signals;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use tokio::runtime::Handle;

use crate::call::Passthru;
use crate::call::in_flight::InFlight;
use crate::call::limits::Limits;
use crate::call::record::RecordStore;
use crate::cli::LogOptions;
use crate::config::Config;
use crate::database::Database;
use crate::http::{Api, Server, Traffic};
use crate::node::lock::NodeLocks;
use crate::node::store::NodeStore;
use crate::plugin::loaded::LoadedDriver;
use crate::plugin::registry::DriverRegistry;
use crate::plugin::survey;
use crate::threads::{self, Watch};
pub use error::{DriverFaults, StartError};
use signals::Signals;

/// Loads the enabled drivers and serves them until the process is asked to stop.
///
/// # Errors
/// What keeps the host from starting; every fault of every enabled driver is in it.
pub fn serve(config: Config, log: &LogOptions) -> Result<(), StartError> {
    logging::start(log)?;
    let config = Arc::new(config);
    let workers = usize::try_from(config.workers.max).context("workers.max")?;
    let runtime = threads::runtime(workers).with_context(|| {
        format!("{workers} workers cannot be started; lower workers.max or raise the limit of processes")
    })?;
    let result = runtime.block_on(run(&config));
    // Threads that are still inside a driver are not waited for: the process ends under them. The others are left as they
    // are too. To detach hundreds of threads while they end is a race inside glibc 2.36 (`pthread_detach` reads a stack that
    // its thread has just unmapped), which now and then ended a busy machine's host with SIGSEGV after all its work was done.
    std::mem::forget(runtime);
    result
}

/// What [`serve`] would refuse, without running any code of a driver. Answers the warnings, one line each.
///
/// # Errors
/// As [`serve`], as far as it shows without loading.
pub fn check(config: &Config) -> Result<String, StartError> {
    isolation::plan(config)?;
    let selection = survey(&config.plugin_dir, &config.enabled_drivers)?;
    if !selection.faults.is_empty() {
        return Err(DriverFaults::new(selection.faults.iter().map(ToString::to_string)).into());
    }
    let warnings = selection.warnings.iter().map(ToString::to_string);
    Ok(warnings
        .chain(unused_settings(config))
        .map(|warning| format!("warning: {warning}\n"))
        .collect())
}

/// A line for each table of settings that no enabled driver reads: its name may be mistyped.
fn unused_settings(config: &Config) -> impl Iterator<Item = String> {
    let unused = config
        .drivers
        .keys()
        .filter(|name| !config.enabled_drivers.contains(name));
    unused
        .map(|name| format!("[drivers.{name}] names no driver of enabled_drivers; its settings are not used"))
}

/// Every enabled driver, or every fault of every one of them.
async fn load(config: &Config) -> Result<Vec<LoadedDriver>, StartError> {
    let mut isolation = isolation::plan(config)?;
    let selection = survey(&config.plugin_dir, &config.enabled_drivers)?;
    for warning in selection
        .warnings
        .iter()
        .map(ToString::to_string)
        .chain(unused_settings(config))
    {
        tracing::warn!("{warning}");
    }
    let mut faults: Vec<String> = selection.faults.iter().map(ToString::to_string).collect();
    let mut loaded = Vec::new();
    let no_settings = toml::Table::new();
    for driver in &selection.enabled {
        let name = &driver.manifest().name;
        let settings = config
            .drivers
            .get(name)
            .map_or(&no_settings, |settings| &settings.config);
        let result = match isolation.remove(name.as_str()) {
            None => LoadedDriver::load(driver, settings).map_err(|fault| fault.to_string()),
            Some(isolation) => LoadedDriver::load_isolated(driver, settings, isolation).await,
        };
        match result {
            Ok(driver) => loaded.push(driver),
            Err(fault) => faults.push(fault),
        }
    }
    if !faults.is_empty() {
        let loaded = loaded.into_iter().map(Arc::new).collect();
        shutdown::end_drivers(loaded, &InFlight::default(), &Handle::current());
        return Err(DriverFaults::new(faults.into_iter()).into());
    }
    for driver in &loaded {
        let manifest = driver.manifest();
        tracing::info!(driver = manifest.name, version = %manifest.version, methods = manifest.methods.len(), "loaded");
    }
    Ok(loaded)
}

async fn run(config: &Arc<Config>) -> Result<(), StartError> {
    let started = SystemTime::now();
    // Address and database first: a second host that is started by mistake must not get as far as the hardware.
    let server = Server::bind(config.listen).await.with_context(|| {
        format!(
            "cannot listen on {}; is another host running there?",
            config.listen
        )
    })?;
    let address = server.address().context("the address that is listened on")?;
    let host_name: Arc<str> = config.host_name().into();
    let database = Arc::new(Database::open(&config.database.path, &host_name)?);
    let nodes = Arc::new(NodeStore::open(database.clone())?);
    let records = RecordStore::open(database.clone(), host_name.clone(), &config.records).await?;
    let registry = Arc::new(DriverRegistry::new(load(config).await?));
    remember_secrets(&nodes, &registry).await?;
    nodes
        .end_interrupted_power_changes()
        .await
        .context("power changes that were interrupted")?;
    let wait = Duration::from_millis(config.locks.wait_ms);
    let max_waiters = usize::try_from(config.locks.max_waiters).context("locks.max_waiters")?;
    let locks = NodeLocks::new(host_name.clone(), wait, max_waiters);
    let drivers = registry.snapshot();
    let limits = Limits::new(config, drivers.keys().map(String::as_str));
    let passthru = Passthru::new(
        registry.clone(),
        nodes.clone(),
        locks.clone(),
        limits,
        records.clone(),
        Watch::start(Handle::current()).context("a thread to watch the others cannot be started")?,
        config.clone(),
    );
    let passthru = Arc::new(passthru);
    let api = Arc::new(Api {
        config: config.clone(),
        host_name,
        address,
        registry: registry.clone(),
        database: database.clone(),
        nodes: nodes.clone(),
        locks,
        records: records.clone(),
        passthru: passthru.clone(),
        traffic: Traffic::new(config.limits.max_connections),
        started,
    });
    let signals = Signals::listen()?;
    let kept = records.clone();
    tokio::spawn(async move { kept.tend().await });
    let stuck = passthru.in_flight().clone();
    let kill_grace = Duration::from_millis(config.isolation.kill_grace_ms);
    tokio::spawn(async move { stuck.report_stuck(kill_grace).await });
    tracing::info!(%address, drivers = drivers.len(), nodes = nodes.len(), "listening");

    let grace = Duration::from_millis(config.limits.shutdown_grace_ms);
    let in_flight = passthru.in_flight().clone();
    // At the end of the grace period, or when the second signal cuts it short.
    let left_behind = std::sync::Once::new();
    let leave_behind = || left_behind.call_once(|| records.interrupt(in_flight.running()));
    let orderly = async {
        let finished = async {
            let asked = async {
                signals.asked(1).await;
                let running = in_flight.running().len();
                tracing::info!(running, "stopping; running calls get {} ms", grace.as_millis());
            };
            server.serve(api, asked).await;
            in_flight.idle().await;
        };
        let patience = async {
            signals.asked(1).await;
            shutdown::wait_for_calls(&in_flight, grace).await;
            leave_behind();
        };
        tokio::select! {
            () = finished => {}
            () = patience => {}
        }
        let (drivers, in_flight) = (drivers.values().cloned().collect(), in_flight.clone());
        let runtime = Handle::current();
        tokio::task::spawn_blocking(move || shutdown::end_drivers(drivers, &in_flight, &runtime)).await
    };
    tokio::select! {
        ended = orderly => ended.context("the drivers could not be shut down")?,
        () = signals.asked(2) => {
            tracing::warn!("asked to stop twice: ending at once");
            shutdown::name_running(&in_flight);
            leave_behind();
            registry.snapshot().values().cloned().for_each(std::mem::forget);
        }
    }
    database.close();
    tracing::info!("stopped");
    Ok(())
}

/// What the loaded drivers mark secret stays so, also when they are gone.
async fn remember_secrets(nodes: &NodeStore, registry: &DriverRegistry) -> Result<(), StartError> {
    for driver in registry.snapshot().values() {
        let manifest = driver.manifest();
        let secret = manifest.properties.iter().filter(|(_, property)| property.secret);
        let names: Vec<&str> = secret.map(|(name, _)| name.as_str()).collect();
        nodes
            .remember_secrets(&manifest.name, &names)
            .await
            .context("the drivers' secret properties")?;
    }
    Ok(())
}
