//! The server that a node stands for: a ComputerSystem of the device, and what manages it.

use driver_sdk::Fault;

use crate::client::{Client, Resource};
use crate::path::ServicePath;

/// A node's server on its device.
pub(crate) struct Server<'a> {
    pub(crate) client: Client<'a>,
    /// The property `redfish_system_id`.
    pub(crate) named: Option<ServicePath>,
}

impl Server<'_> {
    /// The ComputerSystem that the node names, or the only one that there is.
    pub(crate) async fn system(&self) -> Result<Resource, Fault> {
        let client = &self.client;
        if let Some(path) = &self.named {
            return client.get(path).await;
        }
        let root = client.root().await?;
        let Some(collection) = root.link("Systems") else {
            return Err(Fault::unsupported(format!(
                "{}: the service has no Systems",
                client.endpoint()
            )));
        };
        let members = client.members(collection).await?;
        match members.as_slice() {
            [only] => client.get(only).await,
            [] => Err(Fault::not_found(format!(
                "{}: the service has no system",
                client.endpoint()
            ))),
            several => {
                let paths: Vec<&str> = several.iter().map(ServicePath::as_str).collect();
                let paths = crate::text::excerpt(&paths.join(", "), 500);
                Err(Fault::invalid_parameter(format!(
                    "{}: the service has {} systems, set redfish_system_id to one of: {paths}",
                    client.endpoint(),
                    several.len()
                )))
            }
        }
    }

    /// The managers of a system: its BMC.
    pub(crate) async fn managers(&self, system: &Resource) -> Result<Vec<Resource>, Fault> {
        let mut managers = Vec::new();
        for link in system.links("ManagedBy") {
            managers.push(self.client.follow(link).await?);
        }
        Ok(managers)
    }
}
