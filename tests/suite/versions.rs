//! Which API versions are served, and how a client learns that.

use suite::{HostProcess, Reply};

const MINIMUM: &str = "X-OpenStack-Ironic-API-Minimum-Version";
const MAXIMUM: &str = "X-OpenStack-Ironic-API-Maximum-Version";
const VERSION: &str = "X-OpenStack-Ironic-API-Version";

fn drivers_with(host: &HostProcess, headers: &[(&str, &str)]) -> Reply {
    let request = host.request("GET", "/v1/drivers").without_version();
    headers
        .iter()
        .fold(request, |request, (name, value)| request.header(name, value))
        .send()
}

#[test]
fn every_reply_names_the_served_range_the_version_used_and_the_request() {
    let host = HostProcess::with_fake();
    for (target, status) in [
        ("/v1/drivers", 200),
        ("/v1/nodes", 200),
        ("/v1/drivers/nope", 404),
        ("/v1/nope", 404),
    ] {
        let reply = host.get(target).expect(status);
        assert_eq!(reply.must_have(MINIMUM), "1.1", "{target}");
        assert_eq!(reply.must_have(MAXIMUM), "1.77", "{target}");
        assert_eq!(reply.must_have(VERSION), "1.77", "{target}");
        let id = reply.must_have("x-openstack-request-id");
        assert_eq!(id, reply.must_have("openstack-request-id"), "{target}");
        let uuid = id
            .strip_prefix("req-")
            .unwrap_or_else(|| panic!("{target}: {id}"));
        assert_eq!(uuid.len(), 36, "{target}: {id}");
    }
    let (one, two) = (host.get("/v1/drivers"), host.get("/v1/drivers"));
    assert_ne!(
        one.must_have("openstack-request-id"),
        two.must_have("openstack-request-id")
    );
}

#[test]
fn the_version_asked_for_is_the_version_answered() {
    let host = HostProcess::with_fake();
    for (headers, answered) in [
        (&[][..], "1.1"),
        (&[(VERSION, "1.1")], "1.1"),
        (&[(VERSION, "1.30")], "1.30"),
        (&[(VERSION, "1.77")], "1.77"),
        (&[(VERSION, "latest")], "1.77"),
        (&[("OpenStack-API-Version", "baremetal 1.30")], "1.30"),
        (&[("OpenStack-API-Version", "baremetal latest")], "1.77"),
        (&[("OpenStack-API-Version", "compute 2.30")], "1.1"),
        (
            &[("OpenStack-API-Version", "baremetal 1.30"), (VERSION, "1.20")],
            "1.30",
        ),
    ] {
        let reply = drivers_with(&host, headers).expect(200);
        assert_eq!(reply.must_have(VERSION), answered, "{headers:?}");
    }
}

#[test]
fn a_version_that_is_not_served_is_406_with_the_range_in_headers_and_text() {
    let host = HostProcess::with_fake();
    for version in ["1.0", "1.78", "1.115", "1.999", "2.1"] {
        let reply = drivers_with(&host, &[(VERSION, version)]);
        let text = reply.refused(406, version);
        assert!(
            text.contains("The supported version range is: [1.1, 1.77]."),
            "{text}"
        );
        assert_eq!(
            (reply.must_have(MINIMUM), reply.must_have(MAXIMUM)),
            ("1.1", "1.77"),
            "{version}"
        );
    }
    for version in [
        "abc",
        "1",
        "1.",
        "1.x",
        "",
        "1.1.1",
        "-1.1",
        "1.99999999999999999999",
    ] {
        let reply = drivers_with(&host, &[(VERSION, version)]);
        reply.refused(406, "");
        assert_eq!(
            (reply.must_have(MINIMUM), reply.must_have(MAXIMUM)),
            ("1.1", "1.77"),
            "{version:?}"
        );
    }
}

#[test]
fn the_version_comes_before_the_route() {
    let host = HostProcess::with_fake();
    host.request("GET", "/v1/no/such/path")
        .version("1.999")
        .send()
        .refused(406, "1.999");
    host.request("GET", "/v1/no/such/path").send().refused(404, "");
}

#[test]
fn the_version_documents_say_what_a_client_negotiates_from() {
    let host = HostProcess::with_fake();
    for target in ["/", "/v1", "/v1/"] {
        for version in [None, Some("1.1"), Some("1.77"), Some("latest")] {
            let request = host.request("GET", target).without_version();
            let request = match version {
                Some(version) => request.header(VERSION, version),
                None => request,
            };
            let document = request.send().expect(200).json();
            let entry = if target == "/" {
                &document["versions"][0]
            } else {
                &document["version"]
            };
            assert_eq!(entry["id"], "v1", "{target} {version:?}");
            assert_eq!(entry["status"], "CURRENT", "{target} {version:?}");
            assert_eq!(entry["min_version"], "1.1", "{target} {version:?}");
            assert_eq!(entry["version"], "1.77", "{target} {version:?}");
            assert_eq!(entry["links"][0]["rel"], "self", "{target} {version:?}");
            assert_eq!(
                entry["links"][0]["href"],
                format!("{}/v1/", host.url()),
                "{target} {version:?}"
            );
        }
        host.request("GET", target)
            .version("1.999")
            .send()
            .refused(406, "[1.1, 1.77]");
    }
}

#[test]
fn links_follow_the_address_that_the_client_used_or_the_public_url() {
    let host = HostProcess::with_fake();
    let link = |host: &HostProcess| {
        let driver = host.get("/v1/drivers/fake").expect(200).json();
        driver["links"][0]["href"].as_str().expect("a link").to_owned()
    };
    assert_eq!(link(&host), format!("{}/v1/drivers/fake", host.url()));
    let host = HostProcess::builder()
        .driver(suite::FAKE)
        .set("public_url", "https://bare.example/metal")
        .start();
    assert_eq!(link(&host), "https://bare.example/metal/v1/drivers/fake");
}

#[test]
fn health_needs_no_version_and_says_that_the_host_is_alive_and_ready() {
    let host = HostProcess::with_fake();
    host.request("GET", "/healthz")
        .without_version()
        .send()
        .expect(200);
    host.request("GET", "/readyz")
        .without_version()
        .send()
        .expect(200);
}
