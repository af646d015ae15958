"""Widgets without a browser: a comm that records what a page would get, and speaks for the page."""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import comm
import pytest
from comm.base_comm import BaseComm, CommManager

WIDTHS = {"f8": "d", "i4": "i", "i2": "h", "i1": "b", "u1": "B", "u2": "H", "u4": "I"}


@dataclass
class Sent:
    """One custom message of a widget, with its buffers."""

    content: dict[str, Any]
    buffers: list[bytes]

    @property
    def kind(self) -> str:
        return str(self.content["kind"])

    @property
    def size(self) -> int:
        """Bytes on the wire, but for the frame of the message itself."""
        return len(json.dumps(self.content)) + sum(len(buffer) for buffer in self.buffers)

    def json(self, index: int) -> Any:
        return json.loads(self.buffers[index])

    def numbers(self, index: int, kind: str) -> list[float]:
        return list(array(WIDTHS[kind], bytes(self.buffers[index])))

    def rows(self) -> dict[str, dict[str, Any]]:
        """The rows as the page reads them."""
        names = self.json(self.content["ids"])
        rows: dict[str, dict[str, Any]] = {name: {} for name in names}
        for entry in self.content["fields"]:
            for place, value in zip(
                self._places(entry, len(names)), self._values(entry), strict=True
            ):
                rows[names[place]][entry["key"]] = value
        return rows

    def column(self, key: str) -> list[Any]:
        """One column of a message without ids."""
        return self._values(next(entry for entry in self.content["fields"] if entry["key"] == key))

    def _places(self, entry: dict[str, Any], count: int) -> list[int]:
        if "at" not in entry:
            return list(range(count))
        return [int(place) for place in self.numbers(entry["at"], "u4")]

    def _values(self, entry: dict[str, Any]) -> list[Any]:
        if entry["as"] == "list":
            return list(self.json(entry["buffer"]))
        values = self.numbers(entry["buffer"], entry["type"])
        if entry["as"] == "words":
            words = [None, *self.json(entry["words"])]
            return [words[int(code)] for code in values]
        return [None if value != value else value for value in values]  # noqa: PLR0124 - NaN alone differs from itself


class RecordingComm(BaseComm):
    """Keeps what is published instead of sending it."""

    def __init__(self, *given: Any, **named: Any) -> None:
        self.published: list[tuple[str, dict[str, Any], list[bytes]]] = []
        super().__init__(*given, **named)

    def publish_msg(
        self,
        msg_type: str,
        data: Any = None,
        metadata: Any = None,
        buffers: Any = None,
        **_keys: Any,
    ) -> None:
        del metadata
        self.published.append((msg_type, data or {}, list(buffers or [])))


@dataclass
class Wire:
    """What a page and a widget say to each other."""

    comms: list[RecordingComm] = field(default_factory=list)

    def of(self, widget: Any) -> RecordingComm:
        return next(each for each in self.comms if each.comm_id == widget.model_id)

    def sent(self, widget: Any) -> list[Sent]:
        """Custom messages since the widget was made."""
        return [
            Sent(data["content"], buffers)
            for kind, data, buffers in self.of(widget).published
            if kind == "comm_msg" and data.get("method") == "custom"
        ]

    def last(self, widget: Any) -> Sent:
        return self.sent(widget)[-1]

    def opened_with(self, widget: Any) -> dict[str, Any]:
        """The state that every page gets when it is loaded."""
        state: dict[str, Any] = self.of(widget).published[0][1]["state"]
        return state

    def say(self, widget: Any, **content: Any) -> None:
        """Speaks for the page."""
        data = {"method": "custom", "content": content}
        self.of(widget).handle_msg({"content": {"data": data}, "buffers": []})


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    wire = Wire()

    def create(*given: Any, **named: Any) -> RecordingComm:
        made = RecordingComm(*given, **named)
        wire.comms.append(made)
        return made

    manager = CommManager()
    monkeypatch.setattr(comm, "create_comm", create)
    monkeypatch.setattr(comm, "get_comm_manager", lambda: manager)
    yield wire
    wire.comms.clear()


@pytest.fixture
def heard() -> Callable[..., Any]:
    """A callback that remembers what it was called with."""
    calls: list[Any] = []

    def listen(*given: Any) -> None:
        calls.append(given)

    listen.calls = calls  # type: ignore[attr-defined]  # a function carries its memory
    return listen
