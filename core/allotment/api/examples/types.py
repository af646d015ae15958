"""Examples of instance types, quotas, and versions of software."""

from __future__ import annotations

from typing import Any

from allotment.api.examples.things import AT, EARLIER

INSTANCE_TYPE: dict[str, Any] = {
    "name": "g5.xlarge",
    "title": "One A10G",
    "price": "1.258",
    "limit": 8,
    "vcpus": 4,
    "quota": "L-DB2E81BA",
    "enabled": True,
    "held": 7,
    "most": 8,
    "source": "typed in",
    "percent": 87,
    "warning": "7 of 8 instances of g5.xlarge are taken (typed in): 87 % of the limit.",
    "profiles": ["a10g"],
    "revision": 2,
}
QUOTA: dict[str, Any] = {
    "code": "L-DB2E81BA",
    "region": "eu-central-1",
    "title": "Running On-Demand G and VT instances",
    "unit": "vCPU",
    "value": 64,
    "used": 32,
    "held": 28,
    "read_at": EARLIER,
    "tried_at": AT,
}
SOFTWARE: dict[str, Any] = {
    "profile": "a10g",
    "profile_title": "One A10G",
    "software": "pytorch",
    "title": "PyTorch",
    "version": "2026.11",
    "image": "registry.example.org/pytorch:2026.11",
    "update_by": AT,
    "current": 1,
    "behind": ["hub~analyst-1~train"],
    "releases": [
        {
            "version": "2026.11",
            "notes": "PyTorch 2.9 and CUDA 13.",
            "published_at": AT,
            "update_by": AT,
            "servers": ["hub~analyst-2~notes"],
        },
        {"version": "2026.10", "published_at": EARLIER, "servers": ["hub~analyst-1~train"]},
    ],
}
TYPE_ANSWERS: dict[str, Any] = {
    "Software": SOFTWARE,
    "SoftwareListing": {"items": [SOFTWARE], "sequence": 4711},
    "InstanceType": INSTANCE_TYPE,
    "InstanceTypeListing": {
        "items": [INSTANCE_TYPE],
        "quotas": [QUOTA],
        "region": "eu-central-1",
        "warnings": [],
        "next": None,
        "sequence": 4711,
    },
}
_WANTED = {"title": "One A10G", "price": "1.258", "limit": 8, "vcpus": 4, "quota": "L-DB2E81BA"}
TYPE_BODIES: dict[str, dict[str, Any]] = {
    "NewInstanceType": {"name": "g5.xlarge", **_WANTED},
    "InstanceTypeEdit": {"price": "1.21", "limit": 10},
    "TypeRevocation": {"reason": "The account's budget for this month is used up"},
}
