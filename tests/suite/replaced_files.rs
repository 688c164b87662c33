//! A driver's file may be replaced by rename while the host runs.

use std::path::PathBuf;

use serde_json::json;
use suite::{FAKE, HostProcess};

fn driver_file(host: &HostProcess) -> PathBuf {
    let mut files = std::fs::read_dir(host.folder().join("drivers")).unwrap();
    files.next().expect("a driver").unwrap().path()
}

#[test]
fn calls_go_on_with_the_code_that_was_loaded() {
    let host = HostProcess::with_fake();
    host.create_node("n1");
    let file = driver_file(&host);
    for replacement in [&b"not a library"[..], b"", &std::fs::read(FAKE.path()).unwrap()] {
        let new = host.folder().join("new.so");
        std::fs::write(&new, replacement).unwrap();
        std::fs::rename(&new, &file).unwrap();
        host.post("/v1/drivers/fake/vendor_passthru/echo", json!({}))
            .expect(200);
        host.post("/v1/nodes/n1/vendor_passthru/echo_sync", json!({}))
            .expect(200);
        let failed = json!({"kind": "internal", "message": "x"});
        host.post("/v1/nodes/n1/vendor_passthru/fail_sync", failed)
            .expect(500);
    }
    std::fs::remove_file(&file).unwrap();
    host.post("/v1/drivers/fake/vendor_passthru/echo", json!({}))
        .expect(200);
    host.get("/v1/drivers/fake/manifest").expect(200);
}
