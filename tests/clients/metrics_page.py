"""Reads /metrics with Prometheus' own parser and prints what it found as one JSON document."""

import json
import sys
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

with urllib.request.urlopen(sys.argv[1] + "/metrics") as reply:
    content_type = reply.headers["Content-Type"]
    text = reply.read().decode()

families = [
    {
        "name": family.name,
        "type": family.type,
        "help": family.documentation,
        "samples": [
            {"name": sample.name, "labels": sample.labels, "value": str(sample.value)}
            for sample in family.samples
        ],
    }
    for family in text_string_to_metric_families(text)
]
print(json.dumps({"content_type": content_type, "families": families}))
