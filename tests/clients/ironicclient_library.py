"""Uses python-ironicclient as a library; prints what it got as one JSON document."""

import json
import sys
import time

from ironicclient import client, exc

url = sys.argv[1]


def connect(version=None):
    return client.get_client(
        1, auth_type="none", endpoint=url, os_ironic_api_version=version, max_retries=0
    )


def fault(call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except exc.ClientException as error:
        return {"type": type(error).__name__, "text": str(error)}
    return None


def plain(resource):
    return None if resource is None else resource.to_dict()


seen = {}
ironic = connect("1.77")
seen["drivers"] = [driver.to_dict() for driver in ironic.driver.list()]
seen["driver"] = plain(ironic.driver.get("fake"))
seen["properties"] = ironic.driver.properties("fake")
seen["driver methods"] = ironic.driver.get_vendor_passthru_methods("fake")
seen["driver echo"] = {
    verb: plain(ironic.driver.vendor_passthru("fake", "echo", args={"a": 1}, http_method=verb))
    for verb in ("POST", "PUT", "PATCH", "GET", "DELETE")
}

node = ironic.node.create(driver="fake", name="n1", extra={"k": "v"}, driver_info={"user": "x"})
seen["created"] = plain(node)
seen["list"] = [n.to_dict() for n in ironic.node.list()]
seen["list in full"] = [n.to_dict() for n in ironic.node.list(detail=True)]
seen["list of fields"] = [n.to_dict() for n in ironic.node.list(fields=["name", "driver"])]
seen["shown"] = plain(ironic.node.get("n1"))
patch = [{"op": "add", "path": "/extra/x", "value": [1]}, {"op": "remove", "path": "/extra/k"}]
seen["patched"] = plain(ironic.node.update(node.uuid, patch))
seen["validated"] = plain(ironic.node.validate("n1"))
ironic.node.set_maintenance("n1", True, maint_reason="fan")
seen["in maintenance"] = plain(ironic.node.get("n1", fields=["maintenance", "maintenance_reason"]))
ironic.node.set_maintenance("n1", False)
seen["out of maintenance"] = plain(ironic.node.get("n1", fields=["maintenance", "maintenance_reason"]))
seen["node methods"] = ironic.node.get_vendor_passthru_methods("n1")
seen["node echo"] = {
    verb: plain(ironic.node.vendor_passthru("n1", "echo_sync", args={"a": 1}, http_method=verb))
    for verb in ("POST", "PUT", "PATCH", "GET", "DELETE")
}
seen["async"] = plain(ironic.node.vendor_passthru("n1", "first_method", args={"bar": "baz"}))
while ironic.node.get("n1").reservation:  # the async call may still run
    time.sleep(0.1)

passthru = ironic.node.vendor_passthru
seen["faults"] = {
    "unknown method": fault(passthru, "n1", "nope"),
    "missing argument": fault(passthru, "n1", "second_method"),
    "internal": fault(passthru, "n1", "fail_sync", args={"kind": "internal", "message": "boom"}),
    "unknown node": fault(passthru, "n2", "echo_sync"),
    "unknown driver": fault(ironic.driver.get, "nope"),
    "name taken": fault(ironic.node.create, driver="fake", name="n1"),
    "unknown version": fault(connect("1.115").driver.list),
}
passthru("n1", "sleep_async", args={"seconds": 600})
seen["faults"]["locked"] = fault(passthru, "n1", "echo_sync")

# without a version the library negotiates by itself
seen["negotiated"] = [driver.name for driver in connect().driver.list()]

other = ironic.node.create(driver="fake")
ironic.node.delete(other.uuid)
seen["deleted"] = fault(ironic.node.get, other.uuid)
print(json.dumps(seen))
