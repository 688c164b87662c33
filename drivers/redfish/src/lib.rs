//! Servers with a Redfish service: virtual media, event subscriptions, power, boot device, and any request.
//!
//! A call passes `properties` (which device, how) → `device` (its connection, login) → `client` (attempts, redirects, tasks)
//! → `methods`. Whatever path is asked for has passed `path`.
#![forbid(unsafe_code)]

mod address;
mod client;
mod connection;
mod device;
mod methods;
mod path;
mod properties;
mod settings;
mod text;
mod tls;

use std::sync::Arc;

use driver_sdk::prelude::*;

use client::Client;
use device::Devices;
use methods::{Server, boot, indicator, media, power, request, subscriptions};
use properties::{DriverInfo, NodeInfo};
use settings::Config;

struct Redfish {
    devices: Arc<Devices>,
}

/// Servers with a Redfish service (DSP0266).
#[driver(name = "redfish", properties = DriverInfo)]
impl Redfish {
    #[create]
    fn new(config: Config) -> Result<Self, Fault> {
        Ok(Redfish {
            devices: Devices::new(config.check()?),
        })
    }

    /// The properties' values, and that there are certificates to verify the device's with.
    #[validate_node]
    fn usable(&self, node: &Node) -> Result<(), Fault> {
        let target = NodeInfo::of(node)?.target;
        if target.endpoint.tls() {
            let checked = self.devices.tls().get(&target.tls);
            checked.map_err(|error| {
                Fault::invalid_parameter(format!("driver_info property 'redfish_verify_ca': {error}"))
            })?;
        }
        Ok(())
    }

    /// Ejects virtual media: from the drives of the kind boot_device (cd, dvd, usb, floppy), or from all. An empty drive is fine.
    #[node_method]
    async fn eject_vmedia(&self, call: &Call, node: &Node, args: media::Eject) -> Result<Value, Fault> {
        media::eject(&self.server(call, node)?, &args).await
    }

    /// Inserts the image at image_url into a virtual drive of the kind boot_device (cd, dvd, usb, floppy; default cd). Optional: write_protected, and username and password for the image.
    #[node_method]
    async fn insert_vmedia(&self, call: &Call, node: &Node, args: media::Insert) -> Result<Value, Fault> {
        media::insert(&self.server(call, node)?, &args).await
    }

    #[validate_call(insert_vmedia)]
    fn image_has_a_url(&self, args: &media::Insert) -> Result<(), Fault> {
        args.check()
    }

    /// Subscribes Destination to the BMC's events. Optional: Protocol, Context, EventTypes, HttpHeaders. Answers the subscription.
    #[node_method(async = false)]
    async fn create_subscription(
        &self,
        call: &Call,
        node: &Node,
        args: subscriptions::Create,
    ) -> Result<Value, Fault> {
        subscriptions::create(&self.server(call, node)?, &args).await
    }

    #[validate_call(create_subscription)]
    fn destination_is_a_uri(&self, args: &subscriptions::Create) -> Result<(), Fault> {
        args.check()
    }

    /// Ends the subscription id.
    #[node_method(http_methods = [DELETE], async = false)]
    async fn delete_subscription(
        &self,
        call: &Call,
        node: &Node,
        args: subscriptions::One,
    ) -> Result<(), Fault> {
        subscriptions::delete(&self.server(call, node)?, &args).await
    }

    #[validate_call(delete_subscription)]
    fn deleted_id(&self, call: &Call, args: &subscriptions::One) -> Result<(), Fault> {
        args.check(call.method())
    }

    /// Answers the collection of all subscriptions.
    #[node_method(http_methods = [GET], async = false, require_exclusive_lock = false)]
    async fn get_all_subscriptions(&self, call: &Call, node: &Node) -> Result<Value, Fault> {
        subscriptions::all(&self.server(call, node)?).await
    }

    /// Answers the subscription id.
    #[node_method(http_methods = [GET], async = false, require_exclusive_lock = false)]
    async fn get_subscription(
        &self,
        call: &Call,
        node: &Node,
        args: subscriptions::One,
    ) -> Result<Value, Fault> {
        subscriptions::get(&self.server(call, node)?, &args).await
    }

    #[validate_call(get_subscription)]
    fn shown_id(&self, call: &Call, args: &subscriptions::One) -> Result<(), Fault> {
        args.check(call.method())
    }

    /// Sets the lamp of the system or its chassis (component; default system) to the state on, off or blinking.
    #[node_method(async = false)]
    async fn set_indicator_led(&self, call: &Call, node: &Node, args: indicator::Lamp) -> Result<(), Fault> {
        indicator::set(&self.server(call, node)?, &args).await
    }

    /// Sends a request to the path under the service root, with body, and If-Match from etag. The verb is the call's own, or method in a POST. Answers status, headers and body.
    #[node_method(http_methods = [GET, POST, PATCH, DELETE], async = false)]
    async fn request(&self, call: &Call, node: &Node, args: request::Any) -> Result<Value, Fault> {
        let info = NodeInfo::of(node)?;
        let client = Client::new(self.devices.get(info.target.clone()), call);
        request::send(&client, &info, &args).await
    }

    #[validate_call(request)]
    fn stays_under_the_root(&self, call: &Call, node: &Node, args: &request::Any) -> Result<(), Fault> {
        args.check(call, node)
    }

    /// Reads the power state of the system.
    #[power(get)]
    async fn power_state(&self, call: &Call, node: &Node) -> Result<PowerState, Fault> {
        power::state(&self.server(call, node)?).await
    }

    /// Changes the power state of the system, and waits until it is there.
    #[power(set, targets = [on, off, reboot, soft_off, soft_reboot])]
    async fn set_power(&self, call: &Call, node: &Node, change: PowerChange) -> Result<(), Fault> {
        power::change(&self.server(call, node)?, change).await
    }

    /// Reads what the system boots from next.
    #[management(get_boot_device)]
    async fn boot_device(&self, call: &Call, node: &Node) -> Result<BootDevice, Fault> {
        boot::get(&self.server(call, node)?).await
    }

    /// Changes what the system boots from, the next time or always.
    #[management(set_boot_device, devices = [pxe, disk, cdrom, bios, floppy, uefihttp])]
    async fn set_boot_device(&self, call: &Call, node: &Node, change: BootDeviceChange) -> Result<(), Fault> {
        boot::set(&self.server(call, node)?, change).await
    }

    /// Interrupts the operating system of the system (NMI).
    #[management(inject_nmi)]
    async fn inject_nmi(&self, call: &Call, node: &Node) -> Result<(), Fault> {
        power::inject_nmi(&self.server(call, node)?).await
    }

    #[shut_down]
    fn end(&self) {
        self.devices.close();
    }

    fn server<'a>(&self, call: &'a Call<'a>, node: &Node<'_>) -> Result<Server<'a>, Fault> {
        let info = NodeInfo::of(node)?;
        Ok(Server {
            client: Client::new(self.devices.get(info.target), call),
            named: info.system,
        })
    }
}

#[cfg(test)]
mod tests;
