//! Logins. The emulator's own is Basic authentication; its sessions are the project's own.

use serde_json::json;
use suite::{Sushy, eventually};

use super::{SOON, builder, create, host_of, info, read};

const PASSWORD: &str = "hunter2-is-not-the-password";

#[test]
fn a_device_without_sessions_is_asked_with_basic_authentication() {
    let sushy = Sushy::start();
    let host = host_of(&sushy);
    read(&host, sushy.system_path()).expect(200);
    let host = builder().start();
    create(&host, "n1", info(&sushy, json!({"redfish_auth_type": "session"})));
    read(&host, sushy.system_path()).refused(502, "it creates no session: its service root links to none");
}

#[test]
fn one_session_serves_all_calls_and_is_closed_with_the_host() {
    let sushy = Sushy::with_extras();
    let mut host = host_of(&sushy);
    let calls: Vec<_> = (0..8)
        .map(|_| super::request(&host, "GET", "get_all_subscriptions", &json!({})).start())
        .collect();
    for call in calls {
        call.wait().expect(200);
    }
    read(&host, sushy.system_path()).expect(200);
    assert_eq!(sushy.count("POST", "/Sessions"), 1, "{:?}", sushy.journal());
    let seen = sushy.seen();
    assert_eq!(seen["sessions"], 1);
    // Before anybody has logged in, the service root and the sessions are asked without proof.
    let open = ["/redfish/v1/", "/redfish/v1/SessionService/Sessions"];
    for entry in seen["journal"].as_array().unwrap() {
        assert_eq!(entry["basic"], false, "{entry}");
        let is_open = open.iter().any(|path| entry["path"] == *path);
        assert!(is_open || entry["token"] == true, "{entry}");
    }
    host.terminate();
    assert!(host.wait().success());
    assert_eq!(sushy.seen()["sessions"], 0, "{:?}", sushy.journal());
}

#[test]
fn a_session_that_the_device_forgot_is_made_anew_without_a_repetition_that_counts() {
    let sushy = Sushy::with_extras();
    let host = host_of(&sushy);
    read(&host, sushy.system_path()).expect(200);
    sushy.control(json!({"forget": true}));
    let reset = format!("{}/Actions/ComputerSystem.Reset", sushy.system_path());
    let nmi = json!({"path": reset, "body": {"ResetType": "Nmi"}});
    super::call(&host, "POST", "request", nmi).expect(200);
    let seen = sushy.seen();
    assert_eq!((&seen["nmis"], &seen["sessions"]), (&json!(1), &json!(1)));
    assert_eq!(sushy.count("POST", "/Sessions"), 2);
}

#[test]
fn a_session_that_nobody_uses_is_closed() {
    let sushy = Sushy::with_extras();
    let host = builder()
        .set("drivers.redfish.config.session_idle_ms", 100)
        .start();
    create(&host, "n1", sushy.driver_info());
    read(&host, sushy.system_path()).expect(200);
    eventually("the session is closed", SOON, || {
        (sushy.seen()["sessions"] == 0).then_some(())
    });
    read(&host, sushy.system_path()).expect(200);
    assert_eq!(sushy.count("POST", "/Sessions"), 2);
}

#[test]
fn where_no_session_is_free_auto_goes_on_with_basic_authentication() {
    let sushy = Sushy::with_extras();
    sushy.rule(json!({"method": "POST", "path": "Sessions", "do": "status", "status": 503, "times": 10}));
    let host = host_of(&sushy);
    read(&host, sushy.system_path()).expect(200);
    let seen = sushy.seen();
    assert_eq!(seen["journal"].as_array().unwrap().last().unwrap()["basic"], true);
    let host = builder().start();
    create(&host, "n1", info(&sushy, json!({"redfish_auth_type": "session"})));
    read(&host, sushy.system_path()).refused(502, "it creates no session: it answered 503");
}

#[test]
fn a_wrong_password_is_told_once_and_shown_nowhere() {
    for (sushy, auth_type) in [
        (Sushy::start(), "basic"),
        (Sushy::start(), "auto"),
        (Sushy::with_extras(), "session"),
        (Sushy::with_extras(), "auto"),
    ] {
        let host = builder().argument("--log-level=trace").start();
        let wrong = json!({"redfish_password": PASSWORD, "redfish_auth_type": auth_type});
        create(&host, "n1", info(&sushy, wrong));
        let text =
            read(&host, sushy.system_path()).refused(502, "it refuses redfish_username and redfish_password");
        assert!(
            !text.contains(PASSWORD) && !host.log.text().contains(PASSWORD),
            "{text}"
        );
    }
}

#[test]
fn a_node_without_a_user_logs_in_nowhere() {
    let sushy = Sushy::with_extras();
    let host = builder().start();
    let anonymous = json!({"redfish_username": null, "redfish_password": null});
    create(&host, "n1", info(&sushy, anonymous));
    read(&host, sushy.system_path()).refused(502, "it wants a login, and the node has no redfish_username");
    read(&host, "/redfish/v1/").expect(200);
    assert_eq!(sushy.count("POST", "/Sessions"), 0);
}
