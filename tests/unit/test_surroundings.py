"""What a server reads of its environment."""

from __future__ import annotations

import pytest

from allotment.inventory.shown import Slot
from allotment.model.devices import SlotKind
from allotment_server.surroundings import Surroundings


def test_an_empty_environment_is_a_server_that_nobody_spawned() -> None:
    here = Surroundings.from_environment({})
    assert not here.control_plane_known
    assert (here.devices, here.home_url) == ((), "")


@pytest.mark.parametrize(
    ("ids", "uuids", "pairs"),
    [
        ("a,b", "GPU-1,GPU-2", (("a", "GPU-1"), ("b", "GPU-2"))),
        ("a, b ,", "GPU-1,GPU-2", (("a", "GPU-1"), ("b", "GPU-2"))),
        ("a,b", "GPU-2", (("a", ""), ("b", ""))),
        ("", "GPU-1", ()),
    ],
)
def test_devices_pair_up_with_their_uuids_or_have_none(
    ids: str, uuids: str, pairs: tuple[tuple[str, str], ...]
) -> None:
    environment = {"ALLOTMENT_DEVICES": ids, "CUDA_VISIBLE_DEVICES": uuids}
    assert Surroundings.from_environment(environment).devices == pairs


def test_a_pod_knows_its_devices_by_kind_whatever_its_image_says_of_them() -> None:
    here = Surroundings.from_environment(
        {
            "ALLOTMENT_DEVICES": "a,b",
            "ALLOTMENT_DEVICE_KINDS": "gpu,of-a-newer-hub",
            "CUDA_VISIBLE_DEVICES": "0,1",
        }
    )
    assert here.devices == (("a", ""), ("b", ""))
    assert here.slots == (Slot("a", SlotKind.GPU), Slot("b", SlotKind.UNKNOWN))


def test_kinds_that_do_not_go_with_the_devices_tell_nothing() -> None:
    told = {"ALLOTMENT_DEVICES": "a,b", "ALLOTMENT_DEVICE_KINDS": "other"}
    assert Surroundings.from_environment(told).slots == ()


@pytest.mark.parametrize(
    ("environment", "address"),
    [
        ({"JUPYTERHUB_BASE_URL": "/"}, "/hub/home"),
        ({"JUPYTERHUB_BASE_URL": "/jupyter/"}, "/jupyter/hub/home"),
        (
            {"JUPYTERHUB_BASE_URL": "/", "JUPYTERHUB_HOST": "https://hub.example.org"},
            "https://hub.example.org/hub/home",
        ),
    ],
)
def test_it_knows_the_way_back_to_the_hub(environment: dict[str, str], address: str) -> None:
    assert Surroundings.from_environment(environment).home_url == address


def test_the_token_is_not_in_what_a_log_would_print() -> None:
    here = Surroundings.from_environment(
        {"JUPYTERHUB_API_TOKEN": "secret", "ALLOTMENT_API_URL": "http://x"}
    )
    assert here.control_plane_known
    assert "secret" not in repr(here)
