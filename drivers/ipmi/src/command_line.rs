//! A command and the way to its BMC, as ipmitool is told of them. Pure: nothing runs here.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use crate::access::{Access, Protocol};
use crate::command::Command;

/// Everything that one ipmitool is given. Holds secrets, and so has no `Debug`.
pub(crate) struct CommandLine {
    /// What everybody on the machine can read. No secret is among it.
    pub(crate) arguments: Vec<String>,
    /// What only the host's own user can read.
    pub(crate) environment: Vec<(&'static str, OsString)>,
    /// What goes through a pipe: the password.
    pub(crate) input: Vec<u8>,
}

impl CommandLine {
    /// `answer_timeout_s` is how long the BMC has for each of its answers.
    pub(crate) fn new(access: &Access, command: &Command, answer_timeout_s: u64) -> Self {
        let mut arguments = Vec::new();
        let mut option = |name: &str, value: String| arguments.extend([name.to_owned(), value]);
        match access.protocol {
            Protocol::V1_5 => option("-I", "lan".to_owned()),
            Protocol::V2_0 { cipher_suite } => {
                option("-I", "lanplus".to_owned());
                if let Some(suite) = cipher_suite {
                    option("-C", suite.to_string());
                }
            }
        }
        option("-H", access.place.address.clone());
        option("-p", access.place.port.to_string());
        option("-L", access.privilege.to_owned());
        if !access.user.is_empty() {
            option("-U", access.user.clone());
        }
        for (name, value) in &access.bridge {
            option(name, format!("0x{value:02x}"));
        }
        // Once: whether a command may be sent again is the driver's business, and not all may.
        option("-R", "1".to_owned());
        option("-N", answer_timeout_s.to_string());
        // Without a file ipmitool would ask a terminal.
        option("-f", "/dev/stdin".to_owned());
        let mut environment = Vec::new();
        if let Some(key) = &access.kg_key {
            arguments.push("-K".to_owned());
            environment.push(("IPMI_KGKEY", OsString::from_vec(key.clone())));
        }
        // Only so does it say why there is no session.
        arguments.push("-v".to_owned());
        arguments.extend(command.words());
        // An empty line would be taken for a password of one line end; a NUL is none at all.
        let input = match access.password.as_str() {
            "" => b"\0".to_vec(),
            password => password.as_bytes().to_vec(),
        };
        CommandLine {
            arguments,
            environment,
            input,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Place;

    fn access() -> Access {
        Access {
            place: Place {
                address: "192.0.2.7".to_owned(),
                port: 623,
            },
            user: "admin".to_owned(),
            password: "secret12".to_owned(),
            privilege: "ADMINISTRATOR",
            protocol: Protocol::V2_0 {
                cipher_suite: Some(3),
            },
            kg_key: None,
            bridge: Vec::new(),
            forgets_persistent_boot: false,
            disable_boot_timeout: true,
        }
    }

    fn line(access: &Access) -> CommandLine {
        CommandLine::new(access, &Command::repeatable(&[0x06, 0x01]), 5)
    }

    #[test]
    fn a_command_line_says_all_but_the_secrets() {
        let line = line(&access());
        assert_eq!(
            line.arguments.join(" "),
            "-I lanplus -C 3 -H 192.0.2.7 -p 623 -L ADMINISTRATOR -U admin -R 1 -N 5 -f /dev/stdin -v raw 0x06 0x01"
        );
        assert_eq!(line.input, b"secret12");
        assert!(line.environment.is_empty());
    }

    #[test]
    fn the_older_protocol_is_another_interface() {
        let line = line(&Access {
            protocol: Protocol::V1_5,
            privilege: "OPERATOR",
            ..access()
        });
        let arguments = line.arguments.join(" ");
        assert!(
            arguments.starts_with("-I lan -H 192.0.2.7 -p 623 -L OPERATOR "),
            "{arguments}"
        );
    }

    #[test]
    fn the_user_without_a_name_and_without_a_password_is_asked_for_neither() {
        let line = line(&Access {
            user: String::new(),
            password: String::new(),
            protocol: Protocol::V2_0 { cipher_suite: None },
            ..access()
        });
        assert!(!line
            .arguments
            .iter()
            .any(|argument| argument == "-U" || argument == "-C"));
        assert!(line.arguments.iter().any(|argument| argument == "-f"));
        assert_eq!(line.input, b"\0");
    }

    #[test]
    fn a_user_that_looks_like_an_option_is_the_value_of_one() {
        let line = line(&Access {
            user: "-V".to_owned(),
            ..access()
        });
        let at = line
            .arguments
            .iter()
            .position(|argument| argument == "-U")
            .unwrap();
        assert_eq!(line.arguments[at + 1], "-V");
    }

    #[test]
    fn a_key_goes_through_the_environment() {
        let line = line(&Access {
            kg_key: Some(b"0123456789".to_vec()),
            ..access()
        });
        assert!(line.arguments.iter().any(|argument| argument == "-K"));
        assert!(!line
            .arguments
            .iter()
            .any(|argument| argument.contains("0123456789")));
        assert_eq!(line.environment, [("IPMI_KGKEY", OsString::from("0123456789"))]);
    }

    #[test]
    fn bridged_commands_say_their_way() {
        let line = line(&Access {
            bridge: vec![("-m", 0x20), ("-b", 7), ("-t", 0x72)],
            ..access()
        });
        let arguments = line.arguments.join(" ");
        assert!(arguments.contains(" -m 0x20 -b 0x07 -t 0x72 "), "{arguments}");
    }
}
