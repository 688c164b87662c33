//! `HOST__SECTION__KEY` overrides a key of the file.

use toml::{Table, Value};

use super::ConfigError;

/// What every override starts with.
pub const PREFIX: &str = "HOST__";

/// The overrides that were applied: (dotted key, variable), to name the variable in a message about its value.
#[derive(Debug, Clone, Default)]
pub(super) struct Overrides(Vec<(String, String)>);

impl Overrides {
    /// The variable that set `key`, if one did.
    pub(super) fn variable(&self, key: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(at, _)| at == key || at.starts_with(&format!("{key}.")))
            .map(|(_, name)| name.as_str())
    }
}

/// Puts every override into `table`. A value is TOML where it parses as such, else text.
pub(super) fn apply(
    table: &mut Table,
    variables: impl Iterator<Item = (String, String)>,
) -> Result<Overrides, ConfigError> {
    let mut sorted: Vec<_> = variables.filter(|(name, _)| name.starts_with(PREFIX)).collect();
    sorted.sort();
    let mut overrides = Overrides::default();
    for (name, text) in sorted {
        let path: Vec<String> = name[PREFIX.len()..].split("__").map(str::to_lowercase).collect();
        if path.iter().any(String::is_empty) {
            return Err(ConfigError::Variable {
                name,
                reason: "expected HOST__KEY or HOST__SECTION__KEY",
            });
        }
        let key = insert(table, &path, value(&text)).ok_or(ConfigError::Variable {
            name: name.clone(),
            reason: "one part of it is a plain value in the file, not a section",
        })?;
        overrides.0.push((key, name));
    }
    Ok(overrides)
}

/// Sets `path` in `table`; answers the dotted key, or nothing when a part on the way is not a table.
fn insert(table: &mut Table, path: &[String], value: Value) -> Option<String> {
    let (last, sections) = path.split_last()?;
    let mut at = table;
    let mut key = String::new();
    for section in sections {
        let section = spelling(at, section);
        key.push_str(&section);
        key.push('.');
        at = at
            .entry(section)
            .or_insert_with(|| Value::Table(Table::new()))
            .as_table_mut()?;
    }
    let last = spelling(at, last);
    key.push_str(&last);
    at.insert(last, value);
    Some(key)
}

/// The key of `table` that a part of a variable's name means: a variable cannot spell `-` and `.`, a driver's name can.
fn spelling(table: &Table, part: &str) -> String {
    let same = |key: &&String| key.to_lowercase().replace(['-', '.'], "_") == part;
    table
        .keys()
        .find(same)
        .cloned()
        .unwrap_or_else(|| part.to_owned())
}

fn value(text: &str) -> Value {
    match toml::from_str::<Table>(&format!("value = {text}")) {
        Ok(mut parsed) if parsed.len() == 1 => parsed
            .remove("value")
            .unwrap_or_else(|| Value::String(text.to_owned())),
        _ => Value::String(text.to_owned()),
    }
}
