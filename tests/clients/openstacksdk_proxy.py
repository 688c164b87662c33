"""Uses openstacksdk's baremetal proxy; prints what it got as one JSON document."""

import json
import sys

import openstack
from openstack import exceptions

url = sys.argv[1]
cloud = openstack.connect(
    auth_type="none",
    endpoint=url,
    baremetal_endpoint_override=url,
    load_yaml_config=False,
    load_envvars=False,
)
metal = cloud.baremetal


def fault(call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except exceptions.HttpException as error:
        return {"type": type(error).__name__, "status": error.status_code, "text": str(error)}
    return None


def plain(resource):
    """A resource without what the SDK adds to it."""
    return {k: v for k, v in resource.to_dict(computed=False).items() if v is not None}


def answer(response):
    return {
        "status": response.status_code,
        "type": response.headers.get("Content-Type"),
        "text": response.text,
    }


seen = {}
seen["drivers"] = [plain(driver) for driver in metal.drivers()]
seen["drivers in full"] = [plain(driver) for driver in metal.drivers(details=True)]
seen["driver"] = plain(metal.get_driver("fake"))
seen["driver methods"] = metal.list_driver_vendor_passthru("fake")
seen["driver echo"] = {
    verb: answer(metal.call_driver_vendor_passthru("fake", verb, "echo", body={"a": 1}))
    for verb in ("GET", "POST", "PUT", "DELETE")
}

node = metal.create_node(driver="fake", name="n1", extra={"k": "v"}, driver_info={"user": "x"})
seen["created"] = plain(node)
seen["nodes"] = [plain(n) for n in metal.nodes()]
seen["nodes in full"] = [plain(n) for n in metal.nodes(details=True)]
seen["found"] = plain(metal.find_node("n1"))
seen["updated"] = plain(metal.update_node(node, extra={"k": "w"}, resource_class="gold"))
patch = [{"op": "add", "path": "/extra/x", "value": [1]}]
seen["patched"] = plain(metal.patch_node(node, patch))
validation = metal.validate_node("n1", required=None)
seen["validated"] = {name: v.result for name, v in validation.items()}
metal.set_node_maintenance("n1", reason="fan")
held = metal.get_node("n1")
seen["in maintenance"] = [held.is_maintenance, held.maintenance_reason]
metal.unset_node_maintenance("n1")
free = metal.get_node("n1")
seen["out of maintenance"] = [free.is_maintenance, free.maintenance_reason]

seen["node methods"] = metal.list_node_vendor_passthru("n1")
call = metal.call_node_vendor_passthru
seen["node echo"] = {
    verb: answer(call("n1", verb, "echo_sync", body={"a": 1}))
    for verb in ("GET", "POST", "PUT", "DELETE")
}
seen["true"] = answer(call("n1", "POST", "third_method_sync", body={"bar": "meow"}))
seen["bytes"] = answer(call("n1", "GET", "attach"))
seen["async"] = answer(call("n1", "POST", "first_method", body={"bar": "baz"}))
seen["faults"] = {
    "unknown method": fault(call, "n1", "POST", "nope"),
    "missing argument": fault(call, "n1", "POST", "second_method"),
    "not found": fault(call, "n1", "POST", "fail_sync", {"kind": "not_found", "message": "no such fan"}),
    "unknown node": fault(metal.get_node, "n2"),
    "unknown driver": fault(metal.get_driver, "nope"),
    "bad node": fault(metal.create_node, driver="nope"),
}
metal.delete_node("n1")
seen["after delete"] = [n.name for n in metal.nodes()]
print(json.dumps(seen))
