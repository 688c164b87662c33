//! Standard calls in a manifest: entries of `methods` whose names have a colon.

use super::super::standard::{StandardCall, StandardMethod};
use super::super::{CalledOn, ManifestError, Method};
use super::entry::Entry;

/// Ironic's words for what power can be asked for.
const TARGETS: [&str; 5] = [
    "power on",
    "power off",
    "rebooting",
    "soft power off",
    "soft rebooting",
];

/// Reads the entry of a call whose name is known.
pub(super) fn method(entry: &Entry<'_>, call: StandardCall) -> Result<StandardMethod, ManifestError> {
    match entry.key("on") {
        on if on.text()? == "node" => {}
        on => return Err(on.newer("node")),
    }
    let accepts = match call {
        StandardCall::SetPower => listed(&entry.key("targets"), "a power target", |entry, word| {
            if TARGETS.contains(&word) {
                Ok(())
            } else {
                Err(entry.newer(&TARGETS.join(", ")))
            }
        })?,
        StandardCall::SetBootDevice => listed(&entry.key("devices"), "a boot device", |entry, word| {
            let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
            if !word.is_empty() && word.len() <= 64 && word.chars().all(fits) {
                Ok(())
            } else {
                Err(entry.wrong("a boot device, [a-z0-9_-]{1,64}"))
            }
        })?,
        _ => Vec::new(),
    };
    Ok(StandardMethod {
        call,
        accepts,
        method: Method {
            name: call.name().to_owned(),
            on: CalledOn::Node,
            http_methods: vec![call.http_method().to_owned()],
            is_async: call.is_async(),
            require_exclusive_lock: call.requires_exclusive_lock(),
            attach: false,
            description: entry.key("description").text_or("")?.to_owned(),
            run: super::run(&entry.key("run"))?,
            time_limit: super::time_limit(&entry.key("time_limit_ms"))?,
            body_schema: None,
            reply_schema: None,
        },
    })
}

/// A list of words, at least one and none twice.
fn listed(
    entry: &Entry<'_>,
    what: &str,
    check: impl Fn(&Entry<'_>, &str) -> Result<(), ManifestError>,
) -> Result<Vec<String>, ManifestError> {
    let mut words: Vec<String> = Vec::new();
    for item in entry.items()? {
        let word = item.text()?;
        check(&item, word)?;
        if words.iter().any(|known| known == word) {
            return Err(item.wrong(&format!("{what} that is not listed already")));
        }
        words.push(word.to_owned());
    }
    if words.is_empty() {
        return Err(entry.wrong(&format!("at least {what}")));
    }
    Ok(words)
}
