//! Event subscriptions. The emulator has none: its EventService is the project's own.

use serde_json::{Value, json};
use suite::Sushy;

use super::{call, host_of};

const ALL: &str = "/redfish/v1/EventService/Subscriptions";

fn listener(number: u32) -> Value {
    json!({"Destination": format!("https://192.0.2.9/events/{number}")})
}

#[test]
fn subscriptions_are_made_shown_listed_and_ended() {
    let sushy = Sushy::with_extras();
    let host = host_of(&sushy);
    let made = call(&host, "POST", "create_subscription", listener(1))
        .expect(200)
        .json();
    let expected = json!({"Id": "1", "Context": "", "Protocol": "Redfish", "Destination": "https://192.0.2.9/events/1",
                          "EventTypes": ["Alert"]});
    assert_eq!(made, expected, "Ironic's fields and defaults");
    assert_eq!(
        sushy.get(&format!("{ALL}/1"))["Destination"],
        "https://192.0.2.9/events/1"
    );

    // A BMC that answers 204 with nothing but the place.
    sushy.rule(json!({"method": "POST", "path": "Subscriptions$", "do": "empty"}));
    let mut given = listener(2);
    given["Context"] = "rack 7".into();
    given["EventTypes"] = json!(["StatusChange"]);
    given["HttpHeaders"] = json!([{"X-Auth": "secret"}]);
    let made = call(&host, "POST", "create_subscription", given)
        .expect(200)
        .json();
    assert_eq!((&made["Id"], &made["Context"]), (&json!("2"), &json!("rack 7")));
    assert_eq!(
        sushy.get(&format!("{ALL}/2"))["HttpHeaders"],
        json!([{"X-Auth": "secret"}])
    );
    call(&host, "POST", "create_subscription", listener(3)).expect(200);

    let all = call(&host, "GET", "get_all_subscriptions", json!({}))
        .expect(200)
        .json();
    assert_eq!(all["Members@odata.count"], 3);
    // The third is on the collection's second page.
    let shown = call(&host, "GET", "get_subscription", json!({"id": "3"}))
        .expect(200)
        .json();
    assert_eq!(shown["Destination"], "https://192.0.2.9/events/3");
    let ended = call(&host, "DELETE", "delete_subscription", json!({"id": "1"})).expect(200);
    assert_eq!(ended.json(), Value::Null);
    assert_eq!(sushy.get(ALL)["Members@odata.count"], 2);
    for (verb, method) in [("DELETE", "delete_subscription"), ("GET", "get_subscription")] {
        call(&host, verb, method, json!({"id": "1"})).refused(404, "there is no subscription '1'");
        call(&host, verb, method, json!({"id": "../../Systems"})).refused(404, "there is no subscription");
        call(&host, verb, method, json!({"id": ""}))
            .refused(400, &format!("Parameter 'id' not passed to method '{method}'."));
        call(&host, verb, method, json!({}))
            .refused(400, &format!("Parameter 'id' not passed to method '{method}'."));
    }
}

#[test]
fn a_subscription_that_cannot_be_made_is_refused_with_what_is_wrong_with_it() {
    let sushy = Sushy::with_extras();
    let host = host_of(&sushy);
    let refused = |key: &str, value: Value, text: &str| {
        let mut given = listener(1);
        given[key] = value;
        call(&host, "POST", "create_subscription", given).refused(400, text);
    };
    refused(
        "Destination",
        json!("events"),
        "expected an absolute URI, found 'events'",
    );
    refused(
        "Context",
        json!(7),
        "argument 'Context' of method 'create_subscription'",
    );
    refused(
        "HttpHeaders",
        json!("X: y"),
        "argument 'HttpHeaders' of method 'create_subscription'",
    );
    refused(
        "EventTypes",
        json!(["Alert", "Tea"]),
        "'Tea' is none of those that the BMC has: Alert, StatusChange",
    );
    let text = "Parameter 'Destination' not passed to method 'create_subscription'.";
    call(&host, "POST", "create_subscription", json!({})).refused(400, text);
    assert_eq!(sushy.get(ALL)["Members@odata.count"], 0);
}

#[test]
fn subscriptions_are_read_beside_a_call_that_holds_the_node() {
    let sushy = Sushy::with_extras();
    let host = host_of(&sushy);
    sushy.rule(json!({"method": "POST", "path": "InsertMedia", "do": "hang"}));
    let insert = json!({"image_url": "http://127.0.0.1:1/boot.iso"});
    let held = call(&host, "POST", "insert_vmedia", insert).expect(202);
    call(&host, "GET", "get_all_subscriptions", json!({})).expect(200);
    let record = host.get(held.must_have("Location")).expect(200).json();
    assert_eq!(record["state"], "running", "{record}");
    assert_ne!(host.node_field("n1", "reservation"), Value::Null);
}

#[test]
fn a_device_without_event_subscriptions_says_so() {
    let sushy = Sushy::start();
    let host = host_of(&sushy);
    for (verb, method, arguments) in [
        ("GET", "get_all_subscriptions", json!({})),
        ("POST", "create_subscription", listener(1)),
    ] {
        call(&host, verb, method, arguments).refused(500, "the BMC has no event subscriptions");
    }
}
