"""Every store passes one suite: each test here runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pgserver
import pytest

from allotment.model.claims import Claim, Granted, Outcome
from allotment.model.devices import DeviceOrigin, DeviceSpec
from allotment.model.groups import Share
from allotment.model.profiles import Profile
from allotment.record import Record, Writing, claims, counting, open_record
from allotment.record import devices as device_rows
from allotment.record import groups as group_rows
from allotment.record import people as people_rows
from allotment.record import pools as pool_rows
from allotment.record import profiles as profile_rows
from record_databases import RecordDatabases

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """A PostgreSQL server for the whole session; its address without a database.

    It never waits for the disk: each test has a database of its own, and a checkpoint that writes
    hundreds of them out stops everybody for seconds.
    """
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as folder:
        server = pgserver.get_server(folder)
        try:
            for setting in ("fsync", "full_page_writes"):
                server.psql(f"ALTER SYSTEM SET {setting} = off")
            server.psql("SELECT pg_reload_conf()")
            yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        finally:
            server.cleanup()


@pytest.fixture(scope="session")
def databases(postgresql: str) -> RecordDatabases:
    """Databases of that server."""
    return RecordDatabases(postgresql)


@pytest.fixture(scope="session")
def database(databases: RecordDatabases) -> Callable[[str | None], str]:
    """Make a database, empty or a copy of a template, and return its address."""
    return databases.make


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file to copy."""
    path = tmp_path_factory.mktemp("record") / "record.sqlite"
    open_record(f"sqlite:///{path}", migrate=True).close()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> str:
    """Which database."""
    return str(request.param)


@pytest.fixture
def empty_url(store: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a record that is not there yet."""
    if store == "sqlite":
        return f"sqlite:///{tmp_path}/empty.sqlite"
    make: Callable[[str | None], str] = request.getfixturevalue("database")
    return make(None)


@pytest.fixture
def record_url(store: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a migrated, empty record."""
    if store == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "record.sqlite")
        return f"sqlite:///{tmp_path}/record.sqlite"
    databases: RecordDatabases = request.getfixturevalue("databases")
    return databases.lend()


@pytest.fixture
def record(record_url: str) -> Iterator[Record]:
    """A migrated, empty record."""
    opened = open_record(record_url)
    yield opened
    opened.close()


@dataclass
class World:
    """A record with a clock, and short words for what a test arranges."""

    record: Record
    now: datetime = START
    names: list[str] = field(default_factory=list)

    def later(self, **duration: float) -> datetime:
        self.now += timedelta(**duration)
        return self.now

    def write(self, actor: str = "operator") -> contextlib.AbstractContextManager[Writing]:
        return self.record.writing(actor, self.later(seconds=1))

    def devices(
        self, number: int, *, model: str = "A100", node: str = "n1", prefix: str = "gpu"
    ) -> list[str]:
        specs = [
            DeviceSpec(
                f"{prefix}-{i}", node, model, 80 << 30, f"GPU-{prefix}-{i}", DeviceOrigin.SETTINGS
            )
            for i in range(number)
        ]
        with self.write() as writing:
            known = [
                d for d in device_rows.all_devices(writing) if d.origin is DeviceOrigin.SETTINGS
            ]
            kept = [
                DeviceSpec(
                    d.id,
                    d.node,
                    d.model,
                    d.memory,
                    d.uuid,
                    d.origin,
                    d.isolation,
                    d.healthy,
                    d.health_note,
                )
                for d in known
            ]
            device_rows.observe(writing, [*kept, *specs], DeviceOrigin.SETTINGS)
        return [spec.id for spec in specs]

    def pool(self, name: str, device_ids: list[str]) -> None:
        with self.write() as writing:
            pool_rows.create(writing, name, device_ids)

    def group(self, name: str, *shares: tuple[str, int]) -> None:
        wanted = [Share(name, pool, number, number) for pool, number in shares]
        with self.write() as writing:
            group_rows.create(writing, name, wanted=wanted)

    def people(self, *names: str, group: str | None = None, role: str = "data-scientist") -> None:
        with self.write() as writing:
            people_rows.onboard(writing, names, group, role)

    def profile(self, name: str, **fields: Any) -> None:
        profile = Profile.model_validate({"name": name, "title": name.title()} | fields)
        with self.write() as writing:
            profile_rows.publish(writing, profile, f"{name}.yaml", uuid.uuid4().hex)

    def claim(self, person: str, profile: str, server: str = "", **fields: Any) -> Outcome:
        fields = {"hub": "hub"} | fields
        claim = Claim(person=person, server=server, profile=profile, **fields)
        return claims.admit(self.record, claim, self.later(seconds=1))

    def granted(self, person: str, profile: str, server: str = "", **fields: Any) -> str:
        outcome = self.claim(person, profile, server, **fields)
        assert isinstance(outcome, Granted), outcome
        return outcome.allotment.id

    def end(self, allotment: str, reason: str = "stopped by its owner", by: str = "hub") -> None:
        claims.mark_stopping(self.record, allotment, reason, by, self.later(seconds=1))
        claims.release(self.record, allotment, "no process is left", self.later(seconds=1))

    def free(self, pool: str) -> int:
        with self.record.reading() as reading:
            return next(use.free for use in pool_rows.use(reading) if use.pool == pool)

    def sound(self) -> bool:
        with self.record.reading() as reading:
            assert counting.discrepancies(reading) == ()
        return True


@pytest.fixture
def world(record: Record) -> World:
    """An empty platform."""
    return World(record)


@pytest.fixture
def lab(world: World) -> World:
    """Two devices in pool a100, shared by group vision (ann, bob) alone; zoe has no group."""
    world.devices(2)
    world.pool("a100", ["gpu-0", "gpu-1"])
    world.group("vision", ("a100", 2))
    world.people("ann", "bob", group="vision")
    world.people("zoe")
    world.people("olga", role="operator")
    world.profile("gpu", devices=1)
    world.profile("two-gpu", devices=2)
    world.profile("cpu")
    world.profile("operator-console")
    return world


os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
