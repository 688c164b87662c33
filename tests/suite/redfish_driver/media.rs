//! Virtual media: the emulator really fetches the images.

use serde_json::json;
use suite::{ImageServer, Sushy};

use super::{call, fails, host_of, succeeds};

fn drive(sushy: &Sushy, name: &str) -> String {
    format!("{}/VirtualMedia/{name}", sushy.system_path())
}

#[test]
fn an_image_is_fetched_and_inserted_replaced_and_ejected() {
    let (sushy, images) = (Sushy::start(), ImageServer::start());
    let host = host_of(&sushy);
    let first = succeeds(
        &host,
        "insert_vmedia",
        json!({"image_url": images.url("first.iso")}),
    );
    assert_eq!(first["inserted"], drive(&sushy, "Cd"));
    let cd = sushy.get(&drive(&sushy, "Cd"));
    assert_eq!(
        (&cd["Image"], &cd["Inserted"]),
        (&json!(images.url("first.iso")), &json!(true))
    );
    assert_eq!(images.served(), 1);

    succeeds(
        &host,
        "insert_vmedia",
        json!({"image_url": images.url("first.iso")}),
    );
    assert_eq!(images.served(), 1, "what is inserted is not inserted again");
    let second = json!({"image_url": images.url("second.iso"), "boot_device": "dvd", "write_protected": false,
                        "username": "reader", "password": "secret-of-the-image"});
    succeeds(&host, "insert_vmedia", second);
    let cd = sushy.get(&drive(&sushy, "Cd"));
    assert_eq!(cd["Image"], images.url("second.iso"), "a CD drive takes DVDs");
    assert_eq!(
        (&cd["WriteProtected"], &cd["UserName"]),
        (&json!(false), &json!("reader"))
    );
    assert!(!host.log.text().contains("secret-of-the-image"));

    succeeds(
        &host,
        "insert_vmedia",
        json!({"image_url": images.url("key.img"), "boot_device": "usb"}),
    );
    assert_eq!(
        sushy.get(&drive(&sushy, "Floppy"))["Image"],
        images.url("key.img")
    );
    let ejected = succeeds(&host, "eject_vmedia", json!({"boot_device": "cd"}));
    assert_eq!(ejected, json!({"ejected": [drive(&sushy, "Cd")]}));
    assert_eq!(sushy.get(&drive(&sushy, "Cd"))["Inserted"], false);
    assert_eq!(
        sushy.get(&drive(&sushy, "Floppy"))["Inserted"],
        true,
        "the other drive keeps its image"
    );
    assert_eq!(
        succeeds(&host, "eject_vmedia", json!({"boot_device": "cd"})),
        json!({"ejected": []})
    );
    succeeds(&host, "eject_vmedia", json!({}));
    assert_eq!(
        sushy.get(&drive(&sushy, "Floppy"))["Inserted"],
        false,
        "without a device, all drives"
    );
}

#[test]
fn an_image_that_cannot_be_fetched_fails_with_the_devices_own_words() {
    let sushy = Sushy::start();
    let host = host_of(&sushy);
    let nowhere = json!({"image_url": "http://127.0.0.1:1/boot.iso"});
    fails(
        &host,
        "insert_vmedia",
        nowhere,
        "unavailable",
        "Failed fetching image from URL http://127.0.0.1:1/boot.iso",
    );
    assert_eq!(sushy.get(&drive(&sushy, "Cd"))["Inserted"], false);
}

#[test]
fn arguments_that_make_no_sense_are_refused_before_anything_runs() {
    let sushy = Sushy::start();
    let host = host_of(&sushy);
    call(&host, "POST", "eject_vmedia", json!({"boot_device": "tape"})).refused(
        400,
        "argument 'boot_device' of method 'eject_vmedia': unknown variant `tape`, expected one of `cd`",
    );
    call(&host, "POST", "insert_vmedia", json!({}))
        .refused(400, "Parameter 'image_url' not passed to method 'insert_vmedia'.");
    call(&host, "POST", "insert_vmedia", json!({"image_url": "boot.iso"}))
        .refused(400, "expected an absolute URL");
    let open = json!({"image_url": "http://u:hunter2@192.0.2.1/boot.iso"});
    let text = call(&host, "POST", "insert_vmedia", open)
        .refused(400, "give a user and a password as username and password");
    assert!(!text.contains("hunter2"), "{text}");
    call(&host, "GET", "eject_vmedia", json!({}))
        .refused(400, "The method eject_vmedia does not support HTTP GET");
}
