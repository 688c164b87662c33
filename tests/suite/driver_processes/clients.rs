//! What Ironic's own clients tell of a driver without processes.

use suite::{SLOW, eventually, openstack, python};

use super::{SOON, isolation, kill, processes, slow};

#[test]
fn ironic_s_clients_print_why_a_driver_is_quarantined() {
    let host = slow().set("isolation.max_deaths", 1).start();
    host.create_node_of(SLOW, "n1");
    kill(processes(&host)[0]);
    eventually("the driver is quarantined", SOON, || {
        isolation(&host)["quarantined"].is_string().then_some(())
    });
    let why = "the driver 'slow' is quarantined: the process of driver 'slow' was killed by signal 9 (SIGKILL), too often; \
               an operator can release it with `host driver-reset slow`";
    let seen = python(&host, "ironicclient_quarantine.py");
    for call in ["driver method", "node method", "async node method"] {
        let got = &seen[call];
        assert_eq!(got["type"], "ServiceUnavailable", "{call}: {got}");
        assert!(got["text"].as_str().unwrap().contains(why), "{call}: {got}");
    }
    // The command repeats it a few times before it says so.
    openstack(&host, &["driver", "passthru", "call", "slow", "echo"]).failed(1, why);
    let shown = openstack(&host, &["driver", "show", "slow", "-f", "json"])
        .succeeded()
        .json();
    assert!(shown["isolation"].to_string().contains("SIGKILL"), "{shown}");
}
