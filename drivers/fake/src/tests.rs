//! The driver on the SDK's test bench.

use std::time::{Duration, Instant};

use driver_sdk::{
    json, BootDevice, BootDeviceChange, BootDeviceName, FaultKind, Level, PowerChange, PowerState,
    PowerTarget, TestBench, Value,
};

use crate::Fake;

const WORDS: [(&str, &str); 4] = [
    ("first_method", "baz"),
    ("second_method", "kazoo"),
    ("third_method_sync", "meow"),
    ("fourth_method_shared_lock", "woof"),
];

fn bench() -> TestBench {
    TestBench::new::<Fake>(json!({})).unwrap()
}

fn declared(bench: &TestBench, on: &str, name: &str) -> Value {
    let methods = bench.manifest()["methods"].as_array().unwrap();
    methods
        .iter()
        .find(|method| method["on"] == on && method["name"] == name)
        .unwrap()
        .clone()
}

#[test]
fn ironics_methods_answer_whether_bar_is_their_word() {
    let bench = bench();
    for (method, word) in WORDS {
        assert_eq!(
            bench
                .node_method(method, json!({}))
                .args(json!({"bar": word}))
                .run()
                .unwrap(),
            json!(true)
        );
        assert_eq!(
            bench
                .node_method(method, json!({}))
                .args(json!({"bar": "x"}))
                .run()
                .unwrap(),
            json!(false)
        );
        assert_eq!(
            bench
                .node_method(method, json!({}))
                .args(json!({"bar": [1]}))
                .run()
                .unwrap(),
            json!(false)
        );
    }
}

#[test]
fn a_falsy_bar_counts_as_missing_in_ironics_words() {
    let bench = bench();
    let names = WORDS.iter().map(|(method, _)| *method).chain(["log_passthrough"]);
    for method in names {
        for args in [
            json!({}),
            json!({"bar": null}),
            json!({"bar": false}),
            json!({"bar": 0}),
            json!({"bar": 0.0}),
        ]
        .into_iter()
        .chain([json!({"bar": ""}), json!({"bar": []}), json!({"bar": {}})])
        {
            let fault = bench
                .node_method(method, json!({}))
                .args(args)
                .validate()
                .unwrap_err();
            assert_eq!(fault.kind(), FaultKind::MissingParameter);
            assert_eq!(
                fault.message(),
                format!("Parameter 'bar' not passed to method '{method}'.")
            );
        }
    }
}

#[test]
fn other_arguments_are_refused_by_name() {
    let call = bench();
    let fault = call
        .node_method("third_method_sync", json!({}))
        .args(json!({"bar": "meow", "zz": 1}))
        .validate();
    let fault = fault.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::InvalidParameter);
    assert_eq!(
        fault.message(),
        "method 'third_method_sync' takes no argument 'zz'; known: 'bar'"
    );
}

#[test]
fn log_passthrough_logs_whatever_it_gets() {
    let bench = bench();
    bench
        .node_method("log_passthrough", json!({}))
        .args(json!({"bar": 1, "other": "x"}))
        .run()
        .unwrap();
    let log = bench.log();
    assert_eq!(log[0].level, Level::Info);
    assert_eq!(
        log[0].message,
        r#"log_passthrough was called with {"bar":1,"other":"x"}"#
    );
}

#[test]
fn ironics_methods_are_declared_as_ironic_declares_them() {
    let bench = bench();
    for (name, is_async, exclusive) in [
        ("first_method", true, true),
        ("second_method", true, true),
        ("third_method_sync", false, true),
        ("fourth_method_shared_lock", true, false),
        ("log_passthrough", true, true),
    ] {
        let method = declared(&bench, "node", name);
        assert_eq!(method["http_methods"], json!(["POST"]), "{name}");
        assert_eq!(method["async"], is_async, "{name}");
        assert_eq!(method["require_exclusive_lock"], exclusive, "{name}");
        assert_eq!(method["attach"], false, "{name}");
        assert_eq!(method["run"], "blocking", "{name}");
        assert!(
            method.get("body_schema").is_none(),
            "{name}: a schema would replace Ironic's texts"
        );
    }
    assert_eq!(
        declared(&bench, "node", "second_method")["description"],
        "Test if the value of bar is kazoo"
    );
}

#[test]
fn the_vendor_delay_delays_ironics_methods() {
    let bench = TestBench::new::<Fake>(json!({"vendor_delay_ms": 60})).unwrap();
    let begun = Instant::now();
    bench
        .node_method("third_method_sync", json!({}))
        .args(json!({"bar": "meow"}))
        .run()
        .unwrap();
    assert!(
        begun.elapsed() >= Duration::from_millis(60),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn a_wrong_configuration_names_its_key() {
    let text = |config| TestBench::new::<Fake>(config).err().unwrap().message().to_owned();
    assert_eq!(
        text(json!({"vendor_delay": 1})),
        "drivers.fake.config: unknown key 'vendor_delay'; known: 'vendor_delay_ms', 'power_delay_ms', 'management_delay_ms'"
    );
    assert_eq!(
        text(json!({"vendor_delay_ms": "1"})),
        "drivers.fake.config.vendor_delay_ms: invalid type: string, expected an integer that is not negative"
    );
}

#[test]
fn echo_answers_verb_and_body_of_every_kind() {
    let bench = bench();
    for verb in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        for args in [
            json!({"method": "x", "task": 1}),
            json!([1, "a"]),
            json!("a"),
            json!(1.5),
            json!(null),
        ] {
            let expected = json!({"http_method": verb, "args": args});
            let answer = bench
                .driver_method("echo")
                .http_method(verb)
                .args(args.clone())
                .run();
            assert_eq!(answer.unwrap(), expected);
            for name in ["echo_sync", "echo_shared"] {
                let answer = bench
                    .node_method(name, json!({}))
                    .http_method(verb)
                    .args(args.clone())
                    .run();
                assert_eq!(answer.unwrap(), expected);
            }
        }
    }
    assert_eq!(
        declared(&bench, "node", "echo_shared")["require_exclusive_lock"],
        false
    );
}

#[test]
fn sleeping_takes_as_long_as_it_was_told() {
    let bench = bench();
    let begun = Instant::now();
    let answer = bench.driver_method("sleep").args(json!({"seconds": 0.05})).run();
    assert_eq!(answer.unwrap(), json!({"slept": 0.05}));
    assert!(begun.elapsed() >= Duration::from_millis(50));
    let fault = bench
        .driver_method("sleep")
        .args(json!({"seconds": -1}))
        .run()
        .unwrap_err();
    assert_eq!(
        fault.message(),
        "argument 'seconds' of method 'sleep': expected a number of seconds, 0 or more"
    );
}

#[test]
fn a_sleep_stops_when_the_call_is_cancelled_or_its_deadline_passes() {
    let bench = bench();
    let started = bench
        .node_method("sleep_sync", json!({}))
        .args(json!({"seconds": 600}))
        .deadline(Duration::from_secs(60))
        .start()
        .unwrap();
    started.cancel();
    let fault = started.wait().unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Timeout);
    assert!(
        fault.message().contains("nobody waits for the answer any more"),
        "{fault}"
    );

    let call = bench
        .node_method("sleep_async", json!({}))
        .args(json!({"seconds": 600}));
    let fault = call.deadline(Duration::from_millis(50)).run().unwrap_err();
    assert!(fault.message().starts_with("stopped after "), "{fault}");
}

#[test]
fn failing_methods_fail_with_every_kind_by_its_name() {
    let bench = bench();
    for (name, kind) in [
        ("internal", FaultKind::Internal),
        ("invalid_parameter", FaultKind::InvalidParameter),
        ("missing_parameter", FaultKind::MissingParameter),
        ("conflict", FaultKind::Conflict),
        ("not_found", FaultKind::NotFound),
        ("unavailable", FaultKind::Unavailable),
        ("timeout", FaultKind::Timeout),
        ("unsupported", FaultKind::Unsupported),
    ] {
        for method in ["fail_sync", "fail_async"] {
            let args = json!({"kind": name, "message": "boom"});
            let fault = bench.node_method(method, json!({})).args(args).run().unwrap_err();
            assert_eq!((fault.kind(), fault.message()), (kind, "boom"));
        }
    }
}

#[test]
fn failing_with_a_panic_panics_and_is_caught() {
    let bench = bench();
    let args = json!({"kind": "panicked", "message": "boom"});
    let fault = bench
        .node_method("fail_sync", json!({}))
        .args(args)
        .run()
        .unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Panicked);
    assert_eq!(
        fault.message(),
        "driver 'fake' panicked in method 'fail_sync': boom"
    );
    assert!(
        bench.log()[0].message.contains("src/failure.rs:"),
        "{:?}",
        bench.log()
    );
}

#[test]
fn an_unknown_kind_is_refused_with_the_known_ones() {
    let fault = bench()
        .node_method("fail_sync", json!({}))
        .args(json!({"kind": "odd"}))
        .run()
        .unwrap_err();
    assert_eq!(fault.kind(), FaultKind::InvalidParameter);
    assert!(
        fault
            .message()
            .contains("unknown variant `odd`, expected one of `internal`"),
        "{fault}"
    );
}

#[test]
fn attach_answers_bytes_with_their_content_type() {
    let bench = bench();
    let attachment = bench
        .node_method("attach", json!({}))
        .http_method("GET")
        .attachment()
        .unwrap();
    assert_eq!(attachment.content_type, "application/octet-stream");
    assert_eq!(attachment.bytes, (0..=255).collect::<Vec<u8>>());
}

#[test]
fn every_node_is_valid_and_the_password_is_secret() {
    let bench = bench();
    bench.validate_node(json!({})).unwrap();
    bench
        .validate_node(json!({"fake_address": "192.0.2.7", "other": 1}))
        .unwrap();
    assert_eq!(bench.manifest()["properties"]["fake_password"]["secret"], true);
    assert_eq!(bench.manifest()["properties"]["fake_address"]["required"], false);
    let fault = bench
        .validate_node(json!({"fake_password": ["hunter2"]}))
        .unwrap_err();
    assert_eq!(
        fault.message(),
        "driver_info property 'fake_password' must be a string, found an array"
    );
}

#[test]
fn power_is_unknown_until_it_is_changed_and_then_where_each_target_leads() {
    let bench = bench();
    assert_eq!(bench.power_state(json!({})).unwrap(), PowerState::Unknown);
    for (target, state) in [
        (PowerTarget::On, PowerState::On),
        (PowerTarget::SoftOff, PowerState::Off),
        (PowerTarget::Reboot, PowerState::On),
        (PowerTarget::Off, PowerState::Off),
        (PowerTarget::SoftReboot, PowerState::On),
    ] {
        let change = PowerChange {
            target,
            timeout: None,
        };
        bench.set_power(json!({}), change).unwrap();
        assert_eq!(bench.power_state(json!({})).unwrap(), state, "{target}");
    }
}

#[test]
fn the_boot_device_is_ironic_s_until_it_is_changed() {
    let bench = bench();
    let boots = |device, persistent| BootDevice {
        device: Some(device),
        persistent: Some(persistent),
    };
    assert_eq!(
        bench.boot_device(json!({})).unwrap(),
        boots(BootDeviceName::Pxe, false)
    );
    let change = BootDeviceChange {
        device: BootDeviceName::Cdrom,
        persistent: true,
    };
    bench.set_boot_device(json!({}), change).unwrap();
    assert_eq!(
        bench.boot_device(json!({})).unwrap(),
        boots(BootDeviceName::Cdrom, true)
    );
}

#[test]
fn an_nmi_goes_to_the_log() {
    let bench = bench();
    bench.inject_nmi(json!({})).unwrap();
    assert!(
        bench.log()[0].message.ends_with(" were interrupted"),
        "{:?}",
        bench.log()
    );
}

#[test]
fn changes_take_their_delays_and_stop_when_nobody_waits() {
    let config = json!({"power_delay_ms": 600_000, "management_delay_ms": 600_000});
    let bench = TestBench::new::<Fake>(config).unwrap();
    for (method, args) in [
        ("power:set", json!({"target": "power on"})),
        ("management:set_boot_device", json!({"boot_device": "disk"})),
        ("management:inject_nmi", json!({})),
    ] {
        let call = bench.node_method(method, json!({})).args(args);
        let started = call.deadline(Duration::from_secs(60)).start().unwrap();
        started.cancel();
        let fault = started.wait().unwrap_err();
        assert!(
            fault.message().contains("nobody waits for the answer any more"),
            "{fault}"
        );
    }
    assert_eq!(bench.power_state(json!({})).unwrap(), PowerState::Unknown);
}
