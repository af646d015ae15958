"""What tests of what is configured share: records to begin with."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime

import pytest

from allotment.model.devices import DeviceOrigin, DeviceSpec
from allotment.model.profiles import Profile
from allotment.record import Record, devices, open_record, profiles

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ORIGINS = [DeviceOrigin.SETTINGS] * 4 + [DeviceOrigin.NVML] * 3
DEVICES = tuple(
    DeviceSpec(f"gpu-{number}", "node-1", "H100" if number > 3 else "A100", 80 * 2**30, "", origin)
    for number, origin in enumerate(ORIGINS)
)


@pytest.fixture(scope="session")
def furnished(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[], AbstractContextManager[Record]]:
    """Make records that know seven devices (gpu-0 to gpu-3 A100, the others H100) and two profiles."""
    migrated = tmp_path_factory.mktemp("record") / "record.sqlite"
    open_record(f"sqlite:///{migrated}", migrate=True).close()

    @contextmanager
    def make() -> Iterator[Record]:
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(migrated, f"{folder}/record.sqlite")
            record = open_record(f"sqlite:///{folder}/record.sqlite")
            with record.writing("hub", NOW) as writing:
                for origin in set(ORIGINS):
                    mine = [device for device in DEVICES if device.origin is origin]
                    devices.observe(writing, mine, origin)
                for name in ("small", "large"):
                    profiles.publish(writing, Profile(name=name, title=name), f"{name}.yaml", name)
            yield record
            record.close()

    return make
