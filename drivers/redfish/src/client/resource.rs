//! Resources: read, changed, acted on. Where one is, only another one says.

use std::sync::Arc;

use bytes::Bytes;
use driver_sdk::{Fault, Value};
use hyper::header::{self, HeaderValue};
use hyper::{Method, StatusCode};

use super::{Client, json_of};
use crate::connection::Answer;
use crate::device::Request;
use crate::path::ServicePath;

/// How often a change is tried again that somebody else's change has overtaken.
const OVERTAKEN: u32 = 3;
/// The most pages of a collection; more means that they lead round in a circle.
const PAGES: usize = 100;

/// A resource, as it was read.
pub(crate) struct Resource {
    pub(crate) path: ServicePath,
    pub(crate) json: Value,
    etag: Option<HeaderValue>,
}

impl Resource {
    /// What a property links to.
    pub(crate) fn link(&self, property: &str) -> Option<&str> {
        link(self.json.get(property)?)
    }

    /// What a property of `Links` links to: one place or several.
    pub(crate) fn links(&self, property: &str) -> Vec<&str> {
        match self.json.get("Links").and_then(|links| links.get(property)) {
            Some(Value::Array(places)) => places.iter().filter_map(link).collect(),
            Some(place) => link(place).into_iter().collect(),
            None => Vec::new(),
        }
    }

    /// An action, such as `#ComputerSystem.Reset`.
    pub(crate) fn action(&self, name: &str) -> Option<&Value> {
        self.json.get("Actions")?.get(name)
    }

    /// A property that is text.
    pub(crate) fn text(&self, property: &str) -> Option<&str> {
        self.json.get(property)?.as_str()
    }
}

fn link(value: &Value) -> Option<&str> {
    value.get("@odata.id")?.as_str()
}

impl Client<'_> {
    /// Reads a resource.
    pub(crate) async fn get(&self, path: &ServicePath) -> Result<Resource, Fault> {
        let request = Request::get(path);
        let answer = self.send(request.clone()).await?;
        let answer = self.success(&request, answer)?;
        let json = json_of(&answer).map_err(|reason| self.garbled(&request, &reason))?;
        if !json.is_object() {
            return Err(self.garbled(&request, "a resource is a JSON object"));
        }
        let etag = answer.headers().get(header::ETAG).cloned();
        let written = || HeaderValue::from_str(json.get("@odata.etag")?.as_str()?).ok();
        Ok(Resource {
            etag: etag.or_else(written),
            path: path.clone(),
            json,
        })
    }

    /// Reads what a device has named.
    pub(crate) async fn follow(&self, named: &str) -> Result<Resource, Fault> {
        self.get(&self.path(named)?).await
    }

    /// The service root. It is read once per device.
    pub(crate) async fn root(&self) -> Result<Resource, Fault> {
        let path = self.device.target().endpoint.root().top();
        if let Some(root) = self.device.root() {
            return Ok(Resource {
                path,
                json: Value::clone(&root),
                etag: None,
            });
        }
        let root = self.get(&path).await?;
        self.device.remember_root(&Arc::new(root.json.clone()));
        Ok(root)
    }

    /// The members of a collection, through all its pages.
    pub(crate) async fn members(&self, collection: &str) -> Result<Vec<ServicePath>, Fault> {
        let mut members = Vec::new();
        let mut page = self.follow(collection).await?;
        for _ in 0..PAGES {
            let listed = page.json.get("Members").and_then(Value::as_array);
            for member in listed.into_iter().flatten().filter_map(link) {
                members.push(self.path(member)?);
            }
            let Some(next) = page.text("Members@odata.nextLink") else {
                return Ok(members);
            };
            page = self.follow(next).await?;
        }
        Err(self.garbled(&Request::get(&page.path), "a collection that never ends"))
    }

    /// Changes a resource. Somebody else's change in between is not overwritten blindly: the resource is read again, where the device
    /// keeps count of changes (ETags).
    pub(crate) async fn patch(&self, path: &ServicePath, change: &Value) -> Result<Answer, Fault> {
        let mut overtaken = 0;
        loop {
            let etag = self.get(path).await?.etag;
            let answer = self.patch_once(path, change, etag).await?;
            if answer.status() != StatusCode::PRECONDITION_FAILED || overtaken >= OVERTAKEN {
                let request = Request::with_body(Method::PATCH, path, change);
                return self.done(&request, answer).await;
            }
            overtaken += 1;
        }
    }

    async fn patch_once(
        &self,
        path: &ServicePath,
        change: &Value,
        etag: Option<HeaderValue>,
    ) -> Result<Answer, Fault> {
        let mut request = Request::with_body(Method::PATCH, path, change);
        request.headers.extend(etag.map(|etag| (header::IF_MATCH, etag)));
        self.send(request).await
    }

    /// Posts to a resource, a collection or an action, and waits for the end of what that begins.
    pub(crate) async fn post(&self, path: &ServicePath, body: &Value) -> Result<Answer, Fault> {
        self.act(Request::with_body(Method::POST, path, body)).await
    }

    /// Carries out an action of a resource, where the action says.
    pub(crate) async fn act_on(&self, action: &Value, body: &Value) -> Result<Answer, Fault> {
        let target = action.get("target").and_then(Value::as_str);
        let target = target
            .ok_or_else(|| Fault::unavailable(format!("{}: an action without a target", self.endpoint())))?;
        self.post(&self.path(target)?, body).await
    }

    /// Deletes a resource.
    pub(crate) async fn delete(&self, path: &ServicePath) -> Result<Answer, Fault> {
        let mut request = Request::get(path);
        request.method = Method::DELETE;
        self.act(request).await
    }

    /// Sends any request, and waits for the end of what it begins.
    pub(crate) async fn act(&self, request: Request) -> Result<Answer, Fault> {
        let answer = self.send(request.clone()).await?;
        self.done(&request, answer).await
    }

    /// Whether the body of an answer is empty or JSON: an answer to a change may be either.
    pub(crate) fn json(&self, request: &Request, answer: &Answer) -> Result<Value, Fault> {
        json_of(answer).map_err(|reason| self.garbled(request, &reason))
    }
}

/// Where the device has put what a POST created.
pub(crate) fn location(answer: &Answer) -> Option<String> {
    let header = answer.headers().get(header::LOCATION);
    if let Some(location) = header.and_then(|location| location.to_str().ok()) {
        return Some(location.to_owned());
    }
    let body: &Bytes = answer.body();
    let body: Value = driver_sdk::serde_json::from_slice(body).ok()?;
    link(&body).map(str::to_owned)
}
