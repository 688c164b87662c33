//! Everything that a command can fail with, and the faults that clients see.

use std::io;

use driver_sdk::{json, Fault, FaultKind};

use crate::access::Access;
use crate::completion_code::CompletionCode;
use crate::patience::Ended;
use crate::refusal::Refusal;

/// Why a command has no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The BMC gave no session: the command never reached it.
    Refused(&'static Refusal),
    /// The BMC has answered that it did not do it.
    Code(u8),
    /// The BMC had a session, got the command, and did not answer.
    NoAnswer,
    /// ipmitool wrote what nobody expects of it; its last line.
    NotUnderstood(String),
    /// More than an answer can be.
    TooMuch,
    /// Nobody waits any more. `begun` if ipmitool was running, and has been killed.
    Ended { ended: Ended, begun: bool },
    /// ipmitool cannot be run.
    NotRun(io::Error),
}

impl Failure {
    /// Whether the same command may be tried again: it may do better, and does no harm.
    pub(crate) fn may_pass(&self, repeatable: bool) -> bool {
        match self {
            Failure::Refused(refusal) => refusal.passes,
            Failure::Code(code) => CompletionCode::of(*code).passes,
            Failure::NoAnswer => repeatable,
            Failure::NotUnderstood(_) => repeatable,
            Failure::TooMuch | Failure::Ended { .. } | Failure::NotRun(_) => false,
        }
    }

    /// The fault for the client. It holds no secret of the node.
    pub(crate) fn fault(&self, access: &Access) -> Fault {
        let place = &access.place;
        let unknown = "whether it has done what it was told is not known";
        match self {
            Failure::Refused(refusal) => {
                Fault::new(refusal.kind, format!("the BMC at {place} {}", filled(refusal.says, access)))
            }
            Failure::Code(number) => {
                let code = CompletionCode::of(*number);
                Fault::new(
                    code.kind,
                    format!("the BMC at {place} {} (completion code 0x{number:02x})", code.meaning),
                )
                .with_details(json!({ "completion_code": number }))
            }
            Failure::NoAnswer => Fault::timeout(format!(
                "the BMC at {place} took the command and did not answer: {unknown}"
            )),
            Failure::NotUnderstood(line) => Fault::new(
                FaultKind::Unavailable,
                format!("the answer of the BMC at {place} cannot be read; ipmitool's last line: {}", safe(line, access)),
            ),
            Failure::TooMuch => Fault::new(
                FaultKind::Unavailable,
                format!("the answer of the BMC at {place} has no end: ipmitool was stopped after 8 MiB"),
            ),
            Failure::Ended { ended, begun } => Fault::timeout(match (ended, begun) {
                (Ended::Deadline, true) => {
                    format!("the BMC at {place} did not answer before the call's deadline: {unknown}")
                }
                (Ended::Deadline, false) => format!(
                    "the BMC at {place} was busy with other commands until the call's deadline: this one was not sent"
                ),
                (Ended::Cancelled, true) => {
                    format!("stopped, as nobody waits any more, while the BMC at {place} was at work: {unknown}")
                }
                (Ended::Cancelled, false) => {
                    format!("stopped, as nobody waits any more, before anything was sent to the BMC at {place}")
                }
            }),
            Failure::NotRun(error) => Fault::internal(format!("ipmitool cannot be run: {error}")),
        }
    }
}

fn filled(says: &str, access: &Access) -> String {
    let user = match access.user.as_str() {
        "" => "user without a name".to_owned(),
        user => format!("user '{user}'"),
    };
    says.replace("{user}", &user)
        .replace("{privilege}", access.privilege)
}

/// The host masks long secrets in every message; this is about short ones too.
fn safe<'a>(line: &'a str, access: &Access) -> &'a str {
    match access.has_secret_in(line) {
        true => "(not shown: a secret of the node stands in it)",
        false => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Place, Protocol};

    fn access() -> Access {
        Access {
            place: Place {
                address: "192.0.2.7".to_owned(),
                port: 623,
            },
            user: "admin".to_owned(),
            password: "q7".to_owned(),
            privilege: "OPERATOR",
            protocol: Protocol::V2_0 { cipher_suite: None },
            kg_key: None,
            bridge: Vec::new(),
            forgets_persistent_boot: false,
            disable_boot_timeout: true,
        }
    }

    fn refusal(words: &str) -> Failure {
        Failure::Refused(Refusal::find(&format!("{words}\nError: Unable to establish LAN session")).unwrap())
    }

    #[test]
    fn a_fault_names_the_bmc_and_the_user() {
        let fault = refusal("unauthorized name").fault(&access());
        assert_eq!(
            fault.message(),
            "the BMC at 192.0.2.7:623 knows no user 'admin' with privilege level OPERATOR (ipmi_username, ipmi_priv_level)"
        );
        let nobody = Access {
            user: String::new(),
            ..access()
        };
        let fault = refusal("RAKP 2 HMAC is invalid").fault(&nobody);
        assert!(
            fault.message().contains("the password of user without a name"),
            "{fault}"
        );
    }

    #[test]
    fn a_completion_code_is_told_in_words_and_as_a_number() {
        let fault = Failure::Code(0xd5).fault(&access());
        assert_eq!(fault.kind(), FaultKind::Conflict);
        assert_eq!(
            fault.message(),
            "the BMC at 192.0.2.7:623 cannot do this in its present state (completion code 0xd5)"
        );
        assert_eq!(fault.details(), Some(&json!({"completion_code": 0xd5})));
    }

    #[test]
    fn a_line_with_a_secret_is_not_shown() {
        let fault = Failure::NotUnderstood("the password q7 is odd".to_owned()).fault(&access());
        assert!(
            !fault.message().contains("q7") && fault.message().contains("not shown"),
            "{fault}"
        );
        let fault = Failure::NotUnderstood("odd".to_owned()).fault(&access());
        assert!(fault.message().ends_with("ipmitool's last line: odd"), "{fault}");
    }

    #[test]
    fn only_what_does_no_harm_and_may_do_better_is_tried_again() {
        let ended = Failure::Ended {
            ended: Ended::Deadline,
            begun: true,
        };
        for (failure, once, repeatable) in [
            (refusal("Get Auth Capabilities error"), true, true),
            (refusal("RAKP 2 HMAC is invalid"), false, false),
            (Failure::Code(0xc0), true, true),
            (Failure::Code(0xc1), false, false),
            (Failure::NoAnswer, false, true),
            (Failure::NotUnderstood(String::new()), false, true),
            (Failure::TooMuch, false, false),
            (ended, false, false),
        ] {
            assert_eq!(failure.may_pass(false), once, "{failure:?}");
            assert_eq!(failure.may_pass(true), repeatable, "{failure:?}");
        }
    }
}
