//! Why there is no session, as data: ipmitool's words, and what they mean to an operator.

use driver_sdk::FaultKind;

/// One reason why a command never reached its BMC.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Words of ipmitool 1.8.18 and 1.8.19, the more telling ones first.
    words: &'static str,
    /// What is said of the BMC; `{user}` and `{privilege}` stand for the node's.
    pub(crate) says: &'static str,
    pub(crate) kind: FaultKind,
    /// Whether another attempt may do better. A password is not tried twice: BMCs lock users out.
    pub(crate) passes: bool,
}

/// One of these stands in the words of every ipmitool that got no session, and of no other.
const NO_SESSION: &str = "Unable to establish";
const NO_SOCKET: &str = "Could not open socket";

const REFUSALS: &[Refusal] = &[
    refused(
        "RAKP 2 HMAC is invalid",
        "refuses the password of {user} (ipmi_password)",
    ),
    refused(
        "unauthorized name",
        "knows no {user} with privilege level {privilege} (ipmi_username, ipmi_priv_level)",
    ),
    refused("Invalid user name", "knows no {user} (ipmi_username)"),
    refused(
        "NULL user name not enabled",
        "has the user without a name switched off (ipmi_username)",
    ),
    refused(
        "unauthorized role requested",
        "does not give {user} the privilege level {privilege} (ipmi_priv_level)",
    ),
    refused(
        "invalid role",
        "does not give {user} the privilege level {privilege} (ipmi_priv_level)",
    ),
    refused(
        "Requested privilege level exceeds limit",
        "does not give {user} the privilege level {privilege} (ipmi_priv_level)",
    ),
    refused(
        "RAKP 4 message has invalid integrity check value",
        "has another key (ipmi_hex_kg_key)",
    ),
    refused(
        "invalid integrity check value",
        "refuses the password of {user} (ipmi_password)",
    ),
    passing(
        "insufficient resources for session",
        "has no room for another session",
    ),
    passing(
        "insufficient resources for role",
        "has no room for another session of privilege level {privilege}",
    ),
    passing("No session slot available", "has no room for another session"),
    passing("No slot available", "has no room for another session"),
    refused(
        "no matching cipher suite",
        "does not take the cipher suite (ipmi_cipher_suite)",
    ),
    refused(
        "no matching authentication",
        "does not take the cipher suite (ipmi_cipher_suite)",
    ),
    refused(
        "no matching integrity",
        "does not take the cipher suite (ipmi_cipher_suite)",
    ),
    refused(
        "invalid authentication algorithm",
        "does not take the cipher suite (ipmi_cipher_suite)",
    ),
    refused(
        "invalid integrity algorithm",
        "does not take the cipher suite (ipmi_cipher_suite)",
    ),
    refused(
        "invalid confidentiality algorithm",
        "does not take the cipher suite (ipmi_cipher_suite)",
    ),
    refused(
        "Unsupported cipher suite ID",
        "cannot be asked with this cipher suite, which ipmitool does not know (ipmi_cipher_suite)",
    ),
    refused(
        "does not support IPMI v2",
        "does not speak IPMI 2.0 (ipmi_protocol_version)",
    ),
    refused(
        "No supported authtypes found",
        "offers no authentication that ipmitool knows (ipmi_protocol_version)",
    ),
    refused(
        "Address lookup for",
        "cannot be found: its name has no address (ipmi_address)",
    ),
    // With version 1.5 a wrong password looks like the second of these.
    refused(
        "Activate Session error",
        "refuses the session of {user} (ipmi_username, ipmi_password)",
    ),
    refused(
        "Activate Session command failed",
        "refuses the session of {user}, or stopped answering (ipmi_password)",
    ),
    passing(
        "no response from RAKP 1",
        "stopped answering when it was told the user, as some BMCs do that do not know {user} (ipmi_username)",
    ),
    passing(
        "no response from RAKP",
        "stopped answering while the session was set up",
    ),
    passing(
        "Timeout in open session",
        "stopped answering while the session was set up",
    ),
    refused(
        "Set Session Privilege Level to",
        "does not give {user} the privilege level {privilege} (ipmi_priv_level)",
    ),
    passing(
        "Get Auth Capabilities",
        "does not answer (ipmi_address, ipmi_port)",
    ),
    passing(
        "Get Channel Authentication Capabilities",
        "does not answer (ipmi_address, ipmi_port)",
    ),
    passing(
        "Get Session Challenge command failed",
        "stopped answering while the session was set up",
    ),
    passing(
        NO_SOCKET,
        "cannot be reached from here: there is no way to its address (ipmi_address)",
    ),
    passing(NO_SESSION, "gives no session, and no reason"),
];

const fn refused(words: &'static str, says: &'static str) -> Refusal {
    Refusal {
        words,
        says,
        kind: FaultKind::Unavailable,
        passes: false,
    }
}

const fn passing(words: &'static str, says: &'static str) -> Refusal {
    Refusal {
        passes: true,
        ..refused(words, says)
    }
}

impl Refusal {
    /// The reason in what ipmitool wrote to its standard error, if there is one.
    pub(crate) fn find(errors: &str) -> Option<&'static Refusal> {
        let refused = errors.contains(NO_SESSION) || errors.contains(NO_SOCKET);
        let mut refusals = REFUSALS.iter().filter(|_| refused);
        refusals.find(|refusal| errors.contains(refusal.words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The last line is the same for every reason.
    fn reason(line: &str) -> &'static Refusal {
        Refusal::find(&format!(
            "{line}\nError: Unable to establish IPMI v2 / RMCP+ session\n"
        ))
        .unwrap()
    }

    #[test]
    fn the_telling_line_wins_over_the_last_one() {
        for (line, part, passes) in [
            ("> RAKP 2 HMAC is invalid", "refuses the password", false),
            (
                "RAKP 2 message indicates an error : unauthorized name",
                "knows no",
                false,
            ),
            (
                "RAKP 2 message indicates an error : unauthorized role requested",
                "privilege level",
                false,
            ),
            (
                "RAKP 2 message indicates an error : insufficient resources for session",
                "no room",
                true,
            ),
            (
                "> RAKP 4 message has invalid integrity check value",
                "another key",
                false,
            ),
            (
                "Error in open session response message : no matching cipher suite",
                "cipher suite",
                false,
            ),
            ("Get Auth Capabilities error", "does not answer", true),
            (
                "> Error: no response from RAKP 1 message\nSet Session Privilege Level to USER failed",
                "stopped answering",
                true,
            ),
            (
                "Set Session Privilege Level to USER failed: Unknown (0x81)",
                "the privilege level",
                false,
            ),
            (
                "RAKP 4 message indicates an error : invalid integrity check value",
                "refuses the password",
                false,
            ),
            (
                "Error in open session response message : invalid authentication algorithm",
                "cipher suite",
                false,
            ),
            (
                "Address lookup for bmc7 failed\nCould not open socket!",
                "has no address",
                false,
            ),
            ("Could not open socket!", "no way to its address", true),
            ("", "gives no session, and no reason", true),
        ] {
            assert!(reason(line).says.contains(part), "{line}: {}", reason(line).says);
            assert_eq!(reason(line).passes, passes, "{line}");
        }
    }

    #[test]
    fn other_words_are_no_refusal() {
        // With a session, this is a word of its setting up.
        assert_eq!(
            Refusal::find("Set Session Privilege Level to ADMINISTRATOR\n"),
            None
        );
        assert_eq!(Refusal::find("Unable to send RAW command (channel=0x0 netfn=0x6 lun=0x0 cmd=0x1 rsp=0xc1): Invalid command"), None);
    }
}
