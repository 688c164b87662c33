use driver_sdk::{json, FaultKind, TestBench, Value};

use crate::Snmp;

fn bench() -> TestBench {
    TestBench::new::<Snmp>(json!({})).unwrap()
}

/// A sound `driver_info`, with what `more` says beside or instead.
fn info(more: Value) -> Value {
    let mut info = json!({
        "snmp_driver": "apc_rackpdu", "snmp_address": "192.0.2.7", "snmp_outlet": 3, "snmp_community": "private",
    });
    for (key, value) in more.as_object().unwrap() {
        info[key] = value.clone();
    }
    info
}

/// A sound `driver_info` of version 3.
fn user(more: Value) -> Value {
    let mut all = json!({"snmp_version": 3, "snmp_community": null, "snmp_user": "operator"});
    for (key, value) in more.as_object().unwrap() {
        all[key] = value.clone();
    }
    info(all)
}

#[test]
fn what_ironic_takes_is_taken() {
    for sound in [
        info(json!({})),
        info(json!({"snmp_version": "1"})),
        info(json!({"snmp_version": 1, "snmp_outlet": "2.1.8", "snmp_driver": "servertech_sentry3"})),
        info(json!({"snmp_version": "2c", "snmp_port": "1161"})),
        info(json!({"snmp_community": null, "snmp_community_read": "r", "snmp_community_write": "w"})),
        info(json!({"snmp_community_write": "w"})),
        user(json!({})),
        user(json!({"snmp_auth_key": "12345678"})),
        user(json!({"snmp_auth_key": "12345678", "snmp_priv_key": "87654321"})),
        user(json!({"snmp_auth_protocol": "none", "snmp_priv_protocol": "none"})),
        user(
            json!({"snmp_auth_protocol": "sha512", "snmp_auth_key": "12345678",
            "snmp_priv_protocol": "aes256blmt", "snmp_priv_key": "12345678"}),
        ),
        user(json!({"snmp_context_name": "bay2", "snmp_context_engine_id": "0x80:00:00:00:01"})),
    ] {
        bench()
            .validate_node(sound.clone())
            .unwrap_or_else(|fault| panic!("{sound}: {fault}"));
    }
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    let long = "x".repeat(33);
    for (wrong, kind, text) in [
        (json!({}), FaultKind::MissingParameter, "Missing the following driver_info properties: snmp_driver, snmp_address, snmp_outlet"),
        (info(json!({"snmp_driver": "acme"})), FaultKind::InvalidParameter, "driver_info property 'snmp_driver' must be one of apc_masterswitch, apc, apc_masterswitchplus,"),
        (info(json!({"snmp_outlet": "left"})), FaultKind::InvalidParameter, "driver_info property 'snmp_outlet' must be a number from 1 on, or up to four numbers with dots between them, found \"left\""),
        (info(json!({"snmp_outlet": 0})), FaultKind::InvalidParameter, "driver_info property 'snmp_outlet' must be a number from 1 on"),
        (info(json!({"snmp_version": "2"})), FaultKind::InvalidParameter, "driver_info property 'snmp_version' must be 1, 2c or 3, found \"2\""),
        (info(json!({"snmp_port": 0})), FaultKind::InvalidParameter, "driver_info property 'snmp_port' must be a port from 1 to 65535"),
        (info(json!({"snmp_port": 70000})), FaultKind::InvalidParameter, "driver_info property 'snmp_port' must be an integer from 0 to 65535, found 70000"),
        (info(json!({"snmp_address": "a b"})), FaultKind::InvalidParameter, "driver_info property 'snmp_address' must be an address or a name"),
        (info(json!({"snmp_community": null})), FaultKind::MissingParameter, "SNMP version 1 needs snmp_community, or snmp_community_read and snmp_community_write"),
        (info(json!({"snmp_community": null, "snmp_community_read": "r", "snmp_version": "2c"})), FaultKind::MissingParameter, "SNMP version 2c needs snmp_community"),
        (info(json!({"snmp_community": ""})), FaultKind::MissingParameter, "SNMP version 1 needs snmp_community"),
        (user(json!({"snmp_user": null})), FaultKind::MissingParameter, "SNMP version 3 needs snmp_user"),
        (user(json!({"snmp_user": long})), FaultKind::InvalidParameter, "driver_info property 'snmp_user' must be 1 to 32 bytes"),
        (user(json!({"snmp_auth_protocol": "sha"})), FaultKind::MissingParameter, "snmp_auth_protocol 'sha' needs snmp_auth_key"),
        (user(json!({"snmp_auth_protocol": "sha1", "snmp_auth_key": "12345678"})), FaultKind::InvalidParameter, "driver_info property 'snmp_auth_protocol' must be none, md5, sha, sha224, sha256, sha384 or sha512"),
        (user(json!({"snmp_auth_key": "1234567"})), FaultKind::InvalidParameter, "driver_info property 'snmp_auth_key' must have 8 characters or more, found 7"),
        (user(json!({"snmp_priv_key": "12345678"})), FaultKind::MissingParameter, "snmp_auth_protocol and snmp_auth_key are missing"),
        (user(json!({"snmp_auth_key": "12345678", "snmp_priv_protocol": "aes"})), FaultKind::MissingParameter, "snmp_priv_protocol 'aes' needs snmp_priv_key"),
        (user(json!({"snmp_auth_key": "12345678", "snmp_priv_protocol": "3des", "snmp_priv_key": "12345678"})), FaultKind::InvalidParameter, "driver_info property 'snmp_priv_protocol' must be none, des, aes,"),
        (user(json!({"snmp_context_engine_id": "80000000010"})), FaultKind::InvalidParameter, "driver_info property 'snmp_context_engine_id' must be 5 to 32 bytes in hexadecimal"),
        (user(json!({"snmp_context_engine_id": "+8000000001"})), FaultKind::InvalidParameter, "snmp_context_engine_id"),
    ] {
        let fault = bench().validate_node(wrong.clone()).unwrap_err();
        assert_eq!(fault.kind(), kind, "{wrong}: {fault}");
        assert!(fault.message().contains(text), "{wrong}: {fault}");
    }
}

#[test]
fn no_secret_stands_in_a_refusal() {
    for secret in [
        info(json!({"snmp_community": {"a": "hunter2"}})),
        user(json!({"snmp_auth_key": "hunter2"})),
        user(json!({"snmp_priv_key": "hunter2"})),
    ] {
        let fault = bench().validate_node(secret).unwrap_err();
        assert!(!fault.message().contains("hunter2"), "{fault}");
    }
}

#[test]
fn a_configuration_out_of_range_names_its_key() {
    for (config, text) in [
        (
            json!({"timeout_ms": 0}),
            "drivers.snmp.config.timeout_ms: expected 1 to 86400000, found 0",
        ),
        (
            json!({"retries": 101}),
            "drivers.snmp.config.retries: expected 0 to 100, found 101",
        ),
        (
            json!({"timeout": 5}),
            "drivers.snmp.config: unknown key 'timeout'",
        ),
    ] {
        let fault = TestBench::new::<Snmp>(config).err().unwrap();
        assert!(fault.message().starts_with(text), "{fault}");
    }
}
