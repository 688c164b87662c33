//! The template of a driver: copy the folder, rename, and replace the greeting by your device.
#![forbid(unsafe_code)]

use driver_sdk::prelude::*;

/// What the driver needs to know of a node: read from its `driver_info`.
#[derive(Properties)]
struct Device {
    /// Address of the device.
    hello_address: String,
    /// Port of the device.
    #[property(default = 623)]
    hello_port: u16,
    /// Password for the device.
    #[property(secret)]
    hello_password: Option<String>,
}

/// The operator's table `[drivers.hello.config]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    word: Option<String>,
}

#[derive(Deserialize, Schema)]
#[serde(deny_unknown_fields)]
struct Greet {
    name: String,
}

struct Hello {
    word: String,
}

/// Greets, and shows what a driver looks like.
#[driver(name = "hello", properties = Device)]
impl Hello {
    #[create]
    fn new(config: Config) -> Result<Self, Fault> {
        Ok(Hello {
            word: config.word.unwrap_or_else(|| "Hello".to_owned()),
        })
    }

    /// Greets somebody from the device.
    #[node_method(async = false, require_exclusive_lock = false)]
    fn greet(&self, call: &Call, node: &Node, args: Greet) -> Result<Value, Fault> {
        let device: Device = node.driver_info()?;
        if device.hello_password.is_none() {
            call.warn("the device is greeted without a password");
        }
        let from = format!("{}:{}", device.hello_address, device.hello_port);
        Ok(json!({ "greeting": format!("{}, {}!", self.word, args.name), "from": from }))
    }
}

#[cfg(test)]
mod tests;
