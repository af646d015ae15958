"""How each part of the platform is, in one place and in words; what is new."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from allotment.api.looking import Around, Disk, Look
from allotment.api.views import health
from allotment.model.documents import HealthReport, Part, Step
from allotment.record import drift, events, leases, presence, upkeep
from allotment.settings.mail import MailServer
from allotment.work.loop import Loop
from allotment.work.loop import Step as Piece
from allotment.work.presence import SILENT, Attendance, steps_on_duty
from allotment.work.tenure import Tenure, lease_name

pytestmark = [pytest.mark.parametrize("store", ["sqlite"]), pytest.mark.promise("CLUSTER-1")]


def by_name(report: HealthReport) -> dict[str, Part]:
    return {part.name: part for part in report.items}


def asked(api: Any) -> dict[str, Part]:
    with api.client("olga+") as olga:
        return by_name(olga.parts())


@pytest.fixture
def inside(lab: Any) -> health.Inside:
    """A platform on which all is well, as its record tells it."""
    with lab.record.reading() as reading:
        kept = upkeep.read(reading)
    return health.Inside(
        upkeep=kept,
        presences=(),
        holder="node-1 7",
        steps=(),
        drift=0,
        devices=4,
        mail_server=None,
        mails_waiting=0,
    )


AROUND = Around(Look("6.1.1"), Look("https://hub.example"), None, ())


@pytest.fixture
def part(lab: Any, inside: health.Inside) -> Callable[..., Part]:
    """One part of a platform on which all is well but what a test says."""

    def found(name: str, around: Around = AROUND, **changed: Any) -> Part:
        parts = health.parts("hub", replace(inside, **changed), around, lab.now)
        return next(each for each in parts if each.name == name)

    return found


def step(lab: Any, name: str, **more: Any) -> Step:
    return Step(
        **{
            "name": name,
            "every": 10,
            "runs": 3,
            "failures": 0,
            "last_succeeded_at": lab.now,
            **more,
        }
    )


def test_every_part_is_told_in_one_place_and_the_worst_of_them_is_the_platforms_state(
    api: Any,
) -> None:
    with api.client("rita+") as rita:
        report = rita.parts()
    parts = by_name(report)
    assert {"hub", "control-plane", "record", "backup", "inventory", "reconciling"} <= set(parts)
    assert {"work", "mail", "proxy"} <= set(parts)
    assert parts["hub"].says == "JupyterHub 6.1.1 answers, as the hub “hub”."
    assert parts["record"].says.startswith("SQLite answers; ")
    assert parts["mail"].state == "off"
    assert report.state == "failing"
    assert "nobody looks now" in parts["inventory"].says.lower()


def test_a_hub_that_is_away_is_said(api: Any) -> None:
    assert asked(api)["hub"].state == "ok"
    api.hub.broken = True
    assert asked(api)["hub"].state == "failing"
    assert asked(api)["hub"].says == "The hub could not answer now (HTTP 500)."


def test_a_person_who_may_not_see_the_platform_is_refused(api: Any) -> None:
    assert api.ask("GET", "/health/parts", "bob+").status_code == 403


@pytest.mark.promise("OPS-5")
def test_the_last_backup_is_told_and_asks_for_an_eye_when_it_is_old(api: Any, lab: Any) -> None:
    assert asked(api)["backup"].state == "unknown"
    with lab.write("root@machine") as writing:
        upkeep.note_backup(writing, 412)
    assert (asked(api)["backup"].state, asked(api)["backup"].at) == ("ok", lab.now)
    assert "412 rows" in asked(api)["backup"].says
    lab.later(days=8)
    assert asked(api)["backup"].state == "warning"


def test_control_planes_say_who_works_and_who_stands_by(api: Any, lab: Any) -> None:
    Tenure(lab.record, "hub", "node-1 7 1.0 x").keep()
    for holder in ("node-1 7 1.0 x", "node-2 9 1.0 y"):
        Attendance(lab.record, "hub", holder, lab.now).say(lab.now)
    planes = asked(api)["control-plane"]
    assert planes.state == "ok"
    assert planes.says == (
        "node-1 (process 7) does this hub's periodic work; 1 other would take it over."
    )


def test_a_control_plane_that_went_silent_is_told_as_such(lab: Any, part: Any) -> None:
    silent = presence.Presence("hub", "node-2 9", "0.1", lab.now, lab.now - SILENT * 2)
    (line,) = part("control-plane", presences=(silent,)).details
    assert "not heard of since" in line


def test_nobody_on_duty_is_a_failure(part: Any) -> None:
    found = part("control-plane", holder=None)
    assert found.state == "failing"
    assert "stand still" in found.says


def test_control_planes_of_two_versions_ask_for_an_eye(lab: Any, part: Any) -> None:
    two = [presence.Presence("hub", f"n {each}", each, lab.now, lab.now) for each in ("0.1", "0.2")]
    assert part("control-plane", presences=two).state == "warning"


def test_a_control_plane_that_stands_by_tells_the_work_of_the_one_on_duty(
    lab: Any,
) -> None:
    def fails(_now: Any) -> str:
        raise RuntimeError("The driver asks for a reset")

    devices = Piece("devices", 10.0, fails)
    tenure = Tenure(lab.record, "hub", "node-1 7")
    tenure.keep()
    working = Loop((devices,), lambda: lab.now, tenure)
    working.run_once(devices)
    attendance = Attendance(lab.record, "hub", "node-1 7", lab.now)
    attendance.tells_of(working)
    attendance.say(lab.now)
    stands_by = Loop((), lambda: lab.now, Tenure(lab.record, "hub", "node-2 9"))
    with lab.record.reading() as reading:
        (told,) = steps_on_duty(reading, stands_by, "hub")
    assert (told.failures, told.problem) == (1, "RuntimeError: The driver asks for a reset")


def test_one_that_ends_in_good_order_is_not_missed_and_one_that_was_killed_is_forgotten(
    lab: Any,
) -> None:
    gone, killed = (Attendance(lab.record, "hub", name, lab.now) for name in ("gone", "killed"))
    gone.say(lab.now)
    killed.say(lab.now)
    gone.leave(lab.now)
    with lab.record.reading() as reading:
        assert [one.holder for one in presence.all_said(reading)] == ["killed"]
    later = Attendance(lab.record, "hub", "later", lab.now)
    later.say(lab.now + timedelta(hours=7))
    with lab.record.reading() as reading:
        assert [one.holder for one in presence.all_said(reading)] == ["later"]


def test_what_a_control_plane_says_of_itself_is_no_event(lab: Any) -> None:
    with lab.record.reading() as reading:
        before = events.latest_sequence(reading)
    Attendance(lab.record, "hub", "node-1 7", lab.now).say(lab.now)
    with lab.record.reading() as reading:
        assert events.latest_sequence(reading) == before


def test_an_inventory_that_fails_is_told_with_why_and_that_what_was_known_stays(
    lab: Any, part: Any
) -> None:
    failing = step(lab, "devices", failures=2, problem="NVMLError: The driver is gone")
    found = part("inventory", steps=(failing,))
    assert found.state == "failing"
    assert "2 times in a row): NVMLError: The driver is gone." in found.says
    assert "4 devices" in found.says


def test_an_inventory_that_was_not_looked_at_for_long_asks_for_an_eye(lab: Any, part: Any) -> None:
    old = step(lab, "devices", last_succeeded_at=lab.now - timedelta(minutes=5))
    assert part("inventory", steps=(old,)).state == "warning"


def test_servers_that_are_not_accounted_for_ask_for_an_eye(api: Any, lab: Any) -> None:
    with lab.write() as writing:
        drift.note(writing, "0a", "hub", "bob", "stray", ["gpu-0"], "It runs without an allotment.")
    assert asked(api)["reconciling"].says.startswith("1 server is not accounted for")


def test_mail_that_is_not_sent_is_told_with_how_many_wait(lab: Any, part: Any) -> None:
    failing = step(lab, "mail", failures=1, problem="MailServerAway: mx.example.org is away")
    found = part("mail", steps=(failing,), mail_server="mx.example.org", mails_waiting=3)
    assert found.state == "failing"
    assert "3 mails to be sent to mx.example.org" in found.says


def test_a_mail_server_is_named_without_its_user(lab: Any, part: Any) -> None:
    server = MailServer(host="mx.example.org", sender="a@example.org")
    found = part("mail", steps=(step(lab, "mail"),), mail_server=server.host)
    assert (found.state, found.says) == ("ok", "0 mails to be sent to mx.example.org.")


@pytest.mark.parametrize(
    ("free", "state"), [(50, "ok"), (9, "warning"), (1, "failing")], ids=["room", "low", "out"]
)
def test_a_disk_that_fills_up_is_said_before_writing_fails(
    part: Any, free: int, state: str
) -> None:
    disk = Disk("the record", 100 << 30, free << 30)
    assert part("disk", replace(AROUND, disks=(disk,))).state == state


def test_a_proxy_that_is_not_reached_from_here_is_no_failure(part: Any) -> None:
    found = part("proxy", replace(AROUND, proxy=Look(problem="https://x does not answer.")))
    assert found.state == "warning"
    assert "asked from the control plane" in found.says


def test_a_cluster_that_does_not_answer_is_a_failure(part: Any) -> None:
    assert part("cluster", replace(AROUND, cluster=Look("v1.36.0"))).says.endswith("v1.36.0.")
    away = Look(problem="The cluster's API did not answer for 5 seconds.")
    assert part("cluster", replace(AROUND, cluster=away)).state == "failing"


def test_the_lease_says_who_works_whatever_a_control_plane_said_of_itself(lab: Any) -> None:
    with lab.write() as writing:
        leases.take(writing, lease_name("hub"), "node-2 9", timedelta(seconds=45))
    with lab.record.reading() as reading:
        assert steps_on_duty(reading, Loop((), lambda: lab.now, _other(lab)), "hub") == ()


def _other(lab: Any) -> Tenure:
    return Tenure(lab.record, "hub", "node-1 7")


@pytest.mark.promise("CLUSTER-2")
def test_what_is_new_is_told_to_everybody(api: Any) -> None:
    with api.client("zoe") as zoe:
        newest = zoe.news().items[0]
    assert newest.version == "0.1.0"
    assert any("operator console" in note for note in newest.sections[0].notes)
