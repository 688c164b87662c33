//! Event subscriptions: whom the BMC tells of what happens.

use driver_sdk::prelude::*;
use hyper::Uri;

use super::Server;
use crate::client::{Resource, location};
use crate::path::ServicePath;

/// The arguments of `create_subscription`, in Redfish's words.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct Create {
    /// Where events are sent.
    destination: String,
    #[serde(default = "redfish")]
    protocol: String,
    #[serde(default)]
    context: String,
    event_types: Option<Vec<String>>,
    http_headers: Option<Vec<Value>>,
}

/// The arguments of `get_subscription` and `delete_subscription`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct One {
    /// Its name on the BMC.
    id: String,
}

fn redfish() -> String {
    "Redfish".to_owned()
}

/// What Ironic shows of a subscription.
const SHOWN: [&str; 5] = ["Id", "Context", "Protocol", "Destination", "EventTypes"];

impl Create {
    /// Checks what its type does not.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        let url: Option<Uri> = self.destination.parse().ok();
        let whole =
            url.is_some_and(|url| url.scheme().is_some() && url.host().is_some_and(|h| !h.is_empty()));
        if whole {
            return Ok(());
        }
        let found = crate::text::excerpt(&self.destination, 100);
        Err(Fault::invalid_parameter(format!(
            "argument 'Destination' of method 'create_subscription': expected an absolute URI, found '{found}'"
        )))
    }

    fn body(&self) -> Value {
        let alert = || vec!["Alert".to_owned()];
        let mut body = json!({
            "Destination": self.destination,
            "Protocol": self.protocol,
            "Context": self.context,
            "EventTypes": self.event_types.clone().unwrap_or_else(alert),
        });
        if let Some(headers) = self.http_headers.as_ref().filter(|headers| !headers.is_empty()) {
            body["HttpHeaders"] = headers.clone().into();
        }
        body
    }
}

impl One {
    /// Ironic's check.
    pub(crate) fn check(&self, method: &str) -> Result<(), Fault> {
        if self.id.is_empty() {
            return Err(Fault::missing_parameter(format!(
                "Parameter 'id' not passed to method '{method}'."
            )));
        }
        Ok(())
    }
}

/// Subscribes, and answers what the BMC has made of it.
pub(crate) async fn create(server: &Server<'_>, args: &Create) -> Result<Value, Fault> {
    let client = &server.client;
    let service = event_service(server).await?;
    if let (Some(wanted), Some(allowed)) = (&args.event_types, service.json.get("EventTypesForSubscription"))
    {
        let allowed: Vec<&str> = allowed
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        if let Some(unknown) = wanted.iter().find(|kind| !allowed.contains(&kind.as_str())) {
            return Err(Fault::invalid_parameter(format!(
                "argument 'EventTypes' of method 'create_subscription': '{}' is none of those that the BMC has: {}",
                crate::text::excerpt(unknown, 100),
                allowed.join(", ")
            )));
        }
    }
    let collection = client.path(subscriptions(server, &service)?)?;
    let answer = client.post(&collection, &args.body()).await?;
    // 201 with a body, or 204 with nothing but the place: what counts is what is there now.
    let Some(place) = location(&answer) else {
        return Err(Fault::unavailable(format!(
            "{}: it answered {} and does not say where the subscription is",
            client.endpoint(),
            answer.status()
        )));
    };
    Ok(shown(&client.follow(&place).await?))
}

/// All subscriptions: the collection as it is.
pub(crate) async fn all(server: &Server<'_>) -> Result<Value, Fault> {
    let service = event_service(server).await?;
    let collection = subscriptions(server, &service)?;
    Ok(server.client.follow(collection).await?.json)
}

/// One subscription.
pub(crate) async fn get(server: &Server<'_>, args: &One) -> Result<Value, Fault> {
    let path = find(server, args).await?;
    Ok(shown(&server.client.get(&path).await?))
}

/// Ends a subscription.
pub(crate) async fn delete(server: &Server<'_>, args: &One) -> Result<(), Fault> {
    let path = find(server, args).await?;
    server.client.delete(&path).await.map(drop)
}

async fn find(server: &Server<'_>, args: &One) -> Result<ServicePath, Fault> {
    let service = event_service(server).await?;
    let members = server.client.members(subscriptions(server, &service)?).await?;
    let found = members
        .into_iter()
        .find(|member| member.last_segment() == args.id);
    found.ok_or_else(|| {
        let id = crate::text::excerpt(&args.id, 100);
        Fault::not_found(format!(
            "{}: there is no subscription '{id}'",
            server.client.endpoint()
        ))
    })
}

async fn event_service(server: &Server<'_>) -> Result<Resource, Fault> {
    let root = server.client.root().await?;
    match root.link("EventService") {
        Some(link) => server.client.follow(link).await,
        None => Err(no_events(server)),
    }
}

fn subscriptions<'a>(server: &Server<'_>, service: &'a Resource) -> Result<&'a str, Fault> {
    service.link("Subscriptions").ok_or_else(|| no_events(server))
}

fn no_events(server: &Server<'_>) -> Fault {
    Fault::unsupported(format!(
        "{}: the BMC has no event subscriptions",
        server.client.endpoint()
    ))
}

fn shown(subscription: &Resource) -> Value {
    let fields = SHOWN
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), subscription.json.get(*name)?.clone())));
    Value::Object(fields.collect())
}
