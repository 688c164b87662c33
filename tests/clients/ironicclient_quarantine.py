"""Calls methods of a driver that is quarantined; prints how python-ironicclient fails, as one JSON document."""

import json
import sys

from ironicclient import client, exc

ironic = client.get_client(
    1, auth_type="none", endpoint=sys.argv[1], os_ironic_api_version="1.77", max_retries=0
)


def fault(call, *args):
    try:
        call(*args)
    except exc.ClientException as error:
        return {"type": type(error).__name__, "text": str(error)}
    return None


seen = {
    "driver method": fault(ironic.driver.vendor_passthru, "slow", "echo"),
    "node method": fault(ironic.node.vendor_passthru, "n1", "hold"),
    "async node method": fault(ironic.node.vendor_passthru, "n1", "hold_async"),
}
print(json.dumps(seen))
