"""The password of the record's database: read where the address says, when it is needed, and never shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from allotment.model.refusals import RecordUnavailable
from allotment.record import open_record
from allotment.record.engine import writer_of
from allotment.record.postgresql import password

pytestmark = pytest.mark.promise("OPS-5")


class Asked(Exception):
    """The driver was asked to connect."""


def asked_with(engine: sa.Engine) -> dict[str, Any]:
    """What the driver is given to connect with; it does not."""
    options: dict[str, Any] = {}

    @sa.event.listens_for(engine, "do_connect")
    def look(_dialect: Any, _record: Any, _arguments: Any, given: dict[str, Any]) -> None:
        options.update(given)
        raise Asked

    with pytest.raises(Asked):
        engine.connect()
    return options


def test_it_is_read_anew_for_each_connection(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("first\n")
    url = f"postgresql://me@127.0.0.1:1/a?sslmode=disable&password_file={file}"
    first = asked_with(writer_of(url, 3))
    file.write_text("second\n")
    second = asked_with(writer_of(url, 3))

    assert (first["password"], second["password"]) == ("first", "second")
    assert (first["sslmode"], "password_file" in first) == ("disable", False)
    assert 2 <= first["connect_timeout"] <= 5


def test_it_may_be_in_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECORD_PASSWORD", "hunter2")
    engine = writer_of("postgresql://me@127.0.0.1:1/a?password_variable=RECORD_PASSWORD", 3)

    assert asked_with(engine)["password"] == "hunter2"
    assert "hunter2" not in repr(engine)


def test_where_it_is_missing_the_place_is_named_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "no text").write_bytes(b"\xff\xfehunter2")
    with pytest.raises(RecordUnavailable, match=r"cannot be read from .*nowhere"):
        open_record(f"postgresql://me@127.0.0.1:1/a?password_file={tmp_path}/nowhere")
    with pytest.raises(RecordUnavailable, match="cannot be read") as unreadable:
        password({"password_file": str(tmp_path / "no text")})
    with pytest.raises(RecordUnavailable, match="The variable UNSET, which holds"):
        password({"password_variable": "UNSET"}, {})
    assert "hunter2" not in str(unreadable.value)


def test_what_the_address_says_itself_counts() -> None:
    engine = writer_of("postgresql://me@127.0.0.1:1/a?connect_timeout=9&keepalives=0", 3)

    options = asked_with(engine)
    assert (options["connect_timeout"], options["keepalives"]) == ("9", "0")
    assert "password" not in options
