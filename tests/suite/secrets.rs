//! Secrets that are put in everywhere come out nowhere but in the database's file.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use serde_json::{Value, json};
use suite::{FAKE, HostBuilder, HostProcess, LEAKY, Library, Reply, eventually};

const SOON: Duration = Duration::from_secs(30);
/// Every secret text begins with it.
const CANARY: &str = "canary-in-the-mine";
/// The secret that is a number.
const NUMBER: u64 = 773_199_004_217;

/// Everything that anybody could read.
#[derive(Default)]
struct Seen(Vec<String>);

impl Seen {
    fn reply(&mut self, reply: Reply) -> Reply {
        // With its headers, and with its body as text.
        self.0.push(format!("{reply:?}\n{}", reply.text()));
        reply
    }

    fn holds_no_secret(&self) {
        for text in &self.0 {
            for secret in [CANARY.to_owned(), NUMBER.to_string()] {
                if let Some(at) = text.find(&secret) {
                    let start = (0..=at.saturating_sub(300))
                        .rev()
                        .find(|at| text.is_char_boundary(*at));
                    panic!("{secret}: …{}", &text[start.unwrap_or(0)..at + secret.len()]);
                }
            }
        }
    }
}

fn secret(what: &str) -> String {
    format!("{CANARY}-{what}")
}

fn driver_info() -> Value {
    json!({
        "address": "192.0.2.1",
        "leaky_door": secret("door"), "leaky_number": NUMBER, "fake_password": secret("fake"),
        "ipmi_password": secret("ipmi"), "snmp_auth_key": secret("snmp"), "privateKey": secret("key"),
        "bmc": {"auth": {"token": secret("token"), "credentials": {"user": secret("user"), "all": [secret("listed")]}}},
        "bmcs": [{"secret": secret("in-a-list")}]
    })
}

fn builder() -> HostBuilder {
    HostProcess::builder()
        .driver(LEAKY)
        .driver(FAKE)
        .argument("--log-level=trace")
        .set("drivers.leaky.config.password", secret("config"))
        .set("drivers.leaky.call_timeout_ms", 400)
        .set("locks.wait_ms", 100)
        .driver_panics_expected()
}

fn create(host: &HostProcess, seen: &mut Seen, driver: Library, name: &str) {
    let body = json!({"driver": driver.name, "name": name, "driver_info": driver_info(), "extra": {"api_key": secret("extra")}});
    let node = seen.reply(host.post("/v1/nodes", body)).expect(201).json();
    assert_eq!(node["driver_info"]["leaky_door"], "******", "{node}");
}

/// Bodies that are refused, each with a secret in it.
fn send_bad_nodes(host: &HostProcess, seen: &mut Seen) {
    let good = driver_info();
    for body in [
        json!({"driver": "leaky", "name": "n1", "driver_info": good}),
        json!({"driver": "nope", "driver_info": good}),
        json!({"driver": "leaky", "driver_info": good, "bogus": 1}),
        json!({"driver": "leaky", "driver_info": secret("text")}),
        json!({"driver": "leaky", "driver_info": [secret("list")]}),
        json!({"driver": "leaky", "driver_info": good, "name": "not a name"}),
        json!({"driver": "leaky", "driver_info": {"password": "******", "token": secret("other")}}),
    ] {
        let reply = seen.reply(host.post("/v1/nodes", body));
        assert!([400, 409].contains(&reply.status), "{}", reply.text());
    }
    let whole = json!([{"driver": "leaky", "driver_info": good}]);
    seen.reply(host.post("/v1/nodes", whole)).expect(400);
    let text = json!({"driver": "leaky", "driver_info": good}).to_string();
    for broken in [
        text[..text.len() - 1].to_owned(),
        text.replace("\"driver_info\"", "driver_info"),
        format!("{text} x"),
    ] {
        seen.reply(host.request("POST", "/v1/nodes").body(broken).send())
            .expect(400);
    }
}

fn patch(host: &HostProcess, seen: &mut Seen) {
    let path = "/v1/nodes/n1";
    let mut send = |operations: Value| seen.reply(host.request("PATCH", path).json(&operations).send());
    send(json!([{"op": "replace", "path": "/driver_info/ipmi_password", "value": secret("patched")}]))
        .expect(200);
    send(json!([{"op": "add", "path": "/driver_info/bmc/password", "value": {"deep": secret("added")}}]))
        .expect(200);
    send(json!({"op": "add", "path": "/driver_info/password", "value": secret("patch")})).expect(400);
    for operation in [
        json!({"op": "add", "path": "/driver_info/leaky_door/deeper", "value": secret("patch")}),
        json!({"op": "replace", "path": "/driver_info/no/password", "value": secret("patch")}),
        json!({"op": "replace", "path": "/driver_info", "value": secret("patch")}),
        json!({"op": "test", "path": "/driver_info/leaky_door", "value": secret("guess")}),
        json!({"op": "nope", "path": "/driver_info/leaky_door", "value": secret("patch")}),
        json!({"op": "add", "path": "driver_info", "value": {"password": secret("patch")}}),
        json!([{"op": "add", "path": "/driver_info/password", "value": secret("patch")}]),
        json!({"op": {"password": secret("patch")}, "path": "/driver_info", "value": 1}),
        json!({"op": "add", "path": "/driver_info", "value": [secret("patch")]}),
        json!({"op": "move", "from": "/driver_info/leaky_door", "path": "/description"}),
        json!({"op": "copy", "from": "/driver_info/leaky_door", "path": "/extra/public"}),
    ] {
        let reply = send(json!([operation]));
        assert_eq!(reply.status, 400, "{operation}: {}", reply.text());
    }
}

fn read(host: &HostProcess, seen: &mut Seen) {
    for target in [
        "/v1/nodes/n1",
        "/v1/nodes/n1?fields=driver_info,extra,last_error",
        "/v1/nodes/f1",
        "/v1/nodes",
        "/v1/nodes?fields=uuid,driver_info,extra,last_error,instance_info",
        "/v1/nodes/detail",
        "/v1/nodes?detail=True",
        "/v1/nodes/n1/validate",
        "/v1/nodes/n1/calls",
        "/v1/calls",
        "/v1/drivers",
        "/v1/drivers?detail=True",
        "/v1/drivers/leaky",
        "/v1/drivers/leaky/properties",
        "/v1/drivers/leaky/manifest",
        "/v1/nodes/n1/vendor_passthru/methods",
        "/readyz",
        "/healthz",
    ] {
        seen.reply(host.get(target)).expect(200);
    }
    // Its form is not this test's business.
    seen.reply(host.get("/metrics"));
    let calls = host.get("/v1/calls").expect(200).json();
    for call in calls["calls"].as_array().expect("a list") {
        let path = format!("/v1/calls/{}", call["id"].as_str().expect("an id"));
        seen.reply(host.get(&path)).expect(200);
        seen.reply(host.request("DELETE", &path).send());
    }
}

fn passthru(host: &HostProcess, seen: &mut Seen) {
    let target = |method: &str| format!("/v1/nodes/n1/vendor_passthru/{method}");
    for (method, how) in [
        ("leak_sync", "fault"),
        ("leak_sync", "panic"),
        ("leak_sync", "log"),
        ("leak_sync", "deadline"),
        ("leak_async", "fault"),
        ("leak_async", "panic"),
        ("leak_async", "log"),
        ("leak_async", "deadline"),
        ("leak_later", "fault"),
        ("leak_later", "log"),
        ("leak_later", "deadline"),
    ] {
        let reply = eventually("the node is free", SOON, || {
            let reply = seen.reply(host.post(&target(method), json!({"how": how})));
            (reply.status != 409).then_some(reply)
        });
        if method != "leak_sync" {
            let record = reply.expect(202).must_have("Location").to_owned();
            eventually("the driver is done", SOON, || {
                let record = seen.reply(host.get(&record)).json();
                let late = record["state"] != "timed_out" || record["late_outcome"] != Value::Null;
                (record["state"] != "running" && late).then_some(())
            });
        }
        seen.reply(host.get("/v1/nodes/n1")).expect(200);
    }
    for method in ["leak_sync", "leak_async"] {
        let wrong = json!({"how": "log", "number": secret("argument")});
        eventually("the node is free", SOON, || {
            let reply = seen.reply(host.post(&target(method), wrong.clone()));
            (reply.status == 400).then_some(())
        });
    }
    let text = seen.0.join("\n");
    for words in [
        "Async execution of leak_async failed with error",
        "\"kind\":\"panicked\"",
        "\\\"leaky_door\\\":\\\"******\\\"",
    ] {
        assert!(text.contains(words), "the driver did leak: {words}");
    }
}

fn no_secret_is_said(format: &str) {
    let mut seen = Seen::default();
    let mut host = builder().argument(&format!("--log-format={format}")).start();
    create(&host, &mut seen, LEAKY, "n1");
    create(&host, &mut seen, FAKE, "f1");
    send_bad_nodes(&host, &mut seen);
    patch(&host, &mut seen);
    passthru(&host, &mut seen);
    read(&host, &mut seen);
    let refused = json!([{"op": "add", "path": "/properties/mode", "value": "refused"}]);
    seen.reply(host.request("PATCH", "/v1/nodes/n1").json(&refused).send())
        .expect(200);
    for method in ["leak_sync", "leak_async", "leak_later"] {
        let reply = host.post(
            &format!("/v1/nodes/n1/vendor_passthru/{method}"),
            json!({"how": "log"}),
        );
        seen.reply(reply).refused(400, "******");
    }
    let validated = seen.reply(host.get("/v1/nodes/n1/validate")).expect(200).json();
    assert_eq!(validated["vendor"]["result"], false, "{validated}");
    let driver_list = suite::host_command(&["driver-list", "--url", &host.url(), "--json"]);
    seen.0.push(driver_list.succeeded().everything());
    seen.reply(host.request("DELETE", "/v1/nodes/f1").send())
        .expect(204);
    host.terminate();
    host.wait();
    let log = host.log.text();
    assert!(
        log.contains("******") && log.contains("panicked"),
        "the driver did leak into the log"
    );
    seen.0.push(log);

    // Folded in at the end, so everything is in the one file.
    let mut kept = 0;
    for file in fs::read_dir(host.folder()).expect("a folder") {
        let file = file.expect("a file");
        if !file.file_type().expect("its type").is_file() || file.file_name() == "plugins.toml" {
            continue;
        }
        let text = String::from_utf8_lossy(&fs::read(file.path()).expect("its content")).into_owned();
        if file.file_name() == "host.db" {
            let mode = file.metadata().expect("its mode").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            kept = text.matches(CANARY).count();
        } else {
            seen.0.push(text);
        }
    }
    assert!(kept > 5, "the database has them");
    seen.holds_no_secret();
}

#[test]
fn no_secret_is_in_any_reply_record_file_or_log_in_json() {
    no_secret_is_said("json");
}

#[test]
fn no_secret_is_in_any_reply_record_file_or_log_as_text() {
    no_secret_is_said("text");
}

#[test]
fn no_secret_of_a_config_is_said_by_a_command_or_a_start_that_fails() {
    let mut seen = Seen::default();
    for words in [
        &["check-config"][..],
        &["list-available", "--all"],
        &["list-available", "--all", "--json"],
        &["inspect", "leaky"],
        &["inspect", "leaky", "--json"],
    ] {
        let output = builder_for_commands().run(words);
        seen.0.push(output.succeeded().everything());
    }
    let sections = |text: &str| {
        format!("plugin_dir = \"drivers\"\nenabled_drivers = [\"leaky\"]\n[drivers.leaky.config]\n{text}\n")
    };
    let password = format!("password = \"{}\"", secret("config"));
    for (text, code) in [
        (format!("{password} x"), 3),
        (format!("{password}\n{password}"), 3),
        (format!("password = \"{}", secret("unclosed")), 3),
        (format!("password = {}", secret("bare")), 3),
        (
            format!("[drivers.leaky]\npassword = \"{}\"", secret("elsewhere")),
            3,
        ),
        (format!("{password}\nport = \"{}\"", secret("port")), 4),
        (format!("{password}\nbogus = \"{}\"", secret("bogus")), 4),
        (format!("password = [\"{}\"]", secret("typed")), 4),
    ] {
        for command in ["check-config", "serve"] {
            let output = builder_for_commands()
                .config_text(&sections(&text))
                .run(&[command]);
            let fails = command == "serve" || code == 3;
            assert_eq!(
                output.code,
                if fails { code } else { 0 },
                "{text}: {}",
                output.stderr
            );
            seen.0.push(output.everything());
        }
    }
    seen.holds_no_secret();
}

fn builder_for_commands() -> HostBuilder {
    HostProcess::builder()
        .driver(LEAKY)
        .set("drivers.leaky.config.password", secret("config"))
}
