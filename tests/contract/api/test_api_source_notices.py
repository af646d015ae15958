"""That a source was added reaches its users by the API, and their servers with the answers to reports."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from allotment.model.reports import ServerReport
from allotment.model.sources import Audience, Proof, Source, SourceKind, Verdict
from allotment.record import sources

pytestmark = pytest.mark.parametrize("store", ["sqlite"])


@pytest.mark.promise("DATA-4")
def test_me_and_the_answer_to_a_report_tell_the_same_of_a_source_to_test(
    data_api: Any, lab: Any
) -> None:
    with lab.write() as writing:
        audience = Audience(people=("bob",))
        source = Source("lake", SourceKind.FOLDER, fields={"path": "/srv"}, audience=audience)
        sources.create(writing, source, {})
        sources.proven(writing, "lake", Proof(writing.now, Verdict.READ_ONLY))
    data_api.plane.data.told.look(lab.now)
    report = ServerReport(
        kernels=0, kernels_busy=0, terminals=0, last_activity=datetime(2026, 3, 1, tzinfo=UTC)
    )

    with data_api.client("bob") as bob, data_api.client("bobs-server") as server:
        (noticed,) = [one for one in bob.me().notices if one.kind == "source"]
        (told,) = server.report(report).notices
    with data_api.client("zoe") as zoe, data_api.client("zoes-server") as others:
        elsewhere = (*zoe.me().notices, *others.report(report).notices)

    assert told == noticed
    assert (told.source, told.message) == (
        "lake",
        "The data source lake was added: test it from your server.",
    )
    assert elsewhere == ()
