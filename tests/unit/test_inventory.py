"""Devices where there is no NVIDIA library, and what is the same everywhere."""

from __future__ import annotations

import pynvml
import pytest

from allotment.inventory import Inventory
from allotment.inventory.discovery import device_id
from allotment.inventory.measuring import measure
from allotment.inventory.nvml_slices import profile_name
from allotment.model.devices import DeviceOrigin, DeviceSpec, Isolation
from allotment.model.reports import DeviceUse, Measured

GIB = 2**30


@pytest.fixture
def without_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without NVIDIA's library, wherever the tests run."""
    monkeypatch.setattr("allotment.inventory.nvml.LIBRARY", "libnvidia-ml-that-is-nowhere.so.1")

    def missing() -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", missing)


@pytest.mark.promise("POOL-1", "POOL-2")
@pytest.mark.usefixtures("without_library")
def test_a_machine_without_nvml_has_four_devices_that_say_they_are_simulated() -> None:
    found = Inventory(node="laptop").observe()
    assert [device.id for device in found.devices] == ["sim-0", "sim-1", "sim-2", "sim-3"]
    assert {device.origin for device in found.devices} == {found.origin} == {DeviceOrigin.SIMULATED}
    assert all("Simulated" in device.model for device in found.devices)
    assert "simulated" in found.note


@pytest.mark.promise("POOL-1")
@pytest.mark.usefixtures("without_library")
def test_declared_devices_are_taken_as_declared_where_there_is_no_nvml() -> None:
    spec = DeviceSpec(
        "gpu-0", "laptop", "NVIDIA A100 80GB", 80 * GIB, "GPU-1", DeviceOrigin.SETTINGS
    )
    found = Inventory([spec], node="laptop").observe()
    assert found.devices == (spec,)
    assert (found.origin, found.note) == (DeviceOrigin.SETTINGS, "")


@pytest.mark.promise("POOL-7")
@pytest.mark.usefixtures("without_library")
@pytest.mark.parametrize(
    ("declared", "labelled"),
    [
        (Isolation.EXCLUSIVE, Isolation.COOPERATIVE),
        (Isolation.COOPERATIVE, Isolation.COOPERATIVE),
        (Isolation.MIG, Isolation.MIG),
        (Isolation.TIME_SLICE, Isolation.TIME_SLICE),
    ],
)
def test_no_local_device_is_labelled_as_better_isolated_than_local_processes_are(
    declared: Isolation, labelled: Isolation
) -> None:
    spec = DeviceSpec("a", "n", "A100", GIB, "GPU-1", DeviceOrigin.SETTINGS, declared)
    (device,) = Inventory([spec], node="n").observe().devices
    assert device.isolation is labelled


@pytest.mark.promise("POOL-1")
@pytest.mark.usefixtures("without_library")
def test_an_empty_declaration_means_no_devices_and_not_simulated_ones() -> None:
    assert Inventory([], node="laptop").observe().devices == ()


@pytest.mark.promise("POOL-1")
def test_simulated_devices_are_reported_without_numbers() -> None:
    assert measure([("sim-0", "sim-0")]) == (DeviceUse(id="sim-0", measured=Measured.SIMULATED),)


@pytest.mark.usefixtures("without_library")
@pytest.mark.parametrize(
    ("uuid", "why"), [("GPU-1", "There is no"), ("gpu-0", "declared without a UUID")]
)
def test_a_real_device_that_cannot_be_measured_says_why(uuid: str, why: str) -> None:
    (use,) = measure([("gpu-0", uuid)])
    assert use.measured is Measured.UNAVAILABLE
    assert why in use.note


def test_a_report_with_numbers_that_nobody_measured_is_refused() -> None:
    with pytest.raises(ValueError, match="has no numbers"):
        DeviceUse(id="sim-0", measured=Measured.SIMULATED, utilisation=50.0)


@pytest.mark.parametrize(
    ("uuid", "name"),
    [
        ("GPU-5ab3c1d2-1111-2222-3333-444455556666", "gpu-5ab3c1d2"),
        ("MIG-5ab3c1d2-1111-2222-3333-444455556666", "mig-5ab3c1d2"),
        ("MIG-GPU-5ab3c1d2-1111-2222-3333-444455556666/7/0", "mig-5ab3c1d2-7-0"),
    ],
)
def test_a_device_is_named_after_its_uuid(uuid: str, name: str) -> None:
    assert device_id(uuid) == name


@pytest.mark.promise("POOL-4")
@pytest.mark.parametrize(
    ("compute", "slices", "mebibytes", "of_mebibytes", "name"),
    [
        (1, 1, 4864, 40960, "1g.5gb"),
        (3, 3, 19968, 40960, "3g.20gb"),
        (7, 7, 40192, 40960, "7g.40gb"),
        (1, 1, 9856, 81251, "1g.10gb"),
        (1, 3, 40320, 81251, "1c.3g.40gb"),
        (1, 1, 16384, 143771, "1g.18gb"),
    ],
)
def test_a_slice_is_called_by_the_profile_that_nvidia_writes(
    compute: int, slices: int, mebibytes: int, of_mebibytes: int, name: str
) -> None:
    assert profile_name(compute, slices, mebibytes * 2**20, of_mebibytes * 2**20) == name
