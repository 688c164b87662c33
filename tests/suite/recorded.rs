//! What a real Ironic answered, asked again here: status, the headers that matter, the words of errors, and the shape
//! of bodies. Where we answer otherwise on purpose, the table of differences says so.

use serde_json::Value;
use suite::{HostProcess, Reply, repository_root};

/// Answers that differ on purpose: area, exchange, our status, a part of our text.
const DIFFERENCES: &[(&str, &str, u16, &str)] = &[
    // The documented form of a call of a driver's method works.
    ("driver_passthru", "query-form", 200, ""),
    ("driver_passthru", "query-form-slash", 200, ""),
    ("driver_passthru", "query-form-nobody", 200, ""),
    // A path too long is a path that is not there.
    ("driver_passthru", "path-post-extra", 404, ""),
    ("node_passthru", "path-post-extra", 404, ""),
    // Bad JSON is the client's mistake.
    ("driver_passthru", "path-badjson", 400, "line 1 column 2"),
    ("node_passthru", "badjson", 400, "line 1 column 2"),
    ("nodes", "create-badjson", 400, "line 1 column 2"),
    // Any JSON value that the method accepts is passed on.
    ("driver_passthru", "path-jsonlist", 200, ""),
    ("driver_passthru", "path-jsonstr", 200, ""),
    ("driver_passthru", "path-jsonnum", 200, ""),
    ("node_passthru", "jsonlist", 200, ""),
    ("node_passthru", "jsonstr", 200, ""),
    // Bodies are opaque: no key is special.
    ("driver_passthru", "path-body-http_method", 200, ""),
    ("driver_passthru", "path-body-method", 200, ""),
    ("driver_passthru", "path-body-self", 200, ""),
    ("driver_passthru", "path-body-context", 200, ""),
    ("node_passthru", "body-task", 200, ""),
    ("node_passthru", "body-method", 200, ""),
    ("node_passthru", "body-method-shared", 200, ""),
    ("node_passthru", "body-http_method", 200, ""),
    // Arguments that the method does not have are the client's mistake.
    ("node_passthru", "fake-extra", 400, "zz"),
    // POST is not among what a node takes.
    ("node_patch", "put-node", 405, ""),
    // A field that no node has is the client's mistake.
    ("nodes", "list-fields-bad", 400, "bogus"),
    // No such path, as everywhere.
    ("drivers", "sub-unknown", 404, ""),
];

/// Texts of which only the beginning is Ironic's: the rest is Python's, or a list that differs.
const OTHER_WORDS: &[&str] = &[
    "Schema error",
    "Couldn't apply patch",
    "Cannot patch /",
    "Invalid value for X-OpenStack-Ironic-API-Version header",
    "The server could not comply with the request",
    "The word \"validate\" is reserved",
    "Request not acceptable.",
];

fn replay(area: &str) {
    let path = repository_root()
        .join("tests/data/ironic")
        .join(format!("{area}.json"));
    let recorded: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let host = HostProcess::with_fake();
    if area.ends_with("passthru") {
        host.create_node("c1");
        host.create_node("c2");
    }
    if area == "node_patch" || area == "standard_calls" {
        let node = serde_json::json!({"driver": "fake", "name": "withuuid", "uuid": "11111111-2222-3333-4444-555555555555"});
        host.post("/v1/nodes", node).expect(201);
        host.create_node("pw");
    }
    let mut wrong = Vec::new();
    let exchanges = recorded["exchanges"].as_array().unwrap();
    assert!(exchanges.len() > 10, "{area} has {} exchanges", exchanges.len());
    for exchange in exchanges {
        let name = exchange["name"].as_str().unwrap();
        let reply = ask(&host, &exchange["request"]);
        let difference = DIFFERENCES.iter().find(|(a, n, ..)| *a == area && *n == name);
        let verdict = match difference {
            Some((.., status, text)) => differs_as_intended(&reply, *status, text),
            None => same(&exchange["reply"], &reply),
        };
        if let Err(why) = verdict {
            wrong.push(format!(
                "{area}/{name}: {why}\n    request {}",
                exchange["request"]
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} differ:\n{}",
        wrong.len(),
        exchanges.len(),
        wrong.join("\n")
    );
}

fn ask(host: &HostProcess, request: &Value) -> Reply {
    let verb = request["verb"].as_str().unwrap();
    let target = request["target"].as_str().unwrap();
    let mut asked = host.request(verb, target).without_version();
    for (name, value) in request["headers"].as_object().unwrap() {
        asked = asked.header(name, value.as_str().unwrap());
    }
    if let Some(body) = request["body"].as_str() {
        asked = asked
            .header("Content-Type", "application/json")
            .body(body.to_owned());
    }
    asked.send()
}

fn differs_as_intended(reply: &Reply, status: u16, text: &str) -> Result<(), String> {
    if reply.status != status {
        return Err(format!(
            "{} instead of our {status}: {}",
            reply.status,
            reply.text()
        ));
    }
    if status >= 400 && !reply.fault().text.contains(text) {
        return Err(format!("{:?} lacks {text:?}", reply.fault().text));
    }
    Ok(())
}

fn same(recorded: &Value, reply: &Reply) -> Result<(), String> {
    if recorded["status"] != reply.status {
        return Err(format!(
            "{} instead of {}: {}",
            reply.status,
            recorded["status"],
            reply.text()
        ));
    }
    if let Some(allow) = recorded["allow"].as_str()
        && reply.header("Allow") != Some(allow)
    {
        return Err(format!("Allow: {:?} instead of {allow:?}", reply.header("Allow")));
    }
    if recorded["location"] == true && reply.header("Location").is_none() {
        return Err("no Location".into());
    }
    if let Some(version) = recorded["version"].as_str()
        && reply.header("X-OpenStack-Ironic-API-Version") != Some(version)
    {
        return Err(format!(
            "version {:?} instead of {version}",
            reply.header("X-OpenStack-Ironic-API-Version")
        ));
    }
    if reply.status >= 400 {
        return same_words(&recorded["fault"], reply);
    }
    match recorded.get("body") {
        Some(body) => same_shape(body, &reply.json(), "body"),
        None if reply.body.is_empty() => Ok(()),
        None => Err(format!("a body: {}", reply.text())),
    }
}

fn same_words(recorded: &Value, reply: &Reply) -> Result<(), String> {
    let fault = reply.fault();
    let Some(text) = recorded["text"].as_str() else {
        return Ok(());
    };
    let ours = OTHER_WORDS.iter().any(|words| text.starts_with(words));
    match recorded["code"] == fault.code.as_str() && (ours || text == fault.text) {
        true => Ok(()),
        false => Err(format!("{fault:?} instead of {recorded}")),
    }
}

/// The same keys everywhere, and values of one kind; null fits anything, because we lack what is behind it.
fn same_shape(recorded: &Value, ours: &Value, at: &str) -> Result<(), String> {
    match (recorded, ours) {
        (Value::Null, _) | (_, Value::Null) => Ok(()),
        (Value::Object(theirs), Value::Object(ours)) => {
            // what a driver declares is its own: we have more methods, and other properties
            let own = ours
                .values()
                .all(|value| value.get("http_methods").is_some() || value.is_string());
            let missing: Vec<_> = theirs
                .keys()
                .filter(|key| !own && !ours.contains_key(*key) && *key != "next")
                .collect();
            let more: Vec<_> = ours
                .keys()
                .filter(|key| !own && !theirs.contains_key(*key))
                .collect();
            if !missing.is_empty() || !more.is_empty() {
                return Err(format!("{at}: lacks {missing:?}, has {more:?} more"));
            }
            let both = theirs
                .iter()
                .filter_map(|(key, value)| ours.get(key).map(|ours| (key, value, ours)));
            both.into_iter()
                .try_for_each(|(key, value, ours)| same_shape(value, ours, &format!("{at}.{key}")))
        }
        (Value::Array(theirs), Value::Array(ours)) => match (theirs.first(), ours.first()) {
            (Some(theirs), Some(ours)) => same_shape(theirs, ours, &format!("{at}[0]")),
            _ => Ok(()),
        },
        (Value::String(_), Value::String(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::Bool(_), Value::Bool(_)) => Ok(()),
        _ => Err(format!("{at}: {ours} instead of {recorded}")),
    }
}

#[test]
fn version_negotiation_is_answered_as_ironic_does() {
    replay("versions");
}

#[test]
fn questions_about_drivers_are_answered_as_ironic_does() {
    replay("drivers");
}

#[test]
fn calls_of_driver_methods_are_answered_as_ironic_does() {
    replay("driver_passthru");
}

#[test]
fn creating_and_listing_nodes_is_answered_as_ironic_does() {
    replay("nodes");
}

#[test]
fn patching_nodes_is_answered_as_ironic_does() {
    replay("node_patch");
}

#[test]
fn changes_of_power_and_boot_device_are_answered_as_ironic_does() {
    replay("standard_calls");
}

#[test]
fn calls_of_node_methods_are_answered_as_ironic_does() {
    replay("node_passthru");
}
