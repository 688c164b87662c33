//! What a node says of its BMC: Ironic's `ipmi_*` properties, with Ironic's defaults.

use driver_sdk::prelude::*;

/// The properties as the manifest has them. What they must be together is [`Access`](crate::access::Access)'s business.
#[derive(Properties)]
pub(crate) struct Device {
    /// Address or host name of the BMC.
    pub(crate) ipmi_address: String,
    /// UDP port of the BMC.
    #[property(default = 623)]
    pub(crate) ipmi_port: u16,
    /// User of the BMC, at most 16 bytes; without it the user without a name.
    pub(crate) ipmi_username: Option<String>,
    /// Password of that user, at most 20 bytes (16 with protocol version 1.5).
    #[property(secret, default = "")]
    pub(crate) ipmi_password: String,
    /// Privilege level of the session: ADMINISTRATOR, OPERATOR, USER or CALLBACK.
    #[property(default = "ADMINISTRATOR")]
    pub(crate) ipmi_priv_level: String,
    /// Version of the protocol: 2.0 or 1.5.
    #[property(default = "2.0")]
    pub(crate) ipmi_protocol_version: String,
    /// Cipher suite, 0 to 255, with protocol version 2.0 only; without it ipmitool asks the BMC, which takes a second more.
    pub(crate) ipmi_cipher_suite: Option<u8>,
    /// The BMC's key (Kg) in hexadecimal digits, at most 40, an even number of them.
    #[property(secret)]
    pub(crate) ipmi_hex_kg_key: Option<String>,
    /// Whether commands are bridged to another controller: no, single or dual.
    #[property(default = "no")]
    pub(crate) ipmi_bridging: String,
    /// Channel of the controller behind the bridge; required for single and dual bridging.
    pub(crate) ipmi_target_channel: Option<String>,
    /// Address of the controller behind the bridge; required for single and dual bridging.
    pub(crate) ipmi_target_address: Option<String>,
    /// Channel of the controller between; required for dual bridging.
    pub(crate) ipmi_transit_channel: Option<String>,
    /// Address of the controller between; required for dual bridging.
    pub(crate) ipmi_transit_address: Option<String>,
    /// The driver's own address on the bus, for bridged commands.
    pub(crate) ipmi_local_address: Option<String>,
    /// Whether the BMC is known to forget persistent boot devices: then asking for one is refused.
    #[property(default = false)]
    pub(crate) ipmi_force_boot_device: bool,
    /// Whether the BMC is told to keep a boot device for longer than 60 seconds before it sets one.
    #[property(default = true)]
    pub(crate) ipmi_disable_boot_timeout: bool,
}
