//! Any request to the device, under its service root.

use driver_sdk::prelude::*;
use hyper::Method;
use hyper::header::{self, HeaderValue};

use crate::client::Client;
use crate::device::Request;
use crate::properties::NodeInfo;

/// The arguments of `request`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Any {
    /// Under the service root, from the first slash on.
    path: String,
    /// The verb, for clients that send arguments with POST only.
    method: Option<Verb>,
    /// What is sent.
    body: Option<Value>,
    /// What the resource must not have changed from.
    etag: Option<String>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "UPPERCASE")]
enum Verb {
    Get,
    Post,
    Patch,
    Delete,
}

impl Any {
    /// Checks what its type does not, with the path that the node's service root allows.
    pub(crate) fn check(&self, call: &Call<'_>, node: &Node<'_>) -> Result<(), Fault> {
        self.request(call, &NodeInfo::of(node)?).map(drop)
    }

    fn request(&self, call: &Call<'_>, node: &NodeInfo) -> Result<Request, Fault> {
        let refused = |argument: &str, reason: &dyn std::fmt::Display| {
            Fault::invalid_parameter(format!("argument '{argument}' of method 'request': {reason}"))
        };
        let path = node.target.endpoint.root().path(&self.path);
        let path = path.map_err(|error| refused("path", &error))?;
        let verb = self.verb(call).ok_or_else(|| {
            refused(
                "method",
                &format_args!("it differs from the request's own, {}", call.http_method()),
            )
        })?;
        let mut request = match (&self.body, verb) {
            (Some(_), Verb::Get) => return Err(refused("body", &"a GET takes none")),
            (Some(body), _) => Request::with_body(verb.method(), &path, body),
            (None, Verb::Patch) => return Err(refused("body", &"a PATCH needs one")),
            // An action without parameters takes an empty object.
            (None, Verb::Post) => Request::with_body(Method::POST, &path, &json!({})),
            (None, _) => Request {
                method: verb.method(),
                ..Request::get(&path)
            },
        };
        if let Some(etag) = &self.etag {
            let value = HeaderValue::from_str(etag)
                .map_err(|_| refused("etag", &"it has a character that cannot be sent"))?;
            request.headers.push((header::IF_MATCH, value));
        }
        Ok(request)
    }

    /// The argument's, else that of the client's own request.
    fn verb(&self, call: &Call<'_>) -> Option<Verb> {
        let own = match call.http_method() {
            "GET" => Verb::Get,
            "PATCH" => Verb::Patch,
            "DELETE" => Verb::Delete,
            _ => Verb::Post,
        };
        match self.method {
            Some(named) if own != Verb::Post && named != own => None,
            named => Some(named.unwrap_or(own)),
        }
    }
}

impl Verb {
    fn method(self) -> Method {
        match self {
            Verb::Get => Method::GET,
            Verb::Post => Method::POST,
            Verb::Patch => Method::PATCH,
            Verb::Delete => Method::DELETE,
        }
    }
}

/// Sends it, and answers status, headers that matter, and body.
pub(crate) async fn send(client: &Client<'_>, node: &NodeInfo, args: &Any) -> Result<Value, Fault> {
    let request = args.request(client.call(), node)?;
    let answer = match (&args.body, &request.method) {
        // Without an ETag of the caller's, that of the resource as it is now.
        (Some(change), &Method::PATCH) if args.etag.is_none() => client.patch(&request.path, change).await?,
        _ => client.act(request.clone()).await?,
    };
    let header = |name| {
        answer
            .headers()
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
    };
    Ok(json!({
        "status": answer.status().as_u16(),
        "headers": {"location": header(header::LOCATION), "etag": header(header::ETAG)},
        "body": client.json(&request, &answer)?,
    }))
}
