"""Switches a node with openstacksdk's baremetal proxy; prints what it saw as one JSON document."""

import json
import sys

import openstack

url = sys.argv[1]
cloud = openstack.connect(
    auth_type="none",
    endpoint=url,
    baremetal_endpoint_override=url,
    load_yaml_config=False,
    load_envvars=False,
)
metal = cloud.baremetal
seen = {}


def states():
    node = metal.get_node("n1")
    return [node.power_state, node.target_power_state]


metal.set_node_power_state("n1", "power on", wait=True, timeout=120)
seen["on"] = states()
metal.set_node_power_state("n1", "soft power off", wait=True, timeout=120)
seen["off"] = states()
metal.set_node_power_state("n1", "rebooting", wait=True, timeout=120)
metal.wait_for_node_power_state("n1", "power on", timeout=120)
seen["rebooted"] = states()[0]
metal.set_node_boot_device("n1", "disk", persistent=True)
seen["boot device"] = metal.get_node_boot_device("n1")
seen["supported"] = metal.get_node_supported_boot_devices("n1")["supported_boot_devices"]
metal.inject_nmi_to_node("n1")
validation = metal.validate_node("n1", required=["power", "management"])
seen["validated"] = [validation[name].result for name in ("power", "management")]
print(json.dumps(seen))
