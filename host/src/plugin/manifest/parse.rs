//! The manifest's JSON, checked key by key. Unknown keys are ignored; `null` counts as absent.

use std::collections::HashSet;
use std::time::Duration;

use driver_abi::{ABI_VERSION, MANIFEST_FORMAT};
use indexmap::IndexMap;
use semver::Version;

use super::standard::{StandardCall, StandardMethod};
use super::{CalledOn, DriverManifest, ManifestError, Method, Property, PropertyKind, RunKind, Unfit};
use crate::plugin::schema::{Budget, Schema};

mod entry;
mod standard;
mod tree;

use entry::{Entry, broken};
use tree::Tree;

/// Who a file says it is, when the rest of its manifest cannot be used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claim {
    /// The driver's name, if it has the form of one.
    pub name: Option<String>,
    /// The driver's version, if it has the form of one.
    pub version: Option<Version>,
}

/// Reads a manifest of format 1.
///
/// # Errors
/// [`ManifestError::BrokenManifest`] with the key, what belongs there and what is there;
/// [`ManifestError::NeedsNewerHost`] for a later format, a later major version of the boundary, and words that change how
/// a call runs and are not known here; [`ManifestError::NeedsOlderHost`] for an earlier major version.
pub fn parse(bytes: &[u8]) -> Result<DriverManifest, Box<Unfit>> {
    let unfit = |error, claim| Box::new(Unfit { error, claim });
    let text = utf8(bytes).map_err(|error| unfit(error, Claim::default()))?;
    let tree = json_object(text).map_err(|error| unfit(error, Claim::default()))?;
    manifest(text, &tree).map_err(|error| unfit(error, claimed(&tree)))
}

fn utf8(bytes: &[u8]) -> Result<&str, ManifestError> {
    std::str::from_utf8(bytes).map_err(|error| {
        broken(
            format!("byte {}", error.valid_up_to()),
            "UTF-8",
            "bytes that are not".to_owned(),
        )
    })
}

fn json_object(text: &str) -> Result<Tree<'_>, ManifestError> {
    let tree = serde_json::from_str(text).map_err(|error| not_json(&error))?;
    Entry::root(&tree).object()?;
    Ok(tree)
}

fn not_json(error: &serde_json::Error) -> ManifestError {
    let place = format!("line {} column {}", error.line(), error.column());
    let found = error.to_string();
    broken(
        place,
        "JSON",
        found.split(" at line ").next().unwrap_or_default().to_owned(),
    )
}

fn claimed(tree: &Tree<'_>) -> Claim {
    let root = Entry::root(tree);
    let (name, version) = (root.key("name"), root.key("version"));
    Claim {
        name: name
            .text()
            .ok()
            .filter(|name| is_driver_name(name))
            .map(str::to_owned),
        version: version.text().ok().and_then(plain_version),
    }
}

fn manifest(text: &str, tree: &Tree<'_>) -> Result<DriverManifest, ManifestError> {
    let root = Entry::root(tree);
    // Whatever follows is only meaningful in a format that is known.
    let format = root.key("manifest").number()?;
    if format > u64::from(MANIFEST_FORMAT) {
        return Err(newer(
            "manifest",
            format.to_string(),
            format!("up to {MANIFEST_FORMAT}"),
        ));
    }
    if format == 0 {
        return Err(broken("manifest".to_owned(), "1", "0".to_owned()));
    }
    let abi = version(&root.key("abi"))?;
    let own = Version::parse(ABI_VERSION)
        .map_err(|error| broken("abi".to_owned(), "a version", error.to_string()))?;
    if abi.major > own.major {
        return Err(newer("abi", abi.to_string(), format!("driver-abi {}", own.major)));
    }
    if abi.major < own.major {
        return Err(ManifestError::NeedsOlderHost { found: abi });
    }
    let name = root.key("name");
    if !is_driver_name(name.text()?) {
        return Err(name.wrong("a driver's name, [a-z0-9][a-z0-9_.-]{0,254}"));
    }
    let (methods, standard) = methods(&root.key("methods"))?;
    Ok(DriverManifest {
        name: name.text()?.to_owned(),
        version: version(&root.key("version"))?,
        description: root.key("description").text_or("")?.to_owned(),
        abi,
        sdk: root.key("sdk").optional(Entry::text)?.map(str::to_owned),
        target: root.key("target").text()?.to_owned(),
        properties: properties(&root.key("properties"))?,
        methods,
        standard,
        raw: text.into(),
    })
}

fn properties(entry: &Entry<'_>) -> Result<IndexMap<String, Property>, ManifestError> {
    let mut properties = IndexMap::new();
    for (key, property) in entry.members()? {
        property.object()?;
        let kind = match property.key("type").text_or("any")? {
            "string" => PropertyKind::String,
            "integer" => PropertyKind::Integer,
            "number" => PropertyKind::Number,
            "boolean" => PropertyKind::Boolean,
            "object" => PropertyKind::Object,
            "array" => PropertyKind::Array,
            // A type is a help for people; the driver checks its values itself.
            _ => PropertyKind::Any,
        };
        let property = Property {
            description: property.key("description").text_or("")?.to_owned(),
            kind,
            required: property.key("required").flag_or(false)?,
            secret: property.key("secret").flag_or(false)?,
            default: property.key("default").value().map(Tree::to_value),
            choices: property
                .key("choices")
                .items()?
                .filter_map(|choice| choice.value().map(Tree::to_value))
                .collect(),
            minimum: property.key("minimum").optional(Entry::any_number)?,
            maximum: property.key("maximum").optional(Entry::any_number)?,
        };
        properties.insert(key.to_owned(), property);
    }
    Ok(properties)
}

/// The driver's own methods, and its calls of standard interfaces.
fn methods(entry: &Entry<'_>) -> Result<(Vec<Method>, Vec<StandardMethod>), ManifestError> {
    let entries: Vec<_> = entry.items()?.collect();
    let (mut methods, mut standard) = (Vec::with_capacity(entries.len()), Vec::new());
    let mut budget = Budget::default();
    let mut known = HashSet::with_capacity(entries.len());
    for entry in &entries {
        entry.object()?;
        let name = entry.key("name");
        let call = name.text().ok().and_then(StandardCall::named);
        let on = match call {
            Some(call) => {
                standard.push(self::standard::method(entry, call)?);
                CalledOn::Node
            }
            None => {
                let method = method(entry, &mut budget)?;
                let on = method.on;
                methods.push(method);
                on
            }
        };
        if !known.insert((on, name.text()?)) {
            return Err(name.wrong("a name that no other method here has"));
        }
    }
    let has = |call| standard.iter().any(|method| method.call == call);
    if has(StandardCall::GetPower) != has(StandardCall::SetPower) {
        return Err(entry.wrong("power:get and power:set, or neither"));
    }
    Ok((methods, standard))
}

fn method(entry: &Entry<'_>, budget: &mut Budget) -> Result<Method, ManifestError> {
    let on = match entry.key("on") {
        on if on.text()? == "node" => CalledOn::Node,
        on if on.text()? == "driver" => CalledOn::Driver,
        on => return Err(on.newer("node, driver")),
    };
    let is_async = entry.key("async").flag_or(on == CalledOn::Node)?;
    let attach = entry.key("attach");
    if is_async && attach.flag_or(false)? {
        return Err(attach.wrong("false, because the method is async"));
    }
    Ok(Method {
        name: method_name(&entry.key("name"))?,
        on,
        http_methods: http_methods(&entry.key("http_methods"))?,
        is_async,
        require_exclusive_lock: entry.key("require_exclusive_lock").flag_or(true)? && on == CalledOn::Node,
        attach: attach.flag_or(false)?,
        description: entry.key("description").text_or("")?.to_owned(),
        run: run(&entry.key("run"))?,
        time_limit: time_limit(&entry.key("time_limit_ms"))?,
        body_schema: schema(&entry.key("body_schema"), budget)?,
        reply_schema: schema(&entry.key("reply_schema"), budget)?,
    })
}

fn run(entry: &Entry<'_>) -> Result<RunKind, ManifestError> {
    match entry.text_or("blocking")? {
        "blocking" => Ok(RunKind::Blocking),
        "deferred" => Ok(RunKind::Deferred),
        _ => Err(entry.newer("blocking, deferred")),
    }
}

fn time_limit(entry: &Entry<'_>) -> Result<Option<Duration>, ManifestError> {
    match entry.optional(Entry::number)? {
        Some(0) => Err(entry.wrong("at least 1")),
        limit => Ok(limit.map(Duration::from_millis)),
    }
}

fn method_name(entry: &Entry<'_>) -> Result<String, ManifestError> {
    let name = entry.text()?;
    // `interface:action` is a call of a standard interface; those that are not known here are a later version's.
    if name.contains(':') {
        let known = StandardCall::ALL.map(StandardCall::name).join(", ");
        return Err(entry.newer(&format!("names without a colon, {known}")));
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if name.is_empty() || name.len() > 255 || !name.chars().all(fits) || name == "methods" {
        return Err(entry.wrong("a method's name, [A-Za-z0-9_.-]{1,255} and not 'methods'"));
    }
    Ok(name.to_owned())
}

fn http_methods(entry: &Entry<'_>) -> Result<Vec<String>, ManifestError> {
    if entry.value().is_none() {
        return Ok(vec!["POST".to_owned()]);
    }
    let mut verbs = Vec::new();
    for entry in entry.items()? {
        let verb = entry.text()?;
        if verb.is_empty() || !verb.chars().all(|c| c.is_ascii_uppercase()) {
            return Err(entry.wrong("an HTTP verb in capitals"));
        }
        if !matches!(verb, "GET" | "POST" | "PUT" | "PATCH" | "DELETE") {
            return Err(entry.newer("GET, POST, PUT, PATCH, DELETE"));
        }
        if !verbs.iter().any(|known| known == verb) {
            verbs.push(verb.to_owned());
        }
    }
    if verbs.is_empty() {
        return Err(entry.wrong("at least one HTTP verb"));
    }
    Ok(verbs)
}

/// A JSON Schema is an object, or `true` and `false` (draft 2020-12, section 4.3).
fn schema(entry: &Entry<'_>, budget: &mut Budget) -> Result<Option<Schema>, ManifestError> {
    match entry.value() {
        None => Ok(None),
        Some(schema @ (Tree::Object(_) | Tree::Bool(_))) => {
            let schema = Schema::new(schema.to_value(), budget);
            schema
                .map(Some)
                .map_err(|fault| entry.inside(&fault.at, &fault.expected, &fault.found))
        }
        Some(_) => Err(entry.wrong("a JSON Schema")),
    }
}

fn version(entry: &Entry<'_>) -> Result<Version, ManifestError> {
    plain_version(entry.text()?).ok_or_else(|| entry.wrong("a version such as 1.0.0"))
}

/// Texts quote versions whole.
fn plain_version(text: &str) -> Option<Version> {
    (text.len() <= 255).then(|| Version::parse(text).ok()).flatten()
}

fn is_driver_name(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= 255
        && name.starts_with(letter)
        && name.chars().all(|c| letter(c) || matches!(c, '_' | '.' | '-'))
}

fn newer(at: &str, found: String, known: String) -> ManifestError {
    ManifestError::NeedsNewerHost {
        at: at.to_owned(),
        found,
        known,
    }
}

#[cfg(test)]
mod tests;
