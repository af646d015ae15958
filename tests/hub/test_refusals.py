"""A refusal is readable on every way in: each reason, no stack trace, never an HTTP 500."""

from __future__ import annotations

import json
from collections.abc import Callable
from html import escape

import pytest

from allotment.model.instance_types import InstanceType
from allotment.model.limits import LimitKind, LimitScope
from allotment.model.profiles import Profile
from allotment.record import Writing, instance_types, limits, profiles, storage
from hubs import HubUnderTest, until

HOSTILE = '<script>alert("x")</script>'
WAYS = ["rest", "form"]


def launch(hub: HubUnderTest, way: str, person: str, server: str = "", **options: str) -> str:
    """Launch on one way in, expect a refusal, and return what is shown, unescaped."""
    if way == "rest":
        answer = hub.launch(person, server, **options)
        assert 400 <= answer.status_code < 500, answer.text
        return str(answer.json()["message"])
    answer = hub.submit(hub.signed_in(person), person, server, **options)
    assert 400 <= answer.status_code < 500, answer.text
    assert "Traceback" not in answer.text
    return answer.text


def shows(text: str, words: str) -> bool:
    """Whether a page or a message shows some words. Jinja and html.escape write quotes differently."""
    return words in text or escape(words).replace("&#x27;", "&#39;") in text


@pytest.mark.promise("LIMIT-4")
@pytest.mark.parametrize("way", WAYS)
def test_every_reason_is_shown_not_only_the_first(hub: HubUnderTest, way: str) -> None:
    for number in range(3):
        hub.launch("ada", f"s{number}", profile="gpu" if number < 2 else "small")
        hub.ready("ada", f"s{number}")

    said = launch(hub, way, "ada", "one-more", profile="gpu")

    assert shows(said, "You hold 3 running servers and may hold 3")
    assert shows(said, "You hold 2 devices and may hold 2")
    assert shows(said, "Stop 1 server")
    assert len(hub.held("ada")) == 3


@pytest.mark.promise("PROFILE-3")
@pytest.mark.parametrize("way", WAYS)
def test_a_profile_that_one_may_not_see_cannot_be_launched(hub: HubUnderTest, way: str) -> None:
    said = launch(hub, way, "ada", profile="secret")

    assert shows(said, "There is no profile 'secret' that you may launch.")
    assert hub.held("ada") == ()


@pytest.mark.parametrize("way", WAYS)
def test_an_unknown_profile_is_refused_with_what_is_offered(hub: HubUnderTest, way: str) -> None:
    said = launch(hub, way, "ada", profile="nonesuch")

    assert shows(said, "There is no profile 'nonesuch'")
    assert "gpu" in said


@pytest.mark.parametrize("way", WAYS)
def test_a_group_that_one_is_not_in_cannot_pay(hub: HubUnderTest, way: str) -> None:
    said = launch(hub, way, "cy", profile="small", group="vision")

    assert shows(said, "You are not in a group 'vision'.")


@pytest.mark.parametrize("way", WAYS)
def test_what_would_wait_says_who_holds_the_devices(hub: HubUnderTest, way: str) -> None:
    hub.launch("ada", profile="two")
    hub.launch("ben", profile="two")
    hub.ready("ada")
    hub.ready("ben")
    hub.change(lambda writing: hub.raise_device_limit(writing, "ben", 4))

    said = launch(hub, way, "ben", "more", profile="gpu")

    assert shows(said, "vision may hold 4 devices in a100 and holds 4")
    assert shows(said, "ada holds 2 devices since")


@pytest.mark.promise("PROFILE-3")
@pytest.mark.parametrize("way", WAYS)
def test_a_launch_that_names_no_profile_starts_no_default_server(
    hub: HubUnderTest, way: str
) -> None:
    said = launch(hub, way, "dan")

    assert shows(said, "No profile was chosen. Choose one of: gpu, small, two.")
    assert hub.held("dan") == ()
    assert hub.marked() == []


@pytest.mark.promise("PROFILE-3")
@pytest.mark.parametrize("way", WAYS)
def test_somebody_who_is_not_on_boarded_gets_no_server(hub: HubUnderTest, way: str) -> None:
    said = launch(hub, way, "stranger", profile="small")

    assert shows(said, "stranger is not on-boarded to this platform.")


@pytest.mark.parametrize("way", WAYS)
def test_the_console_is_no_profile_of_a_data_scientist(hub: HubUnderTest, way: str) -> None:
    said = launch(hub, way, "ada", "console", profile="operator-console")

    assert shows(said, "There is no profile 'operator-console' that you may launch.")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("server", "profile"), [("console", "small"), ("mine", "operator-console")]
)
def test_the_consoles_name_and_profile_belong_to_each_other(
    hub: HubUnderTest, way: str, server: str, profile: str
) -> None:
    said = launch(hub, way, "olga", server, profile=profile)

    assert shows(said, "belong to each other")
    assert hub.held("olga") == ()


@pytest.mark.parametrize("field", ["profile", "group", "display_name", "note"])
@pytest.mark.parametrize("way", WAYS)
def test_hostile_text_is_escaped_wherever_it_is_shown(
    hub: HubUnderTest, way: str, field: str
) -> None:
    options = {"profile": "nonesuch", field: HOSTILE}

    said = launch(hub, way, "ada", **options)

    assert way == "rest" or HOSTILE not in said


@pytest.mark.parametrize(
    "options",
    [
        {"profile": 7},
        {"profile": ["gpu"]},
        {"profile": {"name": "gpu"}},
        {"profile": True},
        {"profile": "gpu", "group": 1.5},
        {"profile": "gpu", "ticket": "T-1"},
        {"profile": "gpu", "image": "evil"},
        {"profile": "x" * 100_000},
        {"profile": "gpu", "note": "n" * 100_000},
        {"profile": "gpu", "note": "null \x00 byte"},
        {"profile": "gpu", "note": "lone surrogate \ud800"},
        {"profile": "gpu\nname"},
        {f"key-{number}": "x" for number in range(5000)},
        {"\ud800": "key"},
        {"profile": "%s %(x)s %d"},
        {"profile": "{user.name}"},
    ],
    ids=lambda options: json.dumps(options)[:30],
)
def test_options_of_a_wrong_kind_are_refused_in_few_words(
    hub: HubUnderTest, options: dict[str, object]
) -> None:
    answer = hub.launch("ada", **options)

    assert 400 <= answer.status_code < 500, answer.text
    assert answer.json()["message"]
    assert len(answer.text) < 5000
    assert hub.held("ada") == ()


@pytest.mark.parametrize("body", [[], "gpu", 7, {"user_options": ["gpu"]}, {"user_options": "gpu"}])
def test_a_body_that_is_no_object_is_refused(hub: HubUnderTest, body: object) -> None:
    answer = hub.api("POST", "/users/dan/server", body, token=hub.token("dan"))

    assert 400 <= answer.status_code < 500, answer.text
    assert hub.held("dan") == ()


def test_options_that_were_refused_are_not_kept_for_the_next_start(hub: HubUnderTest) -> None:
    hub.launch("ada", profile="gpu", ticket="T-1")

    model = hub.api("GET", "/users/ada/servers/").json()

    assert model["user_options"] == {}


def test_a_form_with_a_field_given_twice_or_with_a_file_is_refused(hub: HubUnderTest) -> None:
    page = hub.signed_in("ada")
    twice = hub.submit(page, "ada", profile=["small", "gpu"])
    file = page.post(
        "/spawn",
        data={"_xsrf": page.cookies["_xsrf"], "profile": "small"},
        files={"profile": ("name.txt", b"text")},
    )

    assert (twice.status_code, file.status_code) == (400, 400)
    assert hub.held("ada") == ()


def test_a_link_with_options_that_are_none_starts_nothing(hub: HubUnderTest) -> None:
    answer = hub.signed_in("ada").get("/spawn?utm_source=newsletter")

    assert answer.status_code == 400
    assert shows(answer.text, "There is no option 'utm_source'.")
    assert hub.held("ada") == ()


@pytest.mark.promise("PROFILE-3")
def test_opening_the_launch_page_starts_nothing(hub: HubUnderTest) -> None:
    answer = hub.signed_in("dan").get("/spawn")

    assert answer.status_code == 200
    assert "<form" in answer.text
    assert hub.held("dan") == ()


def test_a_refusal_that_comes_late_is_shown_on_the_pending_page_and_in_the_progress(
    new_hub: Callable[..., HubUnderTest],
) -> None:
    hub = new_hub(
        extra="import asyncio\n"
        "async def slowly(spawner):\n    await asyncio.sleep(1.5)\n"
        "c.Spawner.pre_spawn_hook = slowly"
    )
    page = hub.signed_in("ada")

    launched = hub.submit(page, "ada", profile=HOSTILE)
    assert launched.is_redirect
    assert "spawn-pending" in launched.headers["location"]
    progress = page.get("/api/users/ada/server/progress", headers=hub.from_page(page))
    pending = page.get("/spawn-pending/ada")

    assert "There is no profile" in progress.text
    assert '"html_message"' in progress.text
    assert pending.status_code == 403
    assert '<ul class="reasons">' in pending.text
    assert HOSTILE not in pending.text + progress.text
    assert "Traceback" not in pending.text + progress.text


def test_a_record_that_does_not_answer_refuses_clearly_and_later_gives_nothing_away(
    new_hub: Callable[..., HubUnderTest],
) -> None:
    hub = new_hub(extra="c.AllotmentMixin.record_patience = 0.5")
    hub.token("ada")
    with hub.record.writing("olga", hub.now()):
        answer = hub.launch("ada", profile="gpu")

    assert answer.status_code == 503
    assert "The record did not answer" in answer.json()["message"]
    until(lambda: hub.happened("allotment.released"), "the late admission to be given back")
    assert hub.held() == ()
    assert hub.launch("ada", profile="gpu").status_code in {201, 202}
    hub.assert_sound()


@pytest.mark.promise("TYPE-2")
@pytest.mark.parametrize("way", WAYS)
def test_above_the_limit_of_its_instance_type_nothing_starts(hub: HubUnderTest, way: str) -> None:
    cloud = Profile(name="cloud", title="Cloud", instance_type="g5.xlarge")

    def one_of_it(writing: Writing) -> None:
        profiles.publish(writing, cloud, "tests", "cloud")
        instance_types.create(writing, InstanceType("g5.xlarge", most=1))

    def none_of_it(writing: Writing) -> None:
        profiles.retire(writing, "cloud")
        instance_types.delete(writing, "g5.xlarge")

    hub.change(one_of_it)
    assert hub.launch("ben", "first", profile="cloud").is_success
    hub.ready("ben", "first")

    said = launch(hub, way, "ada", "second", profile="cloud")

    hub.stop("ben", "first")
    until(lambda: not hub.held("ben"), "the release")
    hub.change(none_of_it)
    assert shows(said, "All instances of the type 'g5.xlarge' are taken: 1 of 1 (typed in)")
    assert hub.held("ada") == ()


@pytest.mark.promise("LIMIT-5")
@pytest.mark.parametrize("way", WAYS)
def test_who_is_over_the_limit_of_storage_is_told_how_much_to_delete(
    hub: HubUnderTest, way: str
) -> None:
    def fill(writing: Writing) -> None:
        limits.put(writing, LimitScope.PERSON, "ada", LimitKind.STORAGE, 1)
        storage.measured(writing, "hub", "ada", 3 << 30, complete=True)

    def tidy(writing: Writing) -> None:
        limits.put(writing, LimitScope.PERSON, "ada", LimitKind.STORAGE, None)
        storage.forget(writing, "hub", "ada")

    hub.change(fill)
    said = launch(hub, way, "ada", profile="small")
    hub.change(tidy)

    assert shows(said, "Your home holds 3 GiB and may hold 1 GiB (set for this person).")
    assert shows(said, "2 GiB at least")
    assert hub.held("ada") == ()
