//! What is shown of a node, and to whom.

use super::*;

#[tokio::test]
async fn a_node_shows_the_fields_of_the_version_in_ironics_order() {
    let host = Host::new().await;
    let node = host.node("n1").await;
    let path = format!("/v1/nodes/{}", node.uuid());
    let old = host.get(1, &path).await;
    assert_eq!(
        keys(&old.body),
        [
            "uuid",
            "created_at",
            "updated_at",
            "console_enabled",
            "driver",
            "driver_info",
            "extra",
            "instance_info",
            "instance_uuid",
            "last_error",
            "maintenance",
            "maintenance_reason",
            "power_state",
            "properties",
            "provision_state",
            "provision_updated_at",
            "reservation",
            "target_power_state",
            "target_provision_state",
            "chassis_uuid",
            "links",
        ]
    );
    let new = host.get(77, &path).await;
    for (field, value) in [
        ("uuid", json!(node.uuid())),
        ("name", json!("n1")),
        ("driver", json!("gone")),
        ("vendor_interface", json!("gone")),
        ("boot_interface", Value::Null),
        ("provision_state", json!("enroll")),
        ("conductor", Value::Null),
        ("conductor_group", json!("")),
        ("traits", json!([])),
        ("clean_step", json!({})),
        ("updated_at", Value::Null),
        ("secure_boot", Value::Null),
        (
            "links",
            json!([
                {"href": format!("http://bm:1/v1/nodes/{}", node.uuid()), "rel": "self"},
                {"href": format!("http://bm:1/nodes/{}", node.uuid()), "rel": "bookmark"},
            ]),
        ),
    ] {
        assert_eq!(new.body[field], value, "{field}");
    }
    let time = new.body["created_at"].as_str().unwrap();
    assert!(
        time.len() == 32 && time.ends_with("+00:00") && time.as_bytes()[19] == b'.',
        "{time}"
    );
}

#[tokio::test]
async fn a_name_addresses_a_node_from_1_5_on() {
    let host = Host::new().await;
    host.node("n1").await;
    let fault = host.get(4, "/v1/nodes/n1").await.fault();
    assert_eq!(fault, (404, "Node n1 could not be found.".to_owned()));
    assert_eq!(host.get(5, "/v1/nodes/n1").await.body["name"], "n1");
}

#[tokio::test]
async fn chosen_fields_come_in_the_order_asked_for() {
    let host = Host::new().await;
    host.node("n1").await;
    let answer = host.get(77, "/v1/nodes/n1?fields=driver,uuid,driver").await;
    assert_eq!(keys(&answer.body), ["driver", "uuid", "links"]);
    let fault = host.get(77, "/v1/nodes/n1?fields=uuid,bogus,x").await.fault();
    assert_eq!(fault, (400, "Field(s) \"bogus, x\" are not valid.".to_owned()));
    assert_eq!(host.get(7, "/v1/nodes?fields=uuid").await.status.as_u16(), 406);
    assert_eq!(
        host.get(30, "/v1/nodes?fields=vendor_interface")
            .await
            .status
            .as_u16(),
        406
    );
    assert_eq!(
        host.get(77, "/v1/nodes/n1?foo=1").await.fault(),
        (400, "Unexpected arguments: foo".to_owned())
    );
}

#[tokio::test]
async fn secrets_are_masked_wherever_a_node_is_shown() {
    let host = Host::new().await;
    let info =
        json!({"ipmi_password": "geheim", "deep": [{"token": "geheim"}], "oem_door": "geheim", "a": 1});
    let driver_info = JsonObject::new(info.as_object().unwrap());
    let fields = NodeFields {
        name: Some("n1".into()),
        extra: driver_info.clone(),
        driver_info,
        ..NodeFields::default()
    };
    host.node_with(fields).await;
    host.api
        .nodes
        .remember_secrets("gone", &["oem_door"])
        .await
        .unwrap();
    let masked =
        json!({"ipmi_password": "******", "deep": [{"token": "******"}], "oem_door": "******", "a": 1});
    for path in [
        "/v1/nodes/n1",
        "/v1/nodes/detail",
        "/v1/nodes?detail=true",
        "/v1/nodes?fields=extra,driver_info",
    ] {
        let answer = host.get(77, path).await;
        assert!(!answer.body.to_string().contains("geheim"), "{path}");
        let node = answer.body.get("nodes").map_or(&answer.body, |nodes| &nodes[0]);
        assert_eq!(
            (&node["driver_info"], &node["extra"]),
            (&masked, &masked),
            "{path}"
        );
    }
    let answer = host
        .patch(
            "n1",
            &json!([{"op": "add", "path": "/driver_info", "value": masked}]),
        )
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(!answer.body.to_string().contains("geheim"));
    let kept: Value = serde_json::from_str(host.api.nodes.find("n1").unwrap().driver_info()).unwrap();
    assert_eq!(kept, info, "what was shown and sent back changes nothing");
    let answer = host
        .patch(
            "n1",
            &json!([{"op": "add", "path": "/extra/new_password", "value": "******"}]),
        )
        .await;
    let (status, text) = answer.fault();
    assert!(
        status == 400 && text.starts_with("/extra/new_password is \"******\""),
        "{text}"
    );
    let answer = host
        .patch(
            "n1",
            &json!([{"op": "replace", "path": "/driver_info/my_password", "value": "geheim2"}]),
        )
        .await;
    let (status, text) = answer.fault();
    assert!(
        status == 400 && text.contains("'value': '******'") && !text.contains("geheim2"),
        "{text}"
    );
}

#[tokio::test]
async fn a_node_without_its_driver_is_visible_and_its_validation_says_so() {
    let host = Host::new().await;
    let node = host.node("n1").await;
    for path in [
        "/v1/nodes/n1/validate".to_owned(),
        format!("/v1/nodes/validate?node_uuid={}", node.uuid()),
    ] {
        let report = host.get(77, &path).await.body;
        assert_eq!(report["vendor"]["result"], false, "{report}");
        assert!(
            report["vendor"]["reason"].as_str().unwrap().contains("gone"),
            "{report}"
        );
        assert_eq!(report["boot"], json!({"result": null, "reason": "not supported"}));
    }
    assert_eq!(
        host.get(77, "/v1/nodes/nope/validate").await.fault().1,
        "Node nope could not be found."
    );
    assert_eq!(
        host.get(77, "/v1/nodes/validate").await.fault().1,
        "Missing mandatory parameter: node_uuid"
    );
}

#[tokio::test]
async fn states_are_those_of_a_node_that_nobody_has_made_ready() {
    let host = Host::new().await;
    host.node("n1").await;
    let states = host.get(77, "/v1/nodes/n1/states").await.body;
    assert_eq!(
        states,
        json!({
            "console_enabled": false, "last_error": null, "power_state": null, "provision_state": "enroll",
            "target_power_state": null, "target_provision_state": null, "provision_updated_at": null,
            "raid_config": {}, "target_raid_config": {}, "boot_mode": null, "secure_boot": null
        })
    );
    assert_eq!(keys(&host.get(5, "/v1/nodes/n1/states").await.body).len(), 7);
}
