//! One request and its answers.

use serde_json::{Map, Value, json};

use crate::http::error::documented::{ALWAYS, Documented, WITH_BODY};

/// The paths of the document, in their order.
#[derive(Default)]
pub(super) struct Paths(Map<String, Value>);

impl Paths {
    /// Adds what a path does with a verb. The path's variables become its parameters.
    pub(super) fn add(&mut self, verb: &str, path: &str, operation: Operation) {
        let entry = self.0.entry(path).or_insert_with(|| {
            let names = path
                .split('/')
                .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
            let mut parameters: Vec<Value> = names
                .map(|name| json!({"$ref": format!("#/components/parameters/{name}")}))
                .collect();
            parameters.push(json!({"$ref": "#/components/parameters/Version"}));
            json!({"parameters": parameters})
        });
        if let Value::Object(members) = entry {
            members.insert(verb.to_ascii_lowercase(), Value::Object(operation.0));
        }
    }

    pub(super) fn into_value(self) -> Value {
        Value::Object(self.0)
    }
}

/// What is said of one request.
pub(super) struct Operation(Map<String, Value>);

impl Operation {
    /// `id` is unique in the document.
    pub(super) fn new(id: &str, tag: &str, summary: &str) -> Self {
        let mut members = Map::new();
        members.insert("operationId".to_owned(), id.into());
        members.insert("tags".to_owned(), json!([tag]));
        members.insert("summary".to_owned(), summary.into());
        members.insert("responses".to_owned(), json!({}));
        Operation(members).refuses(&ALWAYS)
    }

    pub(super) fn description(mut self, text: &str) -> Self {
        if !text.is_empty() {
            self.0.insert("description".to_owned(), text.into());
        }
        self
    }

    /// An argument behind the question mark.
    pub(super) fn query(mut self, name: &str, schema: Value, description: &str) -> Self {
        let parameter = json!({"name": name, "in": "query", "description": description, "schema": schema});
        match self.0.get_mut("parameters") {
            Some(Value::Array(parameters)) => parameters.push(parameter),
            _ => {
                self.0.insert("parameters".to_owned(), json!([parameter]));
            }
        }
        self
    }

    pub(super) fn required_query(self, name: &str, schema: Value, description: &str) -> Self {
        let mut whole = self.query(name, schema, description);
        if let Some(Value::Array(parameters)) = whole.0.get_mut("parameters")
            && let Some(last) = parameters.last_mut()
        {
            last["required"] = true.into();
        }
        whole
    }

    pub(super) fn body(mut self, schema: Value, required: bool) -> Self {
        let body = json!({"required": required, "content": {"application/json": {"schema": schema}}});
        self.0.insert("requestBody".to_owned(), body);
        self.refuses(&WITH_BODY)
    }

    /// An answer with JSON.
    pub(super) fn answers(self, status: u16, description: &str, schema: Value) -> Self {
        self.answers_with(status, description, "application/json", schema, &[])
    }

    /// An answer with a body of some media type, and headers of its own.
    pub(super) fn answers_with(
        self,
        status: u16,
        description: &str,
        media_type: &str,
        schema: Value,
        headers: &[(&str, &str)],
    ) -> Self {
        let content = json!({media_type: {"schema": schema}});
        let reply = json!({"description": description, "headers": with(headers), "content": content});
        self.reply(status, reply)
    }

    /// An answer without a body.
    pub(super) fn answers_nothing(self, status: u16, description: &str, headers: &[(&str, &str)]) -> Self {
        self.reply(
            status,
            json!({"description": description, "headers": with(headers)}),
        )
    }

    pub(super) fn refuses(mut self, refusals: &[Documented]) -> Self {
        for (status, _) in refusals {
            let reply = json!({"$ref": format!("#/components/responses/{}", refusal(*status))});
            self = self.reply(*status, reply);
        }
        self
    }

    fn reply(mut self, status: u16, reply: Value) -> Self {
        self.0["responses"][status.to_string()] = reply;
        self
    }
}

/// What a reply with this error status is called.
pub(super) fn refusal(status: u16) -> String {
    format!("Refused{status}")
}

/// The headers of every reply.
pub(super) fn common_headers() -> Map<String, Value> {
    let headers = [
        ("X-OpenStack-Request-Id", "RequestId"),
        ("OpenStack-Request-Id", "RequestId"),
        ("X-OpenStack-Ironic-API-Version", "Version"),
        ("X-OpenStack-Ironic-API-Minimum-Version", "MinimumVersion"),
        ("X-OpenStack-Ironic-API-Maximum-Version", "MaximumVersion"),
    ];
    named(&headers).collect()
}

fn with(headers: &[(&str, &str)]) -> Map<String, Value> {
    let mut all = common_headers();
    all.extend(named(headers));
    all
}

/// Headers, each with the name of its description.
fn named<'a>(headers: &'a [(&'a str, &'a str)]) -> impl Iterator<Item = (String, Value)> + 'a {
    let reference = |name: &str| json!({"$ref": format!("#/components/headers/{name}")});
    headers
        .iter()
        .map(move |(header, name)| ((*header).to_owned(), reference(name)))
}

/// A reference to a schema of the document.
pub(super) fn schema(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

pub(super) fn text() -> Value {
    json!({"type": "string"})
}
