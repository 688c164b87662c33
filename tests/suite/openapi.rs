//! The description of the API: sound, complete, the same from a folder and from a running host, and what the host really does.

use std::path::Path;

use serde_json::{Value, json};
use suite::{
    CommandOutput, FAKE, HELLO, HostProcess, SCHEMAS, host_command, openapi_spec_validator, schemathesis,
};

const VERBS: [&str; 5] = ["delete", "get", "patch", "post", "put"];

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for library in [FAKE, HELLO, SCHEMAS] {
        let path = library.path();
        std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    folder
}

fn of_folder(folder: &Path, arguments: &[&str]) -> CommandOutput {
    host_command(&[&["openapi", "--plugin-dir", folder.to_str().unwrap()], arguments].concat())
}

#[test]
fn a_public_validator_finds_nothing_wrong_with_the_document() {
    let host = HostProcess::builder()
        .driver(FAKE)
        .driver(HELLO)
        .driver(SCHEMAS)
        .start();
    let reply = host.get("/openapi.json").expect(200);
    assert_eq!(reply.must_have("Content-Type"), "application/json");
    let file = host.folder().join("openapi.json");
    std::fs::write(&file, &reply.body).unwrap();
    let said = openapi_spec_validator(&file).succeeded();
    assert!(said.stdout.contains("OK"), "{said:?}");
    // It can say no.
    let mut broken = reply.json();
    broken["paths"]["/v1/drivers"]["get"]["responses"] = json!([]);
    std::fs::write(&file, broken.to_string()).unwrap();
    assert_ne!(openapi_spec_validator(&file).code, 0);
}

#[test]
fn the_document_of_a_folder_is_that_of_a_host_with_these_drivers() {
    let host = HostProcess::builder()
        .driver(SCHEMAS)
        .driver(FAKE)
        .driver(HELLO)
        .start();
    let mut running = host.get("/openapi.json").expect(200).json();
    let folder = folder();
    let mut printed = of_folder(folder.path(), &[]).succeeded().json();
    assert_eq!(printed["servers"][0]["url"], "http://127.0.0.1:6385");
    running["servers"].take();
    printed["servers"].take();
    assert_eq!(running, printed);
    assert_eq!(printed["openapi"], "3.1.0");
}

#[test]
fn the_command_describes_what_is_enabled_or_all_and_says_what_is_missing() {
    let folder = folder();
    let config = folder.path().join("plugins.toml");
    let text =
        "plugin_dir = \".\"\nenabled_drivers = [\"hello\"]\npublic_url = \"https://bmc.example.org/\"\n";
    std::fs::write(&config, text).unwrap();
    let with_config = |arguments: &[&str]| {
        host_command(&[&["openapi", "--config", config.to_str().unwrap()], arguments].concat())
    };
    let has = |document: &Value, driver: &str| {
        document["tags"]
            .as_array()
            .unwrap()
            .iter()
            .any(|tag| tag["name"] == format!("driver {driver}"))
    };
    let enabled = with_config(&[]).succeeded().json();
    assert_eq!(enabled["servers"][0]["url"], "https://bmc.example.org");
    assert!(has(&enabled, "hello") && !has(&enabled, "fake"));
    let all = with_config(&["--all"]).succeeded().json();
    assert!(has(&all, "hello") && has(&all, "fake") && has(&all, "schemas"));
    std::fs::write(&config, text.replace("hello", "helo")).unwrap();
    let missing = with_config(&[]);
    assert_eq!(missing.code, 4, "{missing:?}");
    assert!(missing.stderr.contains("did you mean hello?"), "{missing:?}");
    let nowhere = of_folder(&folder.path().join("nowhere"), &[]);
    assert_eq!(
        (nowhere.code, nowhere.stderr.lines().count()),
        (4, 1),
        "{nowhere:?}"
    );
}

/// A path of the document with something that is there in place of its variables.
fn filled(path: &str, node: &str) -> String {
    path.replace("{node}", node)
        .replace("{driver}", "fake")
        .replace("{method}", "none")
        .replace("{id}", "019a0000-0000-7000-8000-000000000000")
}

#[test]
fn each_path_takes_the_verbs_that_the_document_names_and_no_other() {
    let host = HostProcess::builder().driver(FAKE).driver(SCHEMAS).start();
    let node = |driver: &str| {
        let node = host
            .post("/v1/nodes", json!({"driver": driver}))
            .expect(201)
            .json();
        node["uuid"].as_str().unwrap().to_owned()
    };
    let (of_fake, of_schemas) = (node("fake"), node("schemas"));
    let document = host.get("/openapi.json").expect(200).json();
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() > 40, "{}", paths.len());
    for (path, entry) in paths {
        let documented: Vec<String> = VERBS
            .iter()
            .filter(|verb| entry.get(**verb).is_some())
            .map(|verb| verb.to_uppercase())
            .collect();
        let node = if path.contains("/light") {
            &of_schemas
        } else {
            &of_fake
        };
        let reply = host.request("OPTIONS", &filled(path, node)).send();
        reply.refused(405, "The method is not allowed for this resource");
        let mut allowed: Vec<&str> = reply.must_have("Allow").split(',').map(str::trim).collect();
        allowed.sort_unstable();
        // A list of methods is read; every other verb there is a call of a method that nobody has.
        if !path.ends_with("/methods") {
            assert_eq!(allowed, documented, "{path}");
        }
    }
}

/// The nodes are those of the host; what fails or waits on purpose is a driver's own affair.
fn explore(host: &HostProcess, driver: &str, node: &str, method: &str, skipped: &str) {
    // The node of the run stays: what is deleted is another one.
    let config = format!(
        r#"
[parameters]
"path.node" = "{node}"
"path.driver" = "{driver}"
"path.method" = "{method}"
"query.method" = "{method}"
"header.X-OpenStack-Ironic-API-Version" = "1.77"

[[operations]]
include-operation-id = "nodes.delete"
parameters = {{ "path.node" = "00000000-0000-4000-8000-000000000000" }}
"#
    );
    let checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
                  response_schema_conformance";
    let said = schemathesis(
        host,
        &config,
        &[
            "--phases=coverage,fuzzing",
            "--max-examples=5",
            "--seed=1",
            "--no-shrink",
            "--continue-on-failure",
            "--suppress-health-check=all",
            "--warnings=off",
            "--request-timeout=120",
            "--exclude-path-regex",
            skipped,
            "--checks",
            checks,
        ],
    );
    assert_eq!(said.code, 0, "{}\n{}", said.stdout, said.stderr);
    let tested = said
        .stdout
        .lines()
        .find_map(|line| line.trim().strip_prefix("Tested: "));
    let tested: usize = tested
        .unwrap_or_else(|| panic!("{}", said.stdout))
        .parse()
        .unwrap();
    assert!(tested > 60, "{}", said.stdout);
}

#[test]
fn schemathesis_finds_no_undocumented_answer_of_a_host_with_fake() {
    let host = HostProcess::with_fake();
    let node = host
        .post("/v1/nodes", json!({"driver": "fake"}))
        .expect(201)
        .json();
    // `fail_*` answers any status, 5xx too, and `sleep_*` takes as long as it is told.
    explore(
        &host,
        "fake",
        node["uuid"].as_str().unwrap(),
        "echo_shared",
        "/(fail|sleep)",
    );
    host.get("/healthz").expect(200);
}

#[test]
fn schemathesis_finds_no_undocumented_answer_of_a_host_with_schemas() {
    let host = HostProcess::builder().driver(SCHEMAS).start();
    let node = json!({"driver": "schemas", "driver_info": {"schemas_address": "192.0.2.7"}});
    let node = host.post("/v1/nodes", node).expect(201).json();
    explore(
        &host,
        "schemas",
        node["uuid"].as_str().unwrap(),
        "light",
        "/nothing-of-it",
    );
    let seen = host
        .get("/v1/drivers/schemas/vendor_passthru/seen")
        .expect(200)
        .json();
    assert!(
        seen.as_u64() > Some(20),
        "bodies that fit were among them: {seen}"
    );
}
