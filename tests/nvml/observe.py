"""Look at devices again and again, in a process of its own: NVML's library is found before Python starts.

Reads ``{"node", "declared", "known", "answers", "measure"}`` from stdin: what the stand-in of NVML answers at each look.
Writes what was found at each look, and how the devices in ``measure`` are used at the last.
"""

import json
import os
import pathlib
import sys
from dataclasses import asdict

from allotment.inventory import Inventory
from allotment.inventory.measuring import measure
from allotment.model.devices import DeviceOrigin, DeviceSpec

asked = json.load(sys.stdin)
declared = asked["declared"] and [
    DeviceSpec(**spec, origin=DeviceOrigin.SETTINGS) for spec in asked["declared"]
]
inventory = Inventory(declared, known=asked["known"], node=asked["node"])
looks = []
for answer in asked["answers"]:
    pathlib.Path(os.environ["ALLOTMENT_TEST_NVML"]).write_text(answer, encoding="utf-8")
    looks.append(asdict(inventory.observe()))
uses = [use.model_dump(mode="json") for use in measure([tuple(pair) for pair in asked["measure"]])]
json.dump({"looks": looks, "uses": uses}, sys.stdout)
