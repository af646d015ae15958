"""Devices as NVML tells of them, through the real binding and a C stand-in of the library."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.needs("gcc")

OBSERVE = Path(__file__).parents[1] / "nvml" / "observe.py"
FIRST = "GPU-11111111-aaaa-4000-8000-000000000001"
SECOND = "GPU-22222222-bbbb-4000-8000-000000000002"
SLICE = "MIG-33333333-cccc-4000-8000-000000000003"
A100 = "name=NVIDIA_A100-SXM4-40GB memory=40960"
TWO = f"gpu uuid={FIRST} {A100} used=512 util=37\ngpu uuid={SECOND} {A100} used=0 util=0\n"

Look = Callable[..., Any]


class Observer:
    """A process that looks at devices as often as it is asked."""

    def __init__(self, library: Path, folder: Path) -> None:
        nvml = {"LD_LIBRARY_PATH": str(library), "ALLOTMENT_TEST_NVML": str(folder / "answers")}
        self.process = subprocess.Popen(
            [sys.executable, str(OBSERVE)],
            env={**os.environ, **nvml},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(
        self,
        *answers: str,
        declared: Any = None,
        known: Any = None,
        measure: Any = (),
        patience: float = 50,
    ) -> Any:
        """Look once for each answer of NVML's, then measure."""
        asked = {
            "node": "dgx-1",
            "declared": declared,
            "known": known,
            "patience": patience,
            "answers": answers,
            "measure": measure,
        }
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def end(self) -> int:
        """Let it end by itself."""
        self.process.communicate(timeout=60)
        return self.process.returncode


@pytest.fixture(scope="module")
def look(nvml_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Look]:
    """Look at the devices once for each answer of NVML's."""
    observer = Observer(nvml_library, tmp_path_factory.mktemp("nvml"))
    yield observer
    assert observer.end() == 0


def declared(**changes: str) -> dict[str, str | int]:
    return {
        "id": "gpu-0",
        "node": "dgx-1",
        "model": "A100",
        "memory": 80 * 2**30,
        "uuid": "",
        **changes,
    }


@pytest.mark.promise("POOL-1")
def test_each_gpu_has_a_name_that_stays_its_uuid_its_node_its_model_and_its_memory(
    look: Look,
) -> None:
    (found,) = look(TWO)["looks"]
    assert found["origin"] == "nvml"
    assert found["note"] == ""
    assert found["devices"] == [
        {
            "id": name,
            "node": "dgx-1",
            "model": "NVIDIA A100-SXM4-40GB",
            "memory": 40 * 2**30,
            "uuid": uuid,
            "origin": "nvml",
            "isolation": "cooperative",
            "healthy": True,
            "health_note": "",
            "resource": "",
            "node_cordon": "",
            "taken_by": "",
            "pool": "",
        }
        for name, uuid in (("gpu-11111111", FIRST), ("gpu-22222222", SECOND))
    ]


@pytest.mark.promise("POOL-1")
def test_utilisation_and_memory_are_measured_for_the_devices_asked(look: Look) -> None:
    first, gone = look(TWO, measure=[("gpu-11111111", FIRST), ("gpu-9", "GPU-9")])["uses"]
    assert first == {
        "id": "gpu-11111111",
        "measured": "nvml",
        "utilisation": 37.0,
        "memory_used": 512 * 2**20,
        "memory_total": 40 * 2**30,
        "note": "",
        "measurable": True,
    }
    assert gone["measured"] == "unavailable"
    assert gone["utilisation"] is None
    assert "Not Found (NVML error 6)" in gone["note"]


@pytest.mark.promise("POOL-4", "POOL-7")
def test_mig_slices_are_devices_of_a_model_of_their_own_and_the_sliced_gpu_is_none(
    look: Look,
) -> None:
    slices = "".join(
        f"slice uuid=MIG-{number}3333333-cccc compute={compute} slices={count} memory={memory}\n"
        for number, compute, count, memory in ((1, 1, 1, 4864), (2, 1, 3, 19968), (3, 3, 3, 19968))
    )
    (found,) = look(f"gpu uuid={FIRST} {A100} mig=1\n{slices}gpu uuid={SECOND} {A100}\n")["looks"]
    assert [
        (device["id"], device["model"], device["memory"] // 2**20, device["isolation"])
        for device in found["devices"]
    ] == [
        ("mig-13333333", "NVIDIA A100-SXM4-40GB MIG 1g.5gb", 4864, "mig"),
        ("mig-23333333", "NVIDIA A100-SXM4-40GB MIG 1c.3g.20gb", 19968, "mig"),
        ("mig-33333333", "NVIDIA A100-SXM4-40GB MIG 3g.20gb", 19968, "mig"),
        ("gpu-22222222", "NVIDIA A100-SXM4-40GB", 40960, "cooperative"),
    ]


@pytest.mark.promise("POOL-7")
def test_a_slice_is_measured_without_a_made_up_utilisation(look: Look) -> None:
    answer = f"gpu uuid={FIRST} {A100} mig=1\nslice uuid={SLICE} compute=1 slices=1 memory=4864 used=100\n"
    (use,) = look(answer, measure=[("mig-33333333", SLICE)])["uses"]
    assert (use["measured"], use["utilisation"], use["memory_used"]) == ("nvml", None, 100 * 2**20)
    assert use["note"] == "NVML tells no utilisation of MIG slices."


@pytest.mark.promise("POOL-1")
def test_a_gpu_in_mig_mode_without_slices_offers_nothing_and_the_note_says_so(look: Look) -> None:
    (found,) = look(f"gpu uuid={FIRST} {A100} mig=1\n")["looks"]
    assert found["devices"] == []
    assert found["note"] == "GPU 0 is in MIG mode and has no slices: it offers nothing."


@pytest.mark.promise("POOL-6")
@pytest.mark.parametrize(
    ("fault", "note"),
    [
        ("recovery=1", "The driver asks for a reset of the GPU."),
        ("recovery=2", "The driver asks for a restart of the machine."),
        ("recovery=99", "The driver asks for recovery action 99."),
        ("ecc=3", "Uncorrectable memory errors since the driver was loaded: 3. Reset the GPU."),
        ("remap_failed=1", "A row of its memory could not be remapped. Replace the GPU."),
        ("retired=60", "60 pages of its memory are retired (60 is where NVIDIA replaces it)."),
        ("lost=15", "The driver cannot reach it: GPU is lost (NVML error 15)."),
        ("lost=999", "The driver cannot reach it: Unknown Error (NVML error 999)."),
    ],
)
def test_a_gpu_that_the_driver_finds_fault_with_is_unhealthy_and_says_why(
    look: Look, fault: str, note: str
) -> None:
    (found,) = look(f"gpu uuid={FIRST} {A100} {fault}\ngpu uuid={SECOND} {A100}\n")["looks"]
    assert [
        (device["uuid"], device["healthy"], device["health_note"]) for device in found["devices"]
    ] == [
        (FIRST, False, note),
        (SECOND, True, ""),
    ]


@pytest.mark.promise("POOL-6")
@pytest.mark.parametrize(
    ("fault", "note"),
    [
        (
            "remap_pending=1",
            "Rows of its memory wait to be remapped. Reset the GPU when it is free.",
        ),
        (
            "retired=59 retire_pending=1",
            "Pages of its memory wait to be retired. Reset the GPU when it is free.",
        ),
    ],
)
def test_what_can_wait_is_a_warning_and_the_device_stays_in_use(
    look: Look, fault: str, note: str
) -> None:
    (found,) = look(f"gpu uuid={FIRST} {A100} {fault}\n")["looks"]
    assert [(device["healthy"], device["health_note"]) for device in found["devices"]] == [
        (True, note)
    ]


@pytest.mark.promise("POOL-6")
def test_slices_are_as_unhealthy_as_their_gpu(look: Look) -> None:
    (found,) = look(
        f"gpu uuid={FIRST} {A100} mig=1 ecc=1\nslice uuid={SLICE} compute=1 slices=1 memory=4864\n"
    )["looks"]
    assert [device["healthy"] for device in found["devices"]] == [False]


@pytest.mark.promise("POOL-6")
def test_a_gpu_that_vanishes_keeps_nobody_elses_name_and_comes_back_by_itself(look: Look) -> None:
    without = f"gpu uuid={SECOND} {A100}\n"
    looks = look(TWO, without, TWO)["looks"]
    assert [[(device["id"], device["uuid"]) for device in found["devices"]] for found in looks] == [
        [("gpu-11111111", FIRST), ("gpu-22222222", SECOND)],
        [("gpu-22222222", SECOND)],
        [("gpu-11111111", FIRST), ("gpu-22222222", SECOND)],
    ]


@pytest.mark.promise("POOL-6")
def test_a_gpu_whose_handle_cannot_be_had_is_told_of_and_the_others_are_still_found(
    look: Look,
) -> None:
    (found,) = look(f"gpu uuid={FIRST} {A100} error=15\ngpu uuid={SECOND} {A100}\n")["looks"]
    assert [device["uuid"] for device in found["devices"]] == [SECOND]
    assert found["note"] == "GPU 0 does not answer: GPU is lost (NVML error 15)."


@pytest.mark.promise("POOL-1")
def test_a_library_that_does_not_initialise_is_told_with_its_error_and_nothing_is_simulated(
    look: Look,
) -> None:
    (found,) = look("init 18\n")["looks"]
    assert (found["origin"], found["devices"]) == ("nvml", [])
    assert "version mismatch" in found["note"]
    assert "(NVML error 18)" in found["note"]
    assert "restart the machine" in found["note"]


@pytest.mark.promise("POOL-1")
def test_a_library_that_does_not_load_is_told_with_its_error_and_nothing_is_simulated(
    tmp_path: Path,
) -> None:
    (tmp_path / "libnvidia-ml.so.1").write_text("no library at all", encoding="utf-8")
    observer = Observer(tmp_path, tmp_path)
    (found,) = observer("")["looks"]
    observer.end()
    assert (found["origin"], found["devices"]) == ("nvml", [])
    assert "NVML is installed but does not load" in found["note"]


@pytest.mark.promise("POOL-1")
def test_a_driver_that_sees_no_gpu_is_told_and_nothing_is_simulated(look: Look) -> None:
    (found,) = look("")["looks"]
    assert (found["origin"], found["devices"], found["note"]) == (
        "nvml",
        [],
        "NVML works and sees no GPU.",
    )


@pytest.mark.promise("POOL-6")
def test_while_a_driver_fails_later_what_it_found_is_unhealthy_and_recovers_with_it(
    look: Look,
) -> None:
    looks = look(TWO, "init 9\n", TWO)["looks"]
    assert [[device["healthy"] for device in found["devices"]] for found in looks] == [
        [True, True],
        [False, False],
        [True, True],
    ]
    assert "Driver Not Loaded (NVML error 9)" in looks[1]["devices"][0]["health_note"]
    assert "Driver Not Loaded (NVML error 9)" in looks[1]["note"]


@pytest.mark.promise("POOL-1")
def test_each_look_measures_all_devices_whoever_uses_them(look: Look) -> None:
    (found,) = look(TWO)["looks"]
    assert [(use["id"], use["utilisation"], use["memory_used"]) for use in found["uses"]] == [
        ("gpu-11111111", 37.0, 512 * 2**20),
        ("gpu-22222222", 0.0, 0),
    ]


@pytest.mark.promise("POOL-1")
def test_declared_devices_are_measured_by_their_own_ids_and_others_not_at_all(look: Look) -> None:
    both = [declared(), declared(id="far", node="dgx-2", uuid="GPU-far")]
    (found,) = look(TWO, declared=both)["looks"]
    assert [(use["id"], use["utilisation"]) for use in found["uses"]] == [("gpu-0", 37.0)]


@pytest.mark.promise("POOL-6")
def test_a_driver_that_hangs_means_no_devices_and_keeps_no_program_from_ending(
    nvml_library: Path, tmp_path: Path
) -> None:
    observer = Observer(nvml_library, tmp_path)
    looks = observer("hang\n", TWO, patience=0.1)["looks"]
    assert observer.end() == 0
    assert [(found["origin"], found["devices"]) for found in looks] == [("nvml", []), ("nvml", [])]
    assert "did not answer for 0.1 seconds" in looks[1]["note"]


@pytest.mark.promise("POOL-1")
def test_a_declared_gpu_of_this_machine_gets_uuid_and_health_from_nvml_and_keeps_its_declared_words(
    look: Look,
) -> None:
    (found,) = look(f"gpu uuid={FIRST} {A100} ecc=1\n", declared=[declared()])["looks"]
    (device,) = found["devices"]
    assert found["origin"] == device["origin"] == "settings"
    assert (device["id"], device["model"], device["memory"]) == ("gpu-0", "A100", 80 * 2**30)
    assert (device["uuid"], device["healthy"]) == (FIRST, False)


@pytest.mark.promise("POOL-6")
def test_a_declared_gpu_that_vanishes_is_unhealthy_even_where_its_index_is_now_anothers(
    look: Look,
) -> None:
    looks = look(TWO, f"gpu uuid={SECOND} {A100}\n", TWO, declared=[declared()])["looks"]
    assert [
        [(device["uuid"], device["healthy"]) for device in found["devices"]] for found in looks
    ] == [
        [(FIRST, True)],
        [(FIRST, False)],
        [(FIRST, True)],
    ]
    assert "If the GPU was replaced" in looks[1]["devices"][0]["health_note"]


@pytest.mark.promise("POOL-8")
def test_a_declared_gpu_stays_the_one_that_it_was_when_a_program_starts_anew_without_its_neighbour(
    look: Look,
) -> None:
    both = [declared(), declared(id="gpu-1")]
    known = {"gpu-0": FIRST, "gpu-1": SECOND}
    (found,) = look(f"gpu uuid={SECOND} {A100}\n", declared=both, known=known)["looks"]
    assert [(device["uuid"], device["healthy"]) for device in found["devices"]] == [
        (FIRST, False),
        (SECOND, True),
    ]


@pytest.mark.promise("POOL-8")
def test_no_gpu_is_two_devices_when_an_index_has_moved(look: Look) -> None:
    both = [declared(), declared(id="gpu-1")]
    looks = look(f"gpu uuid={SECOND} {A100}\n", TWO, declared=both)["looks"]
    assert [[device["uuid"] for device in found["devices"]] for found in looks] == [
        [SECOND, "gpu-1"],
        [SECOND, "gpu-1"],
    ]


@pytest.mark.promise("POOL-8")
def test_what_the_record_knows_of_a_gpu_is_kept_while_the_driver_fails(look: Look) -> None:
    (found,) = look("init 18\n", declared=[declared()], known={"gpu-0": FIRST})["looks"]
    assert [(device["uuid"], device["healthy"]) for device in found["devices"]] == [(FIRST, False)]


@pytest.mark.promise("POOL-6")
def test_a_declared_uuid_that_nvml_does_not_see_is_unhealthy(look: Look) -> None:
    (found,) = look(
        TWO, declared=[declared(id="left", uuid="GPU-none"), declared(id="right", uuid=SECOND)]
    )["looks"]
    assert [(device["id"], device["healthy"]) for device in found["devices"]] == [
        ("left", False),
        ("right", True),
    ]


@pytest.mark.promise("POOL-6")
def test_declared_devices_are_unhealthy_while_the_driver_fails(look: Look) -> None:
    (found,) = look("init 18\n", declared=[declared(uuid=FIRST)])["looks"]
    (device,) = found["devices"]
    assert not device["healthy"]
    assert "(NVML error 18)" in device["health_note"]
    assert "(NVML error 18)" in found["note"]


@pytest.mark.promise("POOL-1")
@pytest.mark.parametrize(
    "elsewhere",
    [declared(node="dgx-2"), declared(node="dgx-2", uuid="GPU-other"), declared(id="the-big-one")],
)
def test_declared_devices_that_cannot_be_looked_up_here_are_taken_as_declared(
    look: Look, elsewhere: dict[str, Any]
) -> None:
    (found,) = look(TWO, declared=[elsewhere])["looks"]
    (device,) = found["devices"]
    assert device["healthy"]
    assert device["uuid"] == (elsewhere["uuid"] or elsewhere["id"])
