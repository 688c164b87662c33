//! `host list-available`: one line per file of `plugin_dir`, without running any of them.

use std::path::Path;

use serde_json::{Value, json};

use super::table::{table, wrap};
use crate::plugin::{ScanError, SelectError, Selection, Verdict, printable, survey};

/// How the list is shown.
#[derive(Debug, Clone, Copy)]
pub struct ListOptions {
    /// Show the drivers named `fake*` too.
    pub all: bool,
    /// For programs instead of people.
    pub json: bool,
    /// Columns of the terminal; see [`output_width`](super::table::output_width).
    pub width: usize,
}

/// The text that `host list-available` prints.
///
/// # Errors
/// When `plugin_dir` itself cannot be listed. A file that is no driver is a line of the list.
pub fn list_available(
    plugin_dir: &Path,
    enabled_drivers: &[String],
    options: ListOptions,
) -> Result<String, ScanError> {
    let selection = survey(plugin_dir, enabled_drivers)?;
    Ok(if options.json {
        as_json(&selection, options.all)
    } else {
        as_text(plugin_dir, &selection, options)
    })
}

/// An array of objects. Keys are only ever added.
fn as_json(selection: &Selection, all: bool) -> String {
    let shown = selection
        .verdicts
        .iter()
        .filter(|verdict| all || !is_fake(verdict));
    let objects: Vec<Value> = shown.map(object).collect();
    format!("{:#}\n", Value::Array(objects))
}

fn object(verdict: &Verdict) -> Value {
    json!({
        "name": verdict.name,
        "version": verdict.version.as_ref().map(ToString::to_string),
        "file": verdict.file.to_string_lossy(),
        "state": verdict.state.as_str(),
        "code": verdict.code,
        "reason": verdict.reason,
        "remedy": verdict.remedy,
        "enabled": verdict.enabled,
    })
}

fn as_text(plugin_dir: &Path, selection: &Selection, options: ListOptions) -> String {
    let (shown, hidden): (Vec<&Verdict>, Vec<_>) = selection
        .verdicts
        .iter()
        .partition(|verdict| options.all || !is_fake(verdict));
    let rows: Vec<_> = shown.into_iter().map(row).collect();
    let mut text = if rows.is_empty() {
        format!(
            "no driver files in '{}'\n",
            printable(&plugin_dir.to_string_lossy())
        )
    } else {
        table(
            ["NAME", "VERSION", "STATE", "FILE", "REASON"],
            &rows,
            options.width,
        )
    };
    let mut notes: Vec<String> = selection.warnings.iter().map(ToString::to_string).collect();
    // A list without configuration enables nothing, and that is no fault of it.
    let faults = selection
        .faults
        .iter()
        .filter(|fault| !matches!(fault, SelectError::NoDriversEnabled { .. }));
    notes.extend(faults.map(ToString::to_string));
    match hidden.len() {
        0 => {}
        1 => notes.push("1 fake driver is not shown; --all shows it".to_owned()),
        n => notes.push(format!("{n} fake drivers are not shown; --all shows them")),
    }
    for note in notes {
        text.push('\n');
        for line in wrap(&printable(&note), options.width) {
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

fn row(verdict: &Verdict) -> [String; 5] {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let file = verdict.file.file_name().unwrap_or(verdict.file.as_os_str());
    let reason = match &verdict.remedy {
        None => String::new(),
        Some(remedy) => format!("{}: {}; {remedy}", verdict.code, verdict.reason),
    };
    [
        or_dash(verdict.name.clone()),
        or_dash(verdict.version.as_ref().map(ToString::to_string)),
        verdict.state.as_str().to_owned(),
        printable(&file.to_string_lossy()),
        printable(&reason),
    ]
}

/// Drivers for trying things out: their name begins with `fake`.
fn is_fake(verdict: &Verdict) -> bool {
    verdict
        .name
        .as_deref()
        .is_some_and(|name| name.starts_with("fake"))
}
