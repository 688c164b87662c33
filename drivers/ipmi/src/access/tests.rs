use driver_sdk::prelude::*;
use driver_sdk::FaultKind;

use super::*;

/// A device of which a test changes one thing.
fn device() -> Device {
    Device {
        ipmi_address: "192.0.2.7".to_owned(),
        ipmi_port: 623,
        ipmi_username: Some("admin".to_owned()),
        ipmi_password: "secret12".to_owned(),
        ipmi_priv_level: "ADMINISTRATOR".to_owned(),
        ipmi_protocol_version: "2.0".to_owned(),
        ipmi_cipher_suite: None,
        ipmi_hex_kg_key: None,
        ipmi_bridging: "no".to_owned(),
        ipmi_target_channel: None,
        ipmi_target_address: None,
        ipmi_transit_channel: None,
        ipmi_transit_address: None,
        ipmi_local_address: None,
        ipmi_force_boot_device: false,
        ipmi_disable_boot_timeout: true,
    }
}

fn refused(change: impl FnOnce(&mut Device)) -> (FaultKind, String) {
    let mut device = device();
    change(&mut device);
    match Access::check(device) {
        Ok(_) => panic!("it was not refused"),
        Err(fault) => (fault.kind(), fault.message().to_owned()),
    }
}

fn bridge(change: impl FnOnce(&mut Device)) -> Vec<(&'static str, u8)> {
    let mut device = device();
    change(&mut device);
    Access::check(device).ok().map(|access| access.bridge).unwrap()
}

#[test]
fn names_and_addresses_of_every_kind_are_taken() {
    for address in [
        "192.0.2.7",
        "bmc-7.example.org",
        "rack_7",
        "2001:db8::7",
        "fe80::1%eth0",
    ] {
        let access = Access::check(Device {
            ipmi_address: address.to_owned(),
            ..device()
        });
        assert_eq!(access.ok().unwrap().place.address, address);
    }
}

#[test]
fn one_bmc_has_one_place_however_its_name_is_written() {
    let place = |address: &str| {
        let access = Access::check(Device {
            ipmi_address: address.to_owned(),
            ..device()
        });
        access.ok().unwrap().place
    };
    assert_eq!(place("BMC7.Example.org"), place("bmc7.example.org"));
    assert_ne!(place("fe80::1%Rack"), place("fe80::1%rack"));
    assert_eq!(place("bmc7").to_string(), "bmc7:623");
    assert_eq!(place("2001:DB8::7").to_string(), "[2001:db8::7]:623");
}

#[test]
fn an_address_that_is_none_is_refused() {
    for address in ["", "-V", "-", "a b", "a\nb", "$(id)", "a;b", "a/b", "\u{e9}"] {
        let (kind, text) = refused(|device| device.ipmi_address = address.to_owned());
        assert_eq!(kind, FaultKind::InvalidParameter, "{address:?}");
        assert!(
            text.contains("'ipmi_address' must be a host name or an IP address"),
            "{text}"
        );
    }
}

#[test]
fn what_the_protocol_cannot_carry_is_refused_without_showing_secrets() {
    let (_, text) = refused(|device| device.ipmi_username = Some("a-name-that-is-17b".to_owned()));
    assert!(
        text.contains("'ipmi_username' must be at most 16 bytes"),
        "{text}"
    );
    for password in ["hunter2-and-21-bytes!", "hunter2\n", "hunter2\0"] {
        let (_, text) = refused(|device| device.ipmi_password = password.to_owned());
        assert!(
            text.contains("'ipmi_password' must be at most 20 bytes"),
            "{text}"
        );
        assert!(!text.contains("hunter2"), "{text}");
    }
    let (_, text) = refused(|device| {
        device.ipmi_protocol_version = "1.5".to_owned();
        device.ipmi_password = "seventeen-bytes-!".to_owned();
    });
    assert!(text.contains("at most 16 bytes"), "{text}");
}

#[test]
fn words_of_a_list_are_checked_against_it() {
    let (_, text) = refused(|device| device.ipmi_priv_level = "ROOT".to_owned());
    assert!(
        text.contains("one of ADMINISTRATOR, OPERATOR, USER, CALLBACK, found \"ROOT\""),
        "{text}"
    );
    let (_, text) = refused(|device| device.ipmi_protocol_version = "3.0".to_owned());
    assert!(text.contains("must be 2.0 or 1.5, found \"3.0\""), "{text}");
    let (_, text) = refused(|device| device.ipmi_bridging = "triple".to_owned());
    assert!(
        text.contains("one of no, single, dual, found \"triple\""),
        "{text}"
    );
    let (_, text) = refused(|device| device.ipmi_port = 0);
    assert!(text.contains("'ipmi_port' must be 1 to 65535"), "{text}");
}

#[test]
fn a_cipher_suite_needs_version_2() {
    let (_, text) = refused(|device| {
        device.ipmi_protocol_version = "1.5".to_owned();
        device.ipmi_cipher_suite = Some(3);
    });
    assert!(
        text.contains("'ipmi_cipher_suite' needs ipmi_protocol_version 2.0"),
        "{text}"
    );
}

#[test]
fn a_kg_key_is_an_even_number_of_hexadecimal_digits_and_never_shown() {
    let key = |digits: &str| {
        let access = Access::check(Device {
            ipmi_hex_kg_key: Some(digits.to_owned()),
            ..device()
        });
        access.map(|access| access.kg_key.unwrap())
    };
    assert_eq!(key("0aFF31").ok().unwrap(), [0x0a, 0xff, 0x31]);
    assert_eq!(key("3132000000").ok().unwrap(), [0x31, 0x32]);
    for (digits, part) in [
        ("abc", "Number of ipmi_hex_kg_key characters is not even"),
        ("abcx", "at most 40 hexadecimal digits"),
        ("\u{e9}\u{e9}", "at most 40 hexadecimal digits"),
        (&"ab".repeat(21), "at most 40 hexadecimal digits"),
        ("ab00cd", "a zero byte before its end"),
    ] {
        let text = key(digits).err().unwrap().message().to_owned();
        assert!(text.contains(part) && !text.contains(digits), "{text}");
    }
}

#[test]
fn bridging_takes_what_it_needs_and_nothing_without_it() {
    let all = |device: &mut Device| {
        device.ipmi_target_channel = Some("7".to_owned());
        device.ipmi_target_address = Some("0x72".to_owned());
        device.ipmi_transit_channel = Some("0".to_owned());
        device.ipmi_transit_address = Some("0x82".to_owned());
        device.ipmi_local_address = Some("0x20".to_owned());
    };
    let kind = |kind: &'static str| {
        bridge(|device| {
            all(device);
            device.ipmi_bridging = kind.to_owned();
        })
    };
    assert_eq!(kind("no"), []);
    assert_eq!(kind("single"), [("-m", 0x20), ("-b", 7), ("-t", 0x72)]);
    assert_eq!(
        kind("dual"),
        [("-m", 0x20), ("-b", 7), ("-t", 0x72), ("-B", 0), ("-T", 0x82)]
    );
}

#[test]
fn bridging_without_what_it_needs_names_all_that_is_missing() {
    let (kind, text) = refused(|device| {
        device.ipmi_bridging = "dual".to_owned();
        device.ipmi_target_address = Some("0x72".to_owned());
    });
    assert_eq!(kind, FaultKind::MissingParameter);
    assert_eq!(
        text,
        "Missing the following driver_info properties for dual bridging: \
         ipmi_target_channel, ipmi_transit_channel, ipmi_transit_address"
    );
}

#[test]
fn parts_of_a_bridge_are_numbers() {
    for value in ["-V", "16", "0x10", "seven", ""] {
        let (_, text) = refused(|device| {
            device.ipmi_bridging = "single".to_owned();
            device.ipmi_target_channel = Some(value.to_owned());
            device.ipmi_target_address = Some("0x72".to_owned());
        });
        assert!(
            text.contains("'ipmi_target_channel' must be a number from 0 to 15"),
            "{text}"
        );
    }
}

#[test]
fn the_types_of_the_properties_are_the_manifests() {
    let bench = crate::tests::bench(json!({}));
    let property = |name: &str| bench.manifest()["properties"][name].clone();
    for (name, json_type, default) in [
        ("ipmi_port", "integer", json!(623)),
        ("ipmi_priv_level", "string", json!("ADMINISTRATOR")),
        ("ipmi_protocol_version", "string", json!("2.0")),
        ("ipmi_bridging", "string", json!("no")),
        ("ipmi_cipher_suite", "integer", json!(null)),
        ("ipmi_force_boot_device", "boolean", json!(false)),
        ("ipmi_disable_boot_timeout", "boolean", json!(true)),
    ] {
        assert_eq!(property(name)["type"], json_type, "{name}");
        assert_eq!(property(name)["default"], default, "{name}");
        assert_eq!(property(name)["required"], false, "{name}");
    }
    assert_eq!(property("ipmi_address")["required"], true);
    assert_eq!(property("ipmi_password")["secret"], true);
    assert_eq!(property("ipmi_hex_kg_key")["secret"], true);
}
