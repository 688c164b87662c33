//! The lamp by which somebody finds the server in its rack.

use driver_sdk::prelude::*;

use super::Server;
use crate::client::Resource;

/// The arguments of `set_indicator_led`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lamp {
    /// Ironic's words for an indicator's state.
    state: State,
    #[serde(default)]
    component: Component,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum State {
    On,
    Off,
    Blinking,
}

#[derive(Deserialize, Clone, Copy, Default)]
#[serde(rename_all = "lowercase")]
enum Component {
    #[default]
    System,
    Chassis,
}

/// Sets the lamp.
pub(crate) async fn set(server: &Server<'_>, args: &Lamp) -> Result<(), Fault> {
    let system = server.system().await?;
    let bearer = match args.component {
        Component::System => system,
        Component::Chassis => match system.links("Chassis").first() {
            Some(link) => server.client.follow(link).await?,
            None => return Err(dark(server, "the system names no chassis")),
        },
    };
    let Some(change) = change(&bearer, args.state) else {
        return Err(dark(server, &format!("{} has no lamp", bearer.path)));
    };
    server.client.patch(&bearer.path, &change).await.map(drop)
}

/// In the words of the resource: `LocationIndicatorActive` has replaced `IndicatorLED` (deprecated in ComputerSystem 1.13, Chassis 1.14),
/// but cannot say that a lamp is steady.
fn change(bearer: &Resource, state: State) -> Option<Value> {
    if bearer.json.get("IndicatorLED").is_some() {
        let word = match state {
            State::On => "Lit",
            State::Off => "Off",
            State::Blinking => "Blinking",
        };
        return Some(json!({ "IndicatorLED": word }));
    }
    bearer.json.get("LocationIndicatorActive")?;
    Some(json!({ "LocationIndicatorActive": !matches!(state, State::Off) }))
}

fn dark(server: &Server<'_>, reason: &str) -> Fault {
    Fault::unsupported(format!("{}: {reason}", server.client.endpoint()))
}
