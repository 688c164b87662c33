//! The one line that matters of abi_stable's report, which runs to tens of thousands of characters.

use abi_stable::abi_stability::abi_checking::{AbiInstability, AbiInstabilityErrors, ExpectedFound};
use abi_stable::type_layout::TLFieldOrFunction;

use crate::plugin::printable::printable;

/// What is kept of the report for the log.
const LOGGED_CHARS: usize = 2000;
/// What is kept of one side of a difference.
const QUOTED_CHARS: usize = 60;

/// The deepest difference: in a few words for people, and with its types for the log.
///
/// `host_expects`: whether the host's types were the expected ones of this comparison, or the found ones.
pub(super) fn describe(errors: &AbiInstabilityErrors, host_expects: bool) -> (String, String) {
    let Some(deepest) = errors.errors.iter().max_by_key(|error| error.stack_trace.len()) else {
        return ("an unknown difference".to_owned(), String::new());
    };
    // A type whose parts differ has another size too; the parts say more.
    let Some(error) = deepest.errs.iter().min_by_key(|error| is_consequence(error)) else {
        return ("an unknown difference".to_owned(), String::new());
    };
    let what = printable(&format!(
        "in {}: {}",
        place(&deepest.stack_trace),
        difference(error, host_expects)
    ));
    let path: Vec<_> = deepest.stack_trace.iter().map(|step| name(&step.found)).collect();
    let logged = printable(&format!("{}: {deepest:?}", path.join(".")));
    (what, logged.chars().take(LOGGED_CHARS).collect())
}

fn is_consequence(error: &AbiInstability) -> bool {
    matches!(error, AbiInstability::Size(_) | AbiInstability::Alignment(_))
}

/// The type in which both sides differ, if they agree on its name; else the field or function that leads there.
fn place(path: &[ExpectedFound<TLFieldOrFunction>]) -> String {
    if let Some(ExpectedFound {
        expected: TLFieldOrFunction::Field(expected),
        found: TLFieldOrFunction::Field(found),
    }) = path.last()
    {
        let (expected, found) = (expected.full_type().to_string(), found.full_type().to_string());
        if expected == found {
            return format!("type {found}");
        }
    }
    // Arguments have no names, and results one that is abi_stable's own.
    let named = |name: &String| name.starts_with(|c: char| c.is_ascii_alphabetic());
    path.iter()
        .rev()
        .map(|step| name(&step.found))
        .find(named)
        .unwrap_or_else(|| "the root module".to_owned())
}

fn name(step: &TLFieldOrFunction) -> String {
    match step {
        TLFieldOrFunction::Field(field) => field.name().to_owned(),
        TLFieldOrFunction::Function(function) => function.name.to_string(),
    }
}

fn difference(error: &AbiInstability, host_expects: bool) -> String {
    let sides = |what: &str, expected: String, found: String| {
        let cut = |text: String| text.chars().take(QUOTED_CHARS).collect::<String>();
        let (host, driver) = if host_expects {
            (expected, found)
        } else {
            (found, expected)
        };
        format!("{what} {} in the host, {} in the driver", cut(host), cut(driver))
    };
    let numbers =
        |what: &str, v: &ExpectedFound<usize>| sides(what, v.expected.to_string(), v.found.to_string());
    match error {
        AbiInstability::Name(v) => sides("type", v.expected.to_string(), v.found.to_string()),
        AbiInstability::Package(v) => sides("package", v.expected.to_string(), v.found.to_string()),
        AbiInstability::PackageVersion(v) => sides("version", v.expected.to_string(), v.found.to_string()),
        AbiInstability::Size(v) => numbers("size", v),
        AbiInstability::Alignment(v) => numbers("alignment", v),
        AbiInstability::FieldCountMismatch(v) => numbers("number of fields", v),
        AbiInstability::UnexpectedField(v) => {
            sides("field", v.expected.name().to_owned(), v.found.name().to_owned())
        }
        AbiInstability::MismatchedPrimitive(v) => {
            sides("type", format!("{:?}", v.expected), format!("{:?}", v.found))
        }
        AbiInstability::MismatchedPrefixSize(v) => {
            sides("first fields", v.expected.to_string(), v.found.to_string())
        }
        AbiInstability::FnQualifierMismatch(_) => "a function's qualifiers".to_owned(),
        AbiInstability::FnLifetimeMismatch(_) | AbiInstability::FieldLifetimeMismatch(_) => {
            "a reference's lifetime".to_owned()
        }
        other => {
            let text = format!("{other:?}");
            let end = text.find(['(', '{', ' ']).unwrap_or(text.len());
            text[..end].to_owned()
        }
    }
}
