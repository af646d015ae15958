"""Instance types and the account in the settings: made once, compared, written down, and told to the control plane."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from allotment.model.instance_types import InstanceType
from allotment.model.refusals import SettingsInvalid
from allotment.record import Record, instance_types, open_record
from allotment.settings import Settings, declare, parse_settings
from allotment_hub.configure import _surroundings
from allotment_hub.launch.place import Place, Ports

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FILE = """
aws: {region: eu-central-1}
instance_types:
  - {name: g5.xlarge, title: One A10G, price: 1.258, limit: 8}
  - {name: p4d.24xlarge, quota: L-417A185B, vcpus: 96, enabled: false}
"""


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    """An empty record to which the file has been applied."""
    opened = open_record(f"sqlite:///{tmp_path}/record.sqlite", migrate=True)
    declare.apply_once(opened, parse_settings(FILE), NOW)
    yield opened
    opened.close()


def known(record: Record) -> dict[str, InstanceType]:
    with record.reading() as reading:
        return {one.name: one for one in instance_types.all_types(reading)}


@pytest.mark.promise("TYPE-1", "OPS-1")
def test_types_are_made_as_the_file_says(record: Record) -> None:
    assert known(record) == {
        "g5.xlarge": InstanceType("g5.xlarge", "One A10G", Decimal("1.258"), 8),
        "p4d.24xlarge": InstanceType("p4d.24xlarge", vcpus=96, quota="L-417A185B", enabled=False),
    }


@pytest.mark.promise("OPS-1")
def test_what_an_operator_changed_stays_until_it_is_restored(record: Record) -> None:
    with record.writing("olga", NOW) as writing:
        instance_types.edit(writing, InstanceType("g5.xlarge", "One A10G", Decimal(2), 9))
        instance_types.delete(writing, "p4d.24xlarge")
    applied = declare.apply_once(record, parse_settings(FILE), NOW)
    assert applied.made == ()
    assert any(
        "limit 9 stays, though the settings say 8" in one.sentence for one in applied.left_alone
    )
    declare.apply(record, parse_settings(FILE), actor="olga", now=NOW, restore=True)
    assert (known(record)["g5.xlarge"].most, len(known(record))) == (8, 2)


@pytest.mark.promise("OPS-1")
def test_what_is_exported_reads_as_the_same(record: Record) -> None:
    with record.reading() as reading:
        written = declare.export(reading, NOW)
    with record.reading() as reading:
        assert declare.plan(reading, parse_settings(written), now=NOW, restore=True) == ()
    assert "name: g5.xlarge" in written


def test_what_the_cloud_told_of_a_type_is_no_difference_to_the_file(record: Record) -> None:
    with record.writing("aws", NOW) as writing:
        instance_types.learn(writing, "g5.xlarge", 4, "L-DB2E81BA")
    with record.reading() as reading:
        assert declare.plan(reading, parse_settings(FILE), now=NOW, restore=True) == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("aws: {region: here}", "aws.region"),
        ("aws: {}", "aws.region"),
        ("instance_types: [{name: g5.xlarge, limit: -1}]", "instance_types[0].limit"),
        ("instance_types: [{name: g5.xlarge, quota: G}]", "instance_types[0].quota"),
        ("instance_types: [{name: a.b}, {name: a.b}]", "instance type 'a.b' is given twice"),
    ],
)
def test_what_makes_no_sense_is_named_with_its_place(text: str, words: str) -> None:
    with pytest.raises(SettingsInvalid) as invalid:
        parse_settings(text)
    assert words in str(invalid.value)


@pytest.mark.promise("LIMIT-5", "TYPE-1")
def test_the_control_plane_is_told_of_homes_and_how_aws_knows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "research")
    place = Place(tmp_path, tmp_path / "allotment.yaml", Ports(1, 2, 3, 4))
    told = _surroundings(Settings(), place)
    assert told["ALLOTMENT_HOMES"] == f"{place.homes}/people"
    assert told["AWS_PROFILE"] == "research"
