"""What the owner of a server is told of a device that does not answer, once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from allotment.model.documents import LimitUse, Me, Notice
from allotment.model.limits import LimitKind
from allotment.model.reports import DeviceUse, Measured
from allotment_server.answers import ControlPlaneState, MeAnswer, put_together
from allotment_server.page import page_words
from allotment_server.reporting import Reporting
from allotment_server.surroundings import Surroundings

NOW = datetime(2026, 11, 22, 15, tzinfo=UTC)
UNKNOWN = DeviceUse(id="gpu-1", measured=Measured.UNAVAILABLE, note="GPU is lost.")
STATE = ControlPlaneState(configured=True, reachable=True)


def here(uuid: str) -> Surroundings:
    environment = {"ALLOTMENT_DEVICES": "gpu-1", "CUDA_VISIBLE_DEVICES": uuid}
    return Surroundings.from_environment(environment)


def me(*notices: Notice, limits: tuple[LimitUse, ...] = ()) -> Me:
    return Me(
        person="ann",
        role="data-scientist",
        reach="own",
        permissions=(),
        groups=(),
        leads=(),
        limits=limits,
        shares={},
        servers=(),
        notices=notices,
        sequence=1,
    )


def told(uuid: str, platform: Me | None) -> MeAnswer:
    return put_together(here(uuid), platform, STATE, (UNKNOWN,), Reporting())


@pytest.mark.promise("POOL-6")
def test_a_device_that_stopped_answering_is_told_though_the_platform_does_not_know_yet() -> None:
    assert [notice.message for notice in told("GPU-1", me()).notices] == [
        "Device gpu-1 cannot be measured. GPU is lost."
    ]


@pytest.mark.promise("POOL-6")
def test_what_the_platform_tells_of_a_device_is_not_told_twice() -> None:
    known = Notice(at=NOW, kind="device", message="Your server train: gpu-1 is not there any more.")
    assert told("GPU-1", me(known)).notices == (known,)


def test_a_device_that_can_never_be_measured_is_no_news() -> None:
    assert told("gpu-1", me()).notices == ()


@pytest.mark.promise("POOL-6")
@pytest.mark.parametrize("measurable", [True, False])
def test_in_a_pod_a_gpu_that_is_not_measured_is_told_and_what_never_is_is_no_news(
    measurable: bool,
) -> None:
    pod = Surroundings.from_environment(
        {"ALLOTMENT_DEVICES": "gpu-1", "ALLOTMENT_DEVICE_KINDS": "gpu"}
    )
    use = UNKNOWN.model_copy(update={"measurable": measurable})
    notices = put_together(pod, me(), STATE, (use,), Reporting()).notices
    assert [notice.message for notice in notices] == [
        "Device gpu-1 cannot be measured. GPU is lost."
    ] * measurable


@pytest.mark.parametrize(
    ("groups", "titles"),
    [
        (("vision",), ["Devices at once"]),
        (("vision", "audio"), ["Devices at once, group vision", "Devices at once, group audio"]),
    ],
)
def test_limits_name_the_group_where_there_are_several(
    groups: tuple[str, ...], titles: list[str]
) -> None:
    limits = tuple(
        LimitUse(
            kind=LimitKind.DEVICES,
            words="devices at once",
            group=group,
            used=0,
            source="the default",
        )
        for group in groups
    )
    words = page_words(told("GPU-1", me(limits=limits)), here("GPU-1"), NOW)
    assert [meter.title for meter in words["meters"]] == titles
