"""Look at devices, in a process of its own: NVML's library is found before Python starts.

Each line of stdin is a JSON document ``{"node", "declared", "known", "patience", "answers", "measure"}``, where
``answers`` is what the stand-in of NVML answers at each look. Each line of stdout is what was found at each look,
and how the devices in ``measure`` are used at the last.
"""

import json
import os
import pathlib
import sys
from dataclasses import asdict

from allotment.inventory import Inventory
from allotment.inventory.measuring import measure
from allotment.model.devices import DeviceOrigin, DeviceSpec

for line in sys.stdin:
    asked = json.loads(line)
    declared = asked["declared"] and [
        DeviceSpec(**spec, origin=DeviceOrigin.SETTINGS) for spec in asked["declared"]
    ]
    inventory = Inventory(
        declared, known=asked["known"], node=asked["node"], patience=asked["patience"]
    )
    looks = []
    for answer in asked["answers"]:
        pathlib.Path(os.environ["ALLOTMENT_TEST_NVML"]).write_text(answer, encoding="utf-8")
        found = inventory.observe()
        looks.append(asdict(found) | {"uses": [use.model_dump(mode="json") for use in found.uses]})
    pairs = [tuple(pair) for pair in asked["measure"]]
    uses = [use.model_dump(mode="json") for use in measure(pairs)]
    print(json.dumps({"looks": looks, "uses": uses}), flush=True)  # noqa: T201 - its answer
