"""Lists that can be followed: pages, entity tags, changes after a sequence, events as they happen."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from allotment.api.identity import hash_token
from allotment.client import AllotmentClient
from allotment.model.documents import Event, UseReport
from allotment.model.refusals import NotPermitted
from allotment.model.reports import DeviceUse, Measured, ServerReport
from allotment.record import devices, memberships, people, servers

pytestmark = pytest.mark.parametrize("store", ["sqlite"])


@pytest.fixture
def olga(api: Any) -> Any:
    with api.client("olga+") as client:
        yield client


def test_pages_tell_every_item_once(lab: Any, api: Any) -> None:
    lab.people(*(f"person-{number:02}" for number in range(23)))
    names, cursor = [], None
    while True:
        query = {"limit": 5} | ({"cursor": cursor} if cursor else {})
        page = api.ask("GET", "/users", "olga+", params=query).json()
        assert len(page["items"]) <= 5
        names += [user["name"] for user in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break

    assert names == sorted({*names})
    assert len(names) == 23 + 5


def test_the_client_reads_a_whole_list_through_its_pages(lab: Any, olga: AllotmentClient) -> None:
    for number in range(4):
        lab.pool(f"pool-{number}", [])

    listing = olga._connection.read_all(type(olga.pools.all()), "/pools", limit=2)

    assert [pool.name for pool in listing.items] == [
        "a100",
        "default",
        "pool-0",
        "pool-1",
        "pool-2",
        "pool-3",
    ]


def test_an_unchanged_list_is_not_sent_again(lab: Any, api: Any) -> None:
    first = api.ask("GET", "/devices", "olga+")
    tag = {"headers": {"If-None-Match": first.headers["etag"]}}

    assert api.ask("GET", "/devices", "olga+", **tag).status_code == 304
    lab.granted("ann", "gpu", "train")
    assert api.ask("GET", "/devices", "olga+", **tag).status_code == 200


@pytest.mark.promise("ADMIN-2")
def test_changes_after_a_sequence_are_the_servers_and_devices_that_changed(
    lab: Any, olga: AllotmentClient
) -> None:
    lab.granted("bob", "cpu", "desk")
    before = olga.servers.all().sequence
    allotment = lab.granted("ann", "gpu", "train")

    servers, held = olga.servers.all(changed_after=before), olga.devices.all(changed_after=before)

    assert (servers.complete, [one.id for one in servers.items]) == (False, ["hub~ann~train"])
    assert [(one.id, one.state) for one in held.items] == [("gpu-0", "held")]
    assert olga.users.all(changed_after=before).items[0].devices == 1

    lab.end(allotment)
    again = olga.devices.all(changed_after=held.sequence)
    assert [(one.id, one.state) for one in again.items] == [("gpu-0", "free")]
    assert olga.servers.all(changed_after=servers.sequence).items[0].state == "stopped"


@pytest.mark.promise("ADMIN-2")
def test_what_is_gone_since_is_named(lab: Any, olga: AllotmentClient) -> None:
    lab.end(lab.granted("ann", "gpu", "train"))
    before = olga.servers.all().sequence
    with lab.write() as writing:
        people.delete(writing, ["zoe"])
    with lab.write() as writing:
        servers.forget(writing, "hub", "ann", "train")

    assert olga.servers.all(changed_after=before).removed == ("hub~ann~train",)
    assert olga.users.all(changed_after=before).removed == ("zoe",)


@pytest.mark.promise("POOL-6", "ADMIN-2")
def test_a_device_that_ails_changes_its_device_and_its_server(
    lab: Any, olga: AllotmentClient
) -> None:
    lab.granted("ann", "gpu", "train")
    before = olga.devices.all().sequence
    with lab.write() as writing:
        devices.set_health(writing, "gpu-0", healthy=False)

    assert [one.state for one in olga.devices.all(changed_after=before).items] == ["unhealthy"]
    assert olga.servers.all(changed_after=before).items[0].warnings


def test_a_sequence_from_before_a_restore_is_answered_with_everything(
    olga: AllotmentClient,
) -> None:
    listing = olga.servers.all(changed_after=10_000)

    assert listing.complete


def test_whoever_loses_sight_of_things_is_told_everything_anew(lab: Any, api: Any) -> None:
    lab.granted("bob", "gpu", "train")
    with api.client("ann+") as ann:
        before = ann.servers.all()
        assert [one.person for one in before.items] == ["bob"]
        with lab.write() as writing:
            memberships.set_lead(writing, "ann", "vision", lead=False)

        after = ann.servers.all(changed_after=before.sequence)

    assert (after.complete, after.items) == (True, ())


@pytest.mark.promise("USER-5")
def test_what_is_gone_never_names_what_was_not_the_callers_to_see(lab: Any, api: Any) -> None:
    with api.client("zoe+") as zoe:
        before = zoe.servers.all().sequence
        lab.end(lab.granted("bob", "gpu", "train"))

        changes = [
            zoe.servers.all(changed_after=before),
            zoe.devices.all(changed_after=before),
            zoe.users.all(changed_after=before),
        ]

    assert [one.removed for one in changes] == [(), (), ()]
    assert [len(one.items) for one in changes] == [0, 0, 1]


# Events.


@pytest.mark.promise("ADMIN-2")
def test_a_long_poll_ends_when_something_happens(lab: Any, olga: AllotmentClient) -> None:
    latest = olga.events.after(0).sequence
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(olga.events.after(latest, wait=20)))
    waiting.start()
    lab.people("new-1")
    waiting.join(20)

    assert [event.kind for event in answers[0].items] == ["person.onboarded"]
    assert answers[0].sequence == latest + 1


def test_a_long_poll_without_events_ends_by_itself(olga: AllotmentClient) -> None:
    latest = olga.events.after(0).sequence

    assert olga.events.after(latest, wait=0.05).items == ()


@pytest.mark.promise("USER-4", "USER-5")
def test_events_of_others_are_told_to_those_who_may_see_them_only(lab: Any, api: Any) -> None:
    start = lab.granted("bob", "gpu", "train")
    seen = {}
    for token in ("olga+", "ann+", "bob", "zoe+"):
        with api.client(token) as client:
            subjects = {event.subject for event in client.events.after(0).items}
            seen[token] = start in subjects

    assert seen == {"olga+": True, "ann+": True, "bob": True, "zoe+": False}


@pytest.mark.promise("ADMIN-2")
def test_following_tells_each_event_once_and_in_order(lab: Any, olga: AllotmentClient) -> None:
    latest = olga.events.after(0).sequence
    following = olga.events.follow(latest)
    told = []
    for number in range(3):
        lab.people(f"new-{number}")
        told.append(next(following))
    following.close()

    assert all(isinstance(event, Event) for event in told)
    assert [event.subject for event in told] == ["new-0", "new-1", "new-2"]
    assert [event.sequence for event in told] == [latest + 1, latest + 2, latest + 3]


@pytest.mark.promise("SERVER-7")
def test_following_goes_on_where_it_was_when_the_control_plane_comes_back(
    lab: Any, api: Any, serve: Any
) -> None:
    other = serve(lab.record, lambda: lab.now)
    with api.client("olga+") as olga:
        latest = olga.events.after(0).sequence
        troubles: list[str] = []
        following = olga.events.follow(latest, on_trouble=troubles.append)
        lab.people("before")
        assert next(following).subject == "before"

        # The control plane dies; another takes its place, here on another port.
        api.stop()
        olga.events._connection.url = other.url
        lab.people("meanwhile")
        assert next(following).subject == "meanwhile"
        following.close()

    assert troubles[0] != ""
    assert troubles[-1] == ""


def test_following_ends_for_somebody_who_may_no_longer(api: Any) -> None:
    with api.client("zoe") as zoe:
        following = zoe.events.follow(0)
        next(following)
        del api.hub.tokens["zoe"]
        api.seconds.now += 10
        with pytest.raises(NotPermitted):
            for _ in following:
                pass


# Reports of use.


def a_report(utilisation: float = 71.0) -> ServerReport:
    use = DeviceUse(
        id="gpu-0",
        measured=Measured.NVML,
        utilisation=utilisation,
        memory_used=5,
        memory_total=10,
    )
    return ServerReport(
        kernels=2,
        kernels_busy=1,
        terminals=1,
        last_activity="2026-03-01T12:00:00Z",  # type: ignore[arg-type]  # as it comes by HTTP
        devices=(use,),
    )


@pytest.mark.promise("POOL-1")
def test_a_report_is_shown_on_its_server_and_its_devices(
    lab: Any, api: Any, olga: AllotmentClient
) -> None:
    lab.granted("ann", "gpu", "train", token_hash=hash_token("anns-server"))
    with api.client("anns-server") as server:
        server.report(a_report())

    held, shown = olga.devices.get("gpu-0"), olga.servers.get("hub~ann~train")

    assert held.use is not None
    assert shown.use is not None
    assert (held.use.utilisation, shown.use.kernels_busy) == (71.0, 1)


@pytest.mark.promise("ADMIN-2")
def test_reports_are_a_topic_of_the_stream_and_no_events(
    lab: Any, api: Any, olga: AllotmentClient
) -> None:
    lab.granted("ann", "gpu", "train", token_hash=hash_token("anns-server"))
    latest = olga.events.after(0).sequence
    following = olga.events.follow(latest, use=True)
    lab.people("marker")
    assert next(following).subject == "marker"
    with api.client("anns-server") as server:
        server.report(a_report())

    told = next(following)
    following.close()

    assert isinstance(told, UseReport)
    assert (told.server, told.devices[0].utilisation) == ("hub~ann~train", 71.0)
    assert olga.events.after(latest).sequence == latest + 1
