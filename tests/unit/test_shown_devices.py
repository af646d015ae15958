"""A pod's devices: measured as its container is shown them, and what follows for its idleness."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pynvml
import pytest

from allotment.inventory import shown
from allotment.model.devices import SlotKind
from allotment.model.idleness import IdleRule
from allotment.model.reports import DeviceUse, Measured, ServerReport
from allotment.rules.idle import Active, Idle, Watched, judge, watch
from allotment.work.idle_watch import sample_of

MEASURE = Path(__file__).parents[1] / "nvml" / "shown.py"
FIRST = "gpu uuid=GPU-11111111-aaaa name=NVIDIA_A100 memory=40960 used=512 util=37\n"
SECOND = "gpu uuid=GPU-22222222-bbbb name=NVIDIA_A100 memory=40960 used=0 util=0\n"
SLICED = "gpu uuid=GPU-33333333-cccc name=NVIDIA_A100 memory=40960 mig=1\n"
SLICE = "slice uuid=MIG-44444444-dddd compute=1 slices=1 memory=4864 used=100\n"
MIB = 2**20
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
RULE = IdleRule()

Uses = tuple[DeviceUse, ...]
Measure = Callable[..., Uses]

needs_gcc = pytest.mark.needs("gcc")


@pytest.fixture(scope="module")
def measure(nvml_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Measure]:
    """Measure slots of these kinds where NVML answers so."""
    folder = tmp_path_factory.mktemp("shown")
    nvml = {"LD_LIBRARY_PATH": str(nvml_library), "ALLOTMENT_TEST_NVML": str(folder / "answers")}
    process = subprocess.Popen(
        [sys.executable, str(MEASURE)],
        env={**os.environ, **nvml},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def measuring(answers: str, *kinds: str, nvidia: bool = True) -> Uses:
        asked = {
            "answers": answers,
            "slots": [(f"node-1-gpu-{n}", kind) for n, kind in enumerate(kinds)],
            "control": str(folder if nvidia else folder / "none"),
        }
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(asked) + "\n")
        process.stdin.flush()
        return tuple(DeviceUse.model_validate(use) for use in json.loads(process.stdout.readline()))

    yield measuring
    process.communicate(timeout=60)
    assert process.returncode == 0


def verdict(uses: Sequence[DeviceUse]) -> object:
    """What is said of a server in which nobody works, after two hours of such reports."""
    seen: Watched | None = None
    for number in range(241):
        at = START + number * timedelta(seconds=30)
        report = ServerReport(
            kernels=1,
            kernels_busy=0,
            terminals=0,
            terminals_busy=0,
            last_activity=START,
            worked_at=START,
            devices=tuple(uses),
        )
        seen = watch(seen, sample_of(report, at), RULE)
    return judge(RULE, seen, START + timedelta(hours=2))


@needs_gcc
@pytest.mark.promise("POOL-1", "CLUSTER-1")
def test_as_many_gpus_as_were_promised_are_those_that_were_promised_in_order(
    measure: Measure,
) -> None:
    first, second = measure(FIRST + SECOND, "gpu", "gpu")
    assert (first.id, first.measured, first.utilisation) == ("node-1-gpu-0", Measured.NVML, 37.0)
    assert (first.memory_used, first.memory_total) == (512 * MIB, 40960 * MIB)
    assert (second.id, second.utilisation) == ("node-1-gpu-1", 0.0)


@needs_gcc
@pytest.mark.promise("IDLE-1")
def test_a_pod_whose_gpus_are_unused_is_idle_and_one_that_uses_one_is_not(
    measure: Measure,
) -> None:
    assert isinstance(verdict(measure(SECOND, "gpu")), Idle)
    assert isinstance(verdict(measure(FIRST + SECOND, "gpu", "gpu")), Active)


@needs_gcc
@pytest.mark.promise("IDLE-1")
@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ("init 18\n", "(NVML error 18)"),
        (FIRST.replace("util", "lost=15 util"), "(NVML error 15)"),
        (FIRST.replace("util", "error=15 util"), "(NVML error 15)"),
        (FIRST + SECOND, "is shown 2 devices and was promised 1"),
        ("", "is shown 0 devices and was promised 1"),
    ],
    ids=["driver fails", "GPU is lost", "GPU cannot be named", "too many", "none"],
)
@pytest.mark.parametrize("kind", ["gpu", "unknown"])
def test_a_gpu_that_should_be_measured_and_is_not_may_be_in_use(
    measure: Measure, answers: str, why: str, kind: str
) -> None:
    (use,) = uses = measure(answers, kind)
    assert (use.measured, use.measurable) == (Measured.UNAVAILABLE, True)
    assert why in use.note
    assert isinstance(verdict(uses), Active)


@needs_gcc
@pytest.mark.promise("IDLE-1")
def test_of_a_slice_the_memory_is_told_and_cells_decide(measure: Measure) -> None:
    (use,) = uses = measure(SLICED + SLICE, "mig")
    assert (use.measured, use.utilisation, use.memory_used) == (Measured.NVML, None, 100 * MIB)
    assert isinstance(verdict(uses), Idle)


@needs_gcc
@pytest.mark.promise("IDLE-1")
@pytest.mark.parametrize(
    ("kind", "answers"),
    [("mig", "init 18\n"), ("shared", FIRST), ("other", FIRST), ("shared", "init 18\n")],
)
def test_what_nobody_can_measure_leaves_idleness_to_cells_and_tells_no_numbers(
    measure: Measure, kind: str, answers: str
) -> None:
    (use,) = uses = measure(answers, kind)
    assert (use.measured, use.measurable) == (Measured.UNAVAILABLE, False)
    assert use.note
    assert isinstance(verdict(uses), Idle)


@needs_gcc
@pytest.mark.promise("IDLE-1")
def test_a_device_of_a_name_of_ones_own_is_measured_where_it_is_nvidias(measure: Measure) -> None:
    (use,) = uses = measure(FIRST, "unknown")
    assert use.utilisation == 37.0
    assert isinstance(verdict(uses), Active)
    (use,) = uses = measure("init 9\n", "unknown", nvidia=False)
    assert not use.measurable
    assert isinstance(verdict(uses), Idle)


@pytest.mark.promise("IDLE-1")
def test_an_image_without_the_library_ends_no_server_that_has_nvidias_gpus(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing() -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr("allotment.inventory.nvml.LIBRARY", "libnvidia-ml-that-is-nowhere.so.1")
    monkeypatch.setattr(pynvml, "nvmlInit", missing)
    monkeypatch.setattr(shown, "CONTROL", Path("/nowhere/nvidiactl"))
    gpu, tpu = shown.measure_shown(
        [shown.Slot("a", SlotKind.GPU), shown.Slot("b", SlotKind.UNKNOWN)]
    )
    assert "There is no libnvidia-ml" in gpu.note
    assert isinstance(verdict([gpu]), Active)
    assert isinstance(verdict([tpu]), Idle)


@pytest.mark.promise("IDLE-1")
@pytest.mark.parametrize(
    ("resource", "isolation", "model", "kind"),
    [
        ("nvidia.com/gpu", "exclusive", "NVIDIA-A100", "gpu"),
        ("nvidia.com/gpu", "mig", "NVIDIA-A100-MIG-1g.5gb", "mig"),
        ("nvidia.com/mig-1g.5gb", "exclusive", "NVIDIA-A100-MIG-1g.5gb", "mig"),
        ("nvidia.com/gpu", "time-slice", "NVIDIA-A100-SHARED", "shared"),
        ("nvidia.com/gpu", "exclusive", "NVIDIA-A100-SHARED", "shared"),
        ("nvidia.com/mig-1g.5gb.shared", "exclusive", "some", "shared"),
        ("amd.com/gpu", "exclusive", "MI300X", "other"),
        ("habana.ai/gaudi", "exclusive", "habana.ai/gaudi", "other"),
        ("google.com/tpu", "exclusive", "TPU", "unknown"),
    ],
)
def test_what_can_be_measured_of_a_slot_follows_from_its_resource_and_isolation(
    resource: str, isolation: str, model: str, kind: str
) -> None:
    assert SlotKind.of(resource, isolation, model) == kind
