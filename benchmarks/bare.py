"""The bare database, beside which the record is measured: the same rows, without reads or rules."""

from __future__ import annotations

import itertools
import threading
import time
from datetime import UTC, datetime
from typing import Any

from allotment.model.profiles import Profile
from allotment.record import Record, claims, devices
from allotment.record.columns import dumps, to_stored

TERMS = dumps({"profile": Profile(name="gpu", title="One GPU", devices=1).model_dump(mode="json")})


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


class Bare:
    """The same rows as :func:`ours`, one statement a row, without reads or rules."""

    def __init__(self, record: Record) -> None:
        self.record = record
        with record.reading() as reading:
            device = {d.pool: d for d in devices.all_devices(reading) if d.holder is None}
        self.device = device

    def cycle(self, pool: int, number: int) -> list[float]:
        """Admit, stop and release, as rows; returns the seconds of each transaction."""
        moment = now()
        key = claims.new_id(moment)
        clock = [time.perf_counter()]
        self._admit(key, pool, number, moment)
        clock.append(time.perf_counter())
        self._step(key, moment)
        clock.append(time.perf_counter())
        self._release(key, pool, moment)
        clock.append(time.perf_counter())
        return [end - begin for begin, end in itertools.pairwise(clock)]

    def _admit(self, key: str, pool: int, number: int, moment: datetime) -> None:
        device = self.device[f"p{pool}"]
        held = dumps(
            [
                [
                    device.id,
                    device.uuid,
                    device.node,
                    device.model,
                    device.memory,
                    str(device.isolation),
                ]
            ]
        )
        at = to_stored(moment)
        with self.record.writing(f"u{pool}-0", moment, configuration=False) as writing:
            writing.driver(
                "INSERT INTO allotments (id, hub, person, server, group_name, pool, profile, state, device_count, terms, devices,"
                " token_hash, admitted_at) VALUES (:id, 'bare', :person, :server, :g, :p, 'gpu', 'starting', 1, :terms, :held, '', :at)",
                {
                    "id": key,
                    "person": f"u{pool}-0",
                    "server": f"bare{threading.get_ident()}",
                    "g": f"g{pool}",
                    "p": f"p{pool}",
                    "terms": TERMS,
                    "held": held,
                    "at": at,
                },
            )
            writing.driver(
                "INSERT INTO servers (person, hub, name, profile, allotment, created_at) VALUES (:person, 'bare', :name, 'gpu', :id, :at)"
                " ON CONFLICT (person, hub, name) DO UPDATE SET profile = excluded.profile, allotment = excluded.allotment",
                {"person": f"u{pool}-0", "name": f"bare{number % 4}", "id": key, "at": at},
            )
            writing.driver(
                "INSERT INTO holdings (device, allotment) VALUES (:d, :id)",
                {"d": device.id, "id": key},
            )
            writing.driver("UPDATE devices SET free = FALSE WHERE id = :d", {"d": device.id})
            self._counters(writing, pool, device, 1)
            self._event(
                writing,
                "allotment.admitted",
                key,
                pool,
                {
                    "server": "bare",
                    "hub": "hub",
                    "profile": "gpu",
                    "pool": f"p{pool}",
                    "devices": [device.id],
                },
            )

    def _step(self, key: str, moment: datetime) -> None:
        with self.record.writing("hub", moment, configuration=False) as writing:
            writing.driver(
                "UPDATE allotments SET state = 'stopping', stopping_at = :at, stop_reason = 'benchmark', stopped_by = 'benchmark' WHERE id = :id",
                {"at": to_stored(moment), "id": key},
            )
            self._event(
                writing,
                "allotment.stopping",
                key,
                0,
                {"state": "stopping", "server": "bare", "hub": "hub", "reason": "benchmark"},
            )

    def _release(self, key: str, pool: int, moment: datetime) -> None:
        device = self.device[f"p{pool}"]
        with self.record.writing("hub", moment, configuration=False) as writing:
            writing.driver(
                "UPDATE allotments SET state = 'released', released_at = :at, proof = 'gone' WHERE id = :id",
                {"at": to_stored(moment), "id": key},
            )
            writing.driver("DELETE FROM holdings WHERE device = :d", {"d": device.id})
            writing.driver("UPDATE devices SET free = TRUE WHERE id = :d", {"d": device.id})
            self._counters(writing, pool, device, -1)
            self._event(
                writing,
                "allotment.released",
                key,
                pool,
                {"server": "bare", "hub": "hub", "proof": "no process is left"},
            )

    @staticmethod
    def _counters(writing: Any, pool: int, device: Any, number: int) -> None:
        writing.driver(
            "UPDATE shares SET held = held + :n WHERE group_name = :g AND pool = :p",
            {"n": number, "g": f"g{pool}", "p": f"p{pool}"},
        )
        writing.driver(
            "UPDATE pool_nodes SET free = free - :n WHERE pool = :p AND node = :node AND model = :m",
            {"n": number, "p": f"p{pool}", "node": device.node, "m": device.model},
        )

    @staticmethod
    def _event(writing: Any, kind: str, key: str, pool: int, after: dict[str, Any]) -> None:
        writing.event(kind, key, person=f"u{pool}-0", group=f"g{pool}", after=after)
