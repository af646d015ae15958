"""What Kueue says of a pod that it has not admitted, from the workload that it made for it."""

from __future__ import annotations

from typing import Any

import pytest

from allotment_spawner.kubernetes.kueue import said

MORE = "couldn't assign flavors to pod set main: insufficient unused quota for cpu in flavor a, 9 more needed"


def condition(type_: str, status: str, message: str = "") -> dict[str, Any]:
    return {"type": type_, "status": status, "message": message}


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ({}, ""),
        ({"conditions": []}, ""),
        ({"conditions": [condition("QuotaReserved", "False", MORE)]}, f"{MORE}."),
        (
            {"conditions": [condition("QuotaReserved", "True", "Quota reserved in all")]},
            "its quota is reserved, its checks are not over.",
        ),
        (
            {
                "conditions": [condition("QuotaReserved", "True")],
                "admissionChecks": [
                    {"name": "nodes", "state": "Pending", "message": "a node is coming"},
                    {"name": "others", "state": "Ready", "message": ""},
                ],
            },
            "its quota is reserved, nodes is pending: a node is coming.",
        ),
        (
            {"conditions": [condition("QuotaReserved", "True"), condition("Admitted", "True")]},
            "",
        ),
    ],
    ids=["nothing yet", "not tried", "no quota", "checked", "one check pending", "admitted"],
)
def test_a_workloads_status_is_told_as_a_sentence(status: dict[str, Any], words: str) -> None:
    assert said({"status": status}) == words
