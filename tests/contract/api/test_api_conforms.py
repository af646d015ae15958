"""The API keeps its description's word: whatever is sent, no fault and no answer that is not documented."""

from __future__ import annotations

import os
from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from allotment.api.application import routed
from allotment.api.describing import describe

schema = schemathesis.openapi.from_dict(describe(routed()))
# Parameters that a route does not know are left aside, as everywhere on the web; and who may ask is
# tested route by route elsewhere.
schema.config.generation.allow_extra_parameters = False
schema.config.generation.with_security_parameters = False
schema.config.checks.negative_data_rejection.expected_statuses = ["413", "4xx"]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]


@schema.parametrize()
@settings(
    max_examples=200 if os.environ.get("ALLOTMENT_SOAK") == "1" else 8,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
def test_no_request_finds_a_fault_or_an_undocumented_answer(
    long_lived: Any, case: schemathesis.Case
) -> None:
    token = "analyst-1s-server" if case.path.endswith("/reports") else "olga+"
    headers = {"Authorization": f"Bearer {token}"}

    if case.query:
        case.query.pop("wait", None)  # a long poll would be waited for

    case.call_and_validate(
        base_url=f"{long_lived.origin}/services/allotment", headers=headers, checks=CHECKS
    )
