//! `host inspect`: everything that a file says about its driver, without running it.

mod arguments;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::table::{table, wrap};
use crate::plugin::manifest::{ReadFile, StandardMethod};
use crate::plugin::{
    CalledOn, DriverManifest, FoundFile, Method, Property, RunKind, ScanError, SelectError, printable, scan,
    select,
};

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InspectError {
    /// The folder cannot be listed.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// No driver, or more than one, has the name.
    #[error("{}", without_enabled(.0))]
    Name(SelectError),
    /// The file is no driver.
    #[error("'{}' is refused ({code}): {reason}; {remedy}", file.display())]
    Refused {
        /// The file.
        file: PathBuf,
        /// The verdict's code.
        code: &'static str,
        /// The verdict's sentence.
        reason: String,
        /// What to do.
        remedy: String,
    },
}

/// What `host inspect` prints for a driver's name, or for a file (with a slash, or ending in `.so`; looked for in
/// `plugin_dir` when it is not there).
///
/// # Errors
/// When there is no such driver, or its file is refused.
pub fn inspect(
    plugin_dir: &Path,
    name_or_file: &str,
    json: bool,
    width: usize,
) -> Result<String, InspectError> {
    let (file, manifest) = if name_or_file.contains('/') || name_or_file.ends_with(".so") {
        let given = PathBuf::from(name_or_file);
        let file = if given.symlink_metadata().is_err() && given.components().count() == 1 {
            plugin_dir.join(given)
        } else {
            given
        };
        of_file(FoundFile::named(file))?
    } else {
        of_name(plugin_dir, name_or_file)?
    };
    Ok(if json {
        // It was read as JSON before.
        serde_json::from_str::<Value>(&manifest.raw).map_or_else(
            |_| format!("{}\n", manifest.raw),
            |manifest| format!("{manifest:#}\n"),
        )
    } else {
        as_text(&file, &manifest, width)
    })
}

fn of_file(file: FoundFile) -> Result<(PathBuf, DriverManifest), InspectError> {
    let ReadFile { file, outcome } = file.read();
    let file = file.path().to_owned();
    match outcome {
        Ok((manifest, _)) => Ok((file, manifest)),
        Err(unfit) => Err(InspectError::Refused {
            file,
            code: unfit.error.code(),
            reason: unfit.error.to_string(),
            remedy: unfit.error.remedy().to_owned(),
        }),
    }
}

/// A name is looked up as if it were the only one enabled, so that the same rules hold.
fn of_name(plugin_dir: &Path, name: &str) -> Result<(PathBuf, DriverManifest), InspectError> {
    let files = scan(plugin_dir)?.into_iter().map(FoundFile::read);
    let mut selection = select(plugin_dir, files, &[name.to_owned()]);
    match selection.enabled.pop() {
        Some(driver) => Ok((driver.file().to_owned(), driver.manifest().clone())),
        None => Err(InspectError::Name(selection.faults.remove(0))),
    }
}

/// The name was asked for, not enabled.
fn without_enabled(error: &SelectError) -> String {
    let text = error.to_string().replacen(" is enabled but ", " is ", 1);
    text.replacen(
        "put its file there or take it out of enabled_drivers",
        "see host list-available",
        1,
    )
}

fn as_text(file: &Path, manifest: &DriverManifest, width: usize) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{} {}", manifest.name, manifest.version);
    for line in wrap(&printable(&manifest.description), width) {
        let _ = writeln!(text, "{line}");
    }
    let _ = writeln!(text, "\nfile    {}", printable(&file.to_string_lossy()));
    let _ = writeln!(
        text,
        "abi     {} (this host has {})",
        manifest.abi,
        driver_abi::ABI_VERSION
    );
    if let Some(sdk) = &manifest.sdk {
        let _ = writeln!(text, "sdk     {}", printable(sdk));
    }
    let _ = writeln!(text, "target  {}", printable(&manifest.target));
    if !manifest.properties.is_empty() {
        let rows: Vec<_> = manifest
            .properties
            .iter()
            .map(|(name, property)| property_row(name, property))
            .collect();
        let _ = write!(
            text,
            "\n{}",
            table(
                ["PROPERTY OF A NODE", "TYPE", "NEEDED", "DESCRIPTION"],
                &rows,
                width
            )
        );
    }
    if !manifest.standard.is_empty() {
        let rows: Vec<_> = manifest.standard.iter().map(standard_row).collect();
        let _ = write!(
            text,
            "\n{}",
            table(
                ["STANDARD CALL", "VERBS", "ASYNC", "LOCK", "DESCRIPTION"],
                &rows,
                width
            )
        );
    }
    for (on, title) in [
        (CalledOn::Node, "METHOD OF A NODE"),
        (CalledOn::Driver, "METHOD OF THE DRIVER"),
    ] {
        let rows: Vec<_> = manifest
            .methods
            .iter()
            .filter(|method| method.on == on)
            .map(method_row)
            .collect();
        if !rows.is_empty() {
            let _ = write!(
                text,
                "\n{}",
                table([title, "VERBS", "ASYNC", "LOCK", "DESCRIPTION"], &rows, width)
            );
        }
    }
    text.push_str(&arguments::tables(manifest, width));
    text
}

fn property_row(name: &str, property: &Property) -> [String; 4] {
    let mut facts = vec![property.description.clone()];
    if property.secret {
        facts.push("[secret]".to_owned());
    }
    facts.extend(choices(&property.choices));
    let bound = |bound: &Option<serde_json::Number>| bound.as_ref().map(ToString::to_string);
    facts.extend(bounds(&[bound(&property.minimum), bound(&property.maximum)], ""));
    if let Some(default) = &property.default {
        facts.push(format!("[default {default}]"));
    }
    let needed = if property.required { "required" } else { "optional" };
    [
        printable(name),
        property.kind.word().to_owned(),
        needed.to_owned(),
        printable(&facts.join(" ")),
    ]
}

fn standard_row(standard: &StandardMethod) -> [String; 5] {
    let mut row = method_row(&standard.method);
    if !standard.accepts.is_empty() {
        row[4].push(' ');
        row[4].push_str(&printable(&format!("[{}]", standard.accepts.join(", "))));
    }
    row
}

/// All that a value can be, if that is told.
fn choices(choices: &[Value]) -> Option<String> {
    let choices: Vec<String> = choices.iter().map(Value::to_string).collect();
    (!choices.is_empty()).then(|| format!("[one of {}]", choices.join(", ")))
}

/// From where to where a value goes, if that is told.
fn bounds(bounds: &[Option<String>; 2], unit: &str) -> Option<String> {
    match bounds {
        [None, None] => None,
        [Some(least), None] => Some(format!("[at least {least}{unit}]")),
        [None, Some(most)] => Some(format!("[at most {most}{unit}]")),
        [Some(least), Some(most)] => Some(format!("[{least} to {most}{unit}]")),
    }
}

fn method_row(method: &Method) -> [String; 5] {
    let mut facts = vec![method.description.clone()];
    if method.attach {
        facts.push("[replies with bytes]".to_owned());
    }
    if method.run == RunKind::Deferred {
        facts.push("[deferred]".to_owned());
    }
    if let Some(limit) = method.time_limit {
        facts.push(format!("[time limit {} ms]", limit.as_millis()));
    }
    if method.body_schema.is_some() && !arguments::are_listed(method) {
        facts.push("[arguments have a schema]".to_owned());
    }
    if method.reply_schema.is_some() {
        facts.push("[reply has a schema]".to_owned());
    }
    let lock = match (method.on, method.require_exclusive_lock) {
        (CalledOn::Node, true) => "exclusive",
        (CalledOn::Node, false) => "shared",
        (CalledOn::Driver, _) => "none",
    };
    [
        method.name.clone(),
        method.http_methods.join(" "),
        if method.is_async { "yes" } else { "no" }.to_owned(),
        lock.to_owned(),
        printable(&facts.join(" ")),
    ]
}
