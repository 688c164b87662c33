//! What the API says about drivers.

use serde_json::{Value, json};
use suite::{FAKE, HELLO, HostProcess};

fn names(list: &Value) -> Vec<&str> {
    let drivers = list["drivers"].as_array().expect("a list of drivers");
    drivers
        .iter()
        .map(|driver| driver["name"].as_str().expect("a name"))
        .collect()
}

fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect()
}

#[test]
fn the_list_has_the_enabled_drivers_only_sorted_by_name() {
    let host = HostProcess::builder().driver(HELLO).driver(FAKE).start();
    assert_eq!(
        names(&host.get("/v1/drivers").expect(200).json()),
        ["fake", "hello"]
    );
    assert_eq!(
        names(&host.get("/v1/drivers/").expect(200).json()),
        ["fake", "hello"]
    );
    let host = HostProcess::builder().available(HELLO).driver(FAKE).start();
    assert_eq!(names(&host.get("/v1/drivers").expect(200).json()), ["fake"]);
    host.get("/v1/drivers/hello").refused(
        404,
        "Could not find the following driver(s) or hardware type(s): hello.",
    );
}

#[test]
fn a_driver_in_the_list_grows_with_the_version() {
    let host = HostProcess::with_fake();
    let first = |version: &str| {
        let list = host
            .request("GET", "/v1/drivers")
            .version(version)
            .send()
            .expect(200)
            .json();
        list["drivers"][0].clone()
    };
    let oldest = first("1.1");
    assert_eq!(keys(&oldest), ["name", "hosts", "links"]);
    assert_eq!(oldest["hosts"], json!(["suite-host"]));
    let rels: Vec<_> = oldest["links"]
        .as_array()
        .unwrap()
        .iter()
        .map(|link| link["rel"].clone())
        .collect();
    assert_eq!(rels, ["self", "bookmark"]);
    assert_eq!(keys(&first("1.14")), ["name", "hosts", "links", "properties"]);
    assert_eq!(keys(&first("1.29")), ["name", "hosts", "links", "properties"]);
    let newest = first("1.30");
    assert_eq!(keys(&newest), ["name", "hosts", "links", "properties", "type"]);
    assert_eq!(newest["type"], "dynamic");
}

#[test]
fn detail_type_and_fields_have_the_versions_that_introduced_them() {
    let host = HostProcess::with_fake();
    let list = |query: &str, version: &str| {
        host.request("GET", &format!("/v1/drivers{query}"))
            .version(version)
            .send()
    };
    for query in ["?detail=True", "?type=dynamic", "?type=classic"] {
        list(query, "1.29").refused(
            406,
            "Request not acceptable. The minimal required API version should be 1.30",
        );
        list(query, "1.30").expect(200);
    }
    list("?fields=name", "1.76").refused(406, "Request not acceptable.");
    assert_eq!(names(&list("?type=dynamic", "1.30").json()), ["fake"]);
    assert!(names(&list("?type=classic", "1.30").json()).is_empty());
    let fields = list("?fields=name,type", "1.77").expect(200).json();
    assert_eq!(keys(&fields["drivers"][0]), ["name", "links", "type"]);
    let detail = list("/?detail=True", "1.77").expect(200).json();
    assert!(keys(&detail["drivers"][0]).contains(&"default_vendor_interface"));
    let brief = list("?detail=false", "1.77").expect(200).json();
    assert!(!keys(&brief["drivers"][0]).contains(&"default_vendor_interface"));
}

#[test]
fn bad_questions_about_drivers_are_told_what_is_wrong() {
    let host = HostProcess::with_fake();
    for (target, status, text) in [
        ("/v1/drivers?foo=bar", 400, "Unexpected arguments: foo"),
        ("/v1/drivers?foo=bar&baz=1", 400, "Unexpected arguments: foo, baz"),
        (
            "/v1/drivers?type=foo",
            400,
            "\"type\" filter must be one of \"classic\" or \"dynamic\", if specified.",
        ),
        (
            "/v1/drivers?detail=maybe",
            400,
            "Invalid detail: Unrecognized value 'maybe'",
        ),
        (
            "/v1/drivers?detail=true&fields=name",
            400,
            "Can not specify ?detail=True and fields in the same request.",
        ),
        ("/v1/drivers?fields=name,bogus", 400, "bogus"),
        (
            "/v1/drivers/fake?detail=true",
            400,
            "Unexpected arguments: detail",
        ),
        (
            "/v1/drivers/nope",
            404,
            "Could not find the following driver(s) or hardware type(s): nope.",
        ),
        (
            "/v1/drivers/nope/properties",
            404,
            "The driver 'nope' is unknown.",
        ),
        (
            "/v1/drivers/nope/vendor_passthru/methods",
            404,
            "The driver 'nope' is unknown.",
        ),
        (
            "/v1/drivers/Fake",
            404,
            "Could not find the following driver(s) or hardware type(s): Fake.",
        ),
        ("/v1/drivers/nope/manifest", 404, "nope"),
    ] {
        host.get(target).refused(status, text);
    }
}

#[test]
fn a_path_whose_escapes_are_not_utf_8_is_400_and_shown_as_it_came() {
    let host = HostProcess::with_fake();
    for target in [
        "/v1/drivers/%ff",
        "/v1/nodes/n%C3",
        "/%fe",
        "/v1/drivers/fake/vendor_passthru/%80",
    ] {
        let text = format!("The path {target} cannot be read: expected UTF-8 behind its escapes");
        host.get(target).refused(400, &text);
        host.post(target, json!({})).refused(400, &text);
    }
    host.get("/v1/drivers/%C3%A9").refused(
        404,
        "Could not find the following driver(s) or hardware type(s): é.",
    );
}

#[test]
fn interfaces_that_the_driver_lacks_are_null_and_those_that_it_has_are_its_own() {
    let host = HostProcess::with_fake();
    let driver = host.get("/v1/drivers/fake/").expect(200).json();
    assert_eq!(driver["name"], "fake");
    for interface in ["vendor", "power", "management"] {
        assert_eq!(driver[format!("default_{interface}_interface")], "fake");
        assert_eq!(driver[format!("enabled_{interface}_interfaces")], json!(["fake"]));
    }
    for interface in ["bios", "boot", "console", "deploy", "inspect", "raid", "rescue"] {
        assert_eq!(
            driver[format!("default_{interface}_interface")],
            Value::Null,
            "{interface}"
        );
        assert_eq!(
            driver[format!("enabled_{interface}_interfaces")],
            Value::Null,
            "{interface}"
        );
    }
    let fields = host.get("/v1/drivers/fake?fields=name,hosts").expect(200).json();
    assert_eq!(keys(&fields), ["name", "hosts", "links"]);
}

#[test]
fn other_verbs_on_drivers_are_405_with_the_verb_that_is_allowed() {
    let host = HostProcess::with_fake();
    for target in ["/v1/drivers", "/v1/drivers/fake", "/v1/drivers/fake/properties"] {
        for verb in ["POST", "PUT", "PATCH", "DELETE"] {
            let reply = host.request(verb, target).json(&json!({})).send();
            reply.refused(405, "");
            assert_eq!(reply.must_have("Allow"), "GET", "{verb} {target}");
        }
    }
}

#[test]
fn properties_are_described_in_ironics_form() {
    let host = HostProcess::builder().driver(FAKE).driver(HELLO).start();
    for driver in ["fake", "hello"] {
        let properties = host
            .get(&format!("/v1/drivers/{driver}/properties"))
            .expect(200)
            .json();
        for (name, description) in properties.as_object().expect("an object") {
            let text = description.as_str().expect("a description");
            let ends = text.contains(". Required.") || text.contains(". Optional.");
            assert!(ends, "{driver} {name}: {text}");
        }
    }
}

#[test]
fn the_manifest_is_shown_as_it_is_in_the_file() {
    let host = HostProcess::with_fake();
    let manifest = host.get("/v1/drivers/fake/manifest").expect(200).json();
    assert_eq!(manifest["name"], "fake");
    assert_eq!(manifest["manifest"], 1);
    assert_eq!(manifest["abi"], "1.0.0");
    let methods = manifest["methods"].as_array().expect("methods");
    assert!(
        methods.iter().any(|method| method["name"] == "third_method_sync"),
        "{manifest}"
    );
}
