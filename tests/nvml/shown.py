"""Measure what a container is shown, in a process of its own: NVML's library is found before Python starts.

Each line of stdin is a JSON document ``{"answers", "slots", "control"}``: what the stand-in of NVML answers, pairs
of id and kind, and the file that comes with NVIDIA's devices. Each line of stdout is how the slots are used.
"""

import json
import os
import pathlib
import sys

from allotment.inventory import shown
from allotment.model.devices import SlotKind

for line in sys.stdin:
    asked = json.loads(line)
    pathlib.Path(os.environ["ALLOTMENT_TEST_NVML"]).write_text(asked["answers"], encoding="utf-8")
    shown.CONTROL = pathlib.Path(asked["control"])
    slots = [shown.Slot(slot, SlotKind(kind)) for slot, kind in asked["slots"]]
    uses = [use.model_dump(mode="json") for use in shown.measure_shown(slots)]
    print(json.dumps(uses), flush=True)  # noqa: T201 - its answer
