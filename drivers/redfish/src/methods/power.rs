//! Power: what it is, and the reset actions that change it.

use driver_sdk::{Fault, PowerChange, PowerState, PowerTarget, Value, json};
use tokio::time::Instant;

use super::Server;
use crate::client::Resource;

/// The reset types that lead to a target, the best first (Resource, `ResetType`).
fn reset_types(target: PowerTarget) -> &'static [&'static str] {
    match target {
        PowerTarget::On => &["On", "ForceOn"],
        PowerTarget::Off => &["ForceOff"],
        PowerTarget::Reboot => &["ForceRestart", "PowerCycle"],
        PowerTarget::SoftOff => &["GracefulShutdown"],
        PowerTarget::SoftReboot => &["GracefulRestart"],
    }
}

/// Reads the power.
pub(crate) async fn state(server: &Server<'_>) -> Result<PowerState, Fault> {
    Ok(power_of(&server.system().await?))
}

/// On its way somewhere it is there already, as Ironic reads it.
fn power_of(system: &Resource) -> PowerState {
    match system.text("PowerState") {
        Some("On" | "PoweringOn") => PowerState::On,
        Some("Off" | "PoweringOff") => PowerState::Off,
        _ => PowerState::Unknown,
    }
}

/// Whether the power is somewhere, and not on its way.
fn is_settled(system: &Resource) -> bool {
    matches!(system.text("PowerState"), Some("On" | "Off"))
}

/// Changes the power and waits until the change is to be seen.
pub(crate) async fn change(server: &Server<'_>, change: PowerChange) -> Result<(), Fault> {
    let system = server.system().await?;
    let power = power_of(&system);
    let until = change.timeout.map(|patience| Instant::now() + patience);
    // What is off is not restarted but switched on, as Ironic does.
    let target = match (change.target, power) {
        (PowerTarget::Reboot | PowerTarget::SoftReboot, PowerState::Off) => PowerTarget::On,
        (target, _) => target,
    };
    let restarts = matches!(target, PowerTarget::Reboot | PowerTarget::SoftReboot);
    if !restarts && power == target.reached() && is_settled(&system) {
        return Ok(());
    }
    match (allowed(server, &system, reset_types(target)).await, target) {
        (Ok(reset_type), _) => reset(server, &system, &reset_type).await?,
        // A restart in two steps, where the device has none in one.
        (Err(_), PowerTarget::Reboot) => in_two_steps(server, &system, PowerTarget::Off, until).await?,
        (Err(_), PowerTarget::SoftReboot) => {
            in_two_steps(server, &system, PowerTarget::SoftOff, until).await?;
        }
        (Err(fault), _) => return Err(fault),
    }
    reach(server, &system, target.reached(), until).await
}

async fn in_two_steps(
    server: &Server<'_>,
    system: &Resource,
    off: PowerTarget,
    until: Option<Instant>,
) -> Result<(), Fault> {
    for step in [off, PowerTarget::On] {
        let reset_type = allowed(server, system, reset_types(step)).await?;
        reset(server, system, &reset_type).await?;
        reach(server, system, step.reached(), until).await?;
    }
    Ok(())
}

/// Interrupts the server's operating system.
pub(crate) async fn inject_nmi(server: &Server<'_>) -> Result<(), Fault> {
    let system = server.system().await?;
    let reset_type = allowed(server, &system, &["Nmi"]).await?;
    reset(server, &system, &reset_type).await
}

/// The first of `wanted` that the device has, or the first if it does not say which it has.
async fn allowed(server: &Server<'_>, system: &Resource, wanted: &[&str]) -> Result<String, Fault> {
    let first = wanted.first().copied().unwrap_or_default().to_owned();
    let action = action(server, system)?;
    let listed = match action.get("ResetType@Redfish.AllowableValues") {
        Some(values) => Some(values.clone()),
        None => match action.get("@Redfish.ActionInfo").and_then(Value::as_str) {
            Some(link) => of_action_info(&server.client.follow(link).await?),
            None => None,
        },
    };
    let Some(Value::Array(listed)) = listed else {
        return Ok(first);
    };
    let has = |name: &str| listed.iter().any(|value| value == name);
    match wanted.iter().find(|name| has(name)) {
        Some(name) => Ok((*name).to_owned()),
        None => {
            let listed: Vec<&str> = listed.iter().filter_map(Value::as_str).collect();
            Err(Fault::unsupported(format!(
                "{}: the server has no reset of the type {}, only: {}",
                server.client.endpoint(),
                wanted.join(" or "),
                listed.join(", ")
            )))
        }
    }
}

fn of_action_info(info: &Resource) -> Option<Value> {
    let parameters = info.json.get("Parameters")?.as_array()?;
    let reset_type = parameters
        .iter()
        .find(|parameter| parameter.get("Name").is_some_and(|name| name == "ResetType"))?;
    reset_type.get("AllowableValues").cloned()
}

fn action<'a>(server: &Server<'_>, system: &'a Resource) -> Result<&'a Value, Fault> {
    system.action("#ComputerSystem.Reset").ok_or_else(|| {
        Fault::unsupported(format!(
            "{}: {} cannot be reset",
            server.client.endpoint(),
            system.path
        ))
    })
}

async fn reset(server: &Server<'_>, system: &Resource, reset_type: &str) -> Result<(), Fault> {
    let action = action(server, system)?;
    let body = json!({ "ResetType": reset_type });
    server.client.act_on(action, &body).await.map(drop)
}

/// Waits until the power is what it should be.
async fn reach(
    server: &Server<'_>,
    system: &Resource,
    goal: PowerState,
    until: Option<Instant>,
) -> Result<(), Fault> {
    let client = &server.client;
    loop {
        let now = client.get(&system.path).await?;
        if power_of(&now) == goal && is_settled(&now) {
            return Ok(());
        }
        let pause = client.poll_interval();
        let out_of_time = until.is_some_and(|until| Instant::now() + pause >= until);
        if out_of_time || !client.has_time_for(pause) {
            return Err(Fault::timeout(format!(
                "{}: {} accepted the change of power, but its power is still {}",
                client.endpoint(),
                system.path,
                now.text("PowerState").unwrap_or("unknown")
            )));
        }
        client.wait(pause).await?;
    }
}
