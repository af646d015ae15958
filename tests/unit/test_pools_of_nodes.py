"""Pools of nodes in a settings file: what is wrong with them is said, and they are made, kept and written down."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from allotment.model.nodes import NodeRule
from allotment.model.refusals import SettingsInvalid
from allotment.record import Record, open_record, pools
from allotment.settings import parse_settings
from allotment.settings.declare import apply, export, plan

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CLUSTER = "kubernetes: {namespace: jupyter, image: notebook}\n"
BURST = CLUSTER + dedent("""\
    pools:
      - {name: burst, model: L4, nodes: {selector: {tier: burst}, maximum: 3, memory: 24GiB}}
      - {name: a100, nodes: {names: [dgx-1]}, sharing: true}
    groups: [{name: vision, shares: [{pool: burst, guaranteed: 2}]}]
    """)


@pytest.fixture
def record(tmp_path: Path) -> Any:
    opened = open_record(f"sqlite:///{tmp_path}/record.sqlite", migrate=True)
    yield opened
    opened.close()


@pytest.mark.promise("POOL-3")
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (CLUSTER + "pools: [{name: default, nodes: {names: [n1]}}]", "that no other pool holds"),
        (CLUSTER + "pools: [{name: a, devices: [x], nodes: {names: [n1]}}]", "not both"),
        (CLUSTER + "pools: [{name: a, nodes: {names: [n1], maximum: 2}}]", "needs its model"),
        (CLUSTER + "pools: [{name: a, nodes: {resource: nvidia.com/gpu}}]", "which nodes"),
        (CLUSTER + "pools: [{name: a, nodes: {names: [n1], label: x}}]", "label"),
        (CLUSTER + "pools: [{name: a, nodes: {names: [n1], resource: gpu}}]", "resource"),
    ],
)
def test_a_pool_of_nodes_that_cannot_be_made_is_named(text: str, problem: str) -> None:
    with pytest.raises(SettingsInvalid) as invalid:
        parse_settings(text, "f.yaml")
    assert any("pools[0]" in one and problem in one for one in invalid.value.problems)


@pytest.mark.promise("OPS-1")
def test_pools_of_nodes_are_made_once_and_come_back_by_restoring(record: Record) -> None:
    settings = parse_settings(BURST, "f.yaml")
    apply(record, settings, actor="operator", now=NOW)
    with record.reading() as reading:
        assert pools.get(reading, "a100").nodes == NodeRule(names=("dgx-1",))
        assert {use.pool: use.total for use in pools.use(reading)} == {
            "default": 0,
            "a100": 0,
            "burst": 3,
        }
        assert plan(reading, settings, now=NOW, restore=True) == ()
    with record.writing("operator", NOW) as writing:
        pools.set_nodes(writing, "a100", None)
    apply(record, settings, actor="operator", now=NOW, restore=True)
    with record.reading() as reading:
        assert pools.get(reading, "a100").nodes == NodeRule(names=("dgx-1",))


@pytest.mark.promise("OPS-1")
def test_pools_of_nodes_are_written_down_as_they_are_read(record: Record) -> None:
    apply(record, parse_settings(BURST, "f.yaml"), actor="operator", now=NOW)
    with record.reading() as reading:
        written = export(reading, now=NOW)
    again = parse_settings(written, "f.yaml")
    with record.reading() as reading:
        assert plan(reading, again, now=NOW, restore=True) == ()
