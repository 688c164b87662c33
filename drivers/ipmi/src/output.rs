//! What an ipmitool that has ended wrote: an answer, or why there is none.

use crate::child::Output;
use crate::completion_code::CompletionCode;
use crate::failure::Failure;
use crate::refusal::Refusal;

/// The longest piece of a line of ipmitool's in a message, in characters.
const LONGEST_LINE: usize = 200;

/// Standard output of an ipmitool that did what it was told.
///
/// # Errors
/// Why it did not.
pub(crate) fn answer(output: &Output) -> Result<&str, Failure> {
    let errors = String::from_utf8_lossy(&output.stderr);
    // A list that breaks off counts as a success with ipmitool.
    if !output.succeeded || errors.lines().any(|line| line.starts_with("Get SEL Entry ")) {
        return Err(failure(&errors));
    }
    std::str::from_utf8(&output.stdout).map_err(|_| Failure::NotUnderstood(last_line(&errors)))
}

/// The bytes that a raw command answers: two digits each, in lines.
///
/// # Errors
/// It is anything else.
pub(crate) fn raw_bytes(answer: &str) -> Result<Vec<u8>, Failure> {
    answer
        .split_ascii_whitespace()
        .map(|word| match word.len() {
            2 => u8::from_str_radix(word, 16).ok(),
            _ => None,
        })
        .collect::<Option<_>>()
        .ok_or_else(|| Failure::NotUnderstood(last_line(answer)))
}

/// Every ipmitool that fails ends with 1; only its words say why.
fn failure(errors: &str) -> Failure {
    let of_the_command = |line: &str| {
        let rest = line.strip_prefix("Unable to send RAW command (")?;
        Some(match rest.split_once("rsp=0x") {
            Some((_, code)) => match code.split(')').next().map(|code| u8::from_str_radix(code, 16)) {
                Some(Ok(code)) => Failure::Code(code),
                _ => Failure::NotUnderstood(last_line(line)),
            },
            None => Failure::NoAnswer,
        })
    };
    if let Some(refusal) = Refusal::find(errors) {
        return Failure::Refused(refusal);
    }
    if let Some(failure) = errors.lines().find_map(of_the_command) {
        return failure;
    }
    errors
        .lines()
        .find_map(of_the_event_log)
        .unwrap_or_else(|| Failure::NotUnderstood(last_line(errors)))
}

/// What the commands for the event log say: a completion code in words, or nothing if there was no answer.
fn of_the_event_log(line: &str) -> Option<Failure> {
    let own = ["Get SEL ", "Unable to reserve SEL", "Unable to clear SEL"];
    if !own.iter().any(|words| line.starts_with(words)) {
        return None;
    }
    match line.split_once(": ") {
        Some((_, words)) => CompletionCode::in_words(words.trim()).map(Failure::Code),
        None => Some(Failure::NoAnswer),
    }
}

fn last_line(text: &str) -> String {
    let line = text.lines().rev().map(str::trim).find(|line| !line.is_empty());
    line.unwrap_or("(nothing)")
        .chars()
        .filter(|c| !c.is_control())
        .take(LONGEST_LINE)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(stderr: &str) -> Failure {
        let output = Output {
            succeeded: false,
            stderr: stderr.as_bytes().to_vec(),
            ..Output::default()
        };
        answer(&output).unwrap_err()
    }

    #[test]
    fn the_bytes_of_an_answer_are_read_across_lines() {
        let answer = " 20 81 00 90 02 9f 91 12 00 02 0f 00 00 00 00 01\n ff\n";
        let bytes = raw_bytes(answer).unwrap();
        assert_eq!((bytes.len(), bytes[0], bytes[16]), (17, 0x20, 0xff));
        assert!(raw_bytes("\n").unwrap().is_empty());
    }

    #[test]
    fn an_answer_that_is_no_bytes_is_not_understood() {
        for answer in ["Chassis Power is on\n", " 2 8\n", " 20 8g\n", " 0x20\n"] {
            assert!(
                matches!(raw_bytes(answer), Err(Failure::NotUnderstood(_))),
                "{answer}"
            );
        }
        let output = Output {
            succeeded: true,
            stdout: vec![0xff],
            stderr: Vec::new(),
        };
        assert!(matches!(answer(&output), Err(Failure::NotUnderstood(_))));
    }

    #[test]
    fn a_completion_code_is_read_from_the_command_that_was_asked_for() {
        let code = "Get HPM.x Capabilities request failed, compcode = d6\n\
            Unable to send RAW command (channel=0x0 netfn=0x6 lun=0x0 cmd=0x1 rsp=0xc1): Invalid command\n";
        assert!(matches!(failed(code), Failure::Code(0xc1)));
        let silence = "Unable to send RAW command (channel=0x0 netfn=0x6 lun=0x0 cmd=0x1)\n";
        assert!(matches!(failed(silence), Failure::NoAnswer));
    }

    #[test]
    fn a_completion_code_in_words_is_one_too() {
        assert!(matches!(
            failed("Get SEL Info command failed: Invalid command\n"),
            Failure::Code(0xc1)
        ));
        assert!(matches!(
            failed("Unable to clear SEL: Insufficient privilege level\n"),
            Failure::Code(0xd4)
        ));
        assert!(matches!(
            failed("Get SEL Info command failed\n"),
            Failure::NoAnswer
        ));
        assert!(matches!(
            failed("Get SEL Info command failed: Odd\n"),
            Failure::NotUnderstood(_)
        ));
        // Of a command that ipmitool makes for itself.
        let own = "Invalid completion code received: Invalid command\nsomething else\n";
        assert!(matches!(failed(own), Failure::NotUnderstood(_)));
    }

    #[test]
    fn a_list_that_breaks_off_is_no_list() {
        let output = Output {
            succeeded: true,
            stdout: b"SEL Record ID          : 0001\n".to_vec(),
            stderr: b"Get SEL Entry 2 command failed: Node busy\n".to_vec(),
        };
        assert!(matches!(answer(&output), Err(Failure::Code(0xc0))));
    }

    #[test]
    fn no_session_is_a_refusal_whatever_else_was_said() {
        let failure =
            failed("> RAKP 2 HMAC is invalid\nError: Unable to establish IPMI v2 / RMCP+ session\n");
        assert!(matches!(failure, Failure::Refused(refusal) if !refusal.passes));
    }

    #[test]
    fn anything_else_is_told_by_its_last_line_without_control_characters() {
        match failed("first\nsecond \u{1b}[31m thing\n\n") {
            Failure::NotUnderstood(line) => assert_eq!(line, "second [31m thing"),
            other => panic!("{other:?}"),
        }
        assert!(matches!(failed(""), Failure::NotUnderstood(line) if line == "(nothing)"));
        assert!(
            matches!(failed(&"x".repeat(9_999)), Failure::NotUnderstood(line) if line.len() == LONGEST_LINE)
        );
    }
}
