"""The page at ``/allotment``: what ``/allotment/me`` tells, for people."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from allotment.api.examples.queue import TICKET
from allotment_server.page import ago, lasting
from stand_in_control_plane import ending_document

ROOT = Path(__file__).parents[2]


@pytest.fixture
def page(fetch: Any) -> str:
    answer = fetch("allotment")
    assert answer.code == 200
    return str(answer.body.decode())


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_it_says_which_server_this_is_and_who_pays(page: str) -> None:
    assert "Training &lt;7&gt;" in page
    assert re.search(r"PyTorch on one GPU, running for \d+ \w+ \.", words(page))
    assert "Group vision pays." in words(page)


@pytest.mark.promise("LIMIT-1")
def test_it_writes_the_limit_beside_what_is_used_with_its_source(page: str) -> None:
    assert "Devices at once 1 of 2 The platform&#39;s default" in words(page)
    assert "Running servers 1, no limit No limit is set" in words(page)


@pytest.mark.promise("POOL-7")
def test_it_labels_how_each_device_is_isolated(page: str) -> None:
    told = "sim-0 Simulated GPU, 16 GiB Cooperative: local processes are told which device is theirs Simulated: nothing is measured"
    assert told in words(page)


@pytest.mark.promise("POOL-6")
def test_it_flags_a_device_of_this_server_that_became_unhealthy(page: str) -> None:
    assert "Device sim-0 is unhealthy." in page


def test_text_from_elsewhere_is_escaped(page: str) -> None:
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.promise("DATA-4")
def test_it_offers_to_test_a_source_that_was_added(page: str) -> None:
    assert "lake was added: test it from your server." in words(page)
    assert 'data-test="lake">Test' in page


def test_it_links_back_to_the_work_and_to_the_hub(page: str) -> None:
    assert 'href="/a%40b/"' in page
    assert 'href="/jupyter/hub/home"' in page


def test_it_asks_for_nothing_from_elsewhere_and_runs_no_inline_script(fetch: Any) -> None:
    policy = fetch("allotment").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy


def test_its_style_and_script_are_served(fetch: Any, page: str) -> None:
    for address in re.findall(r'(?:src|href)="(/a%40b/static/[^"?]+)', page):
        answer = fetch(*address.removeprefix("/a%40b/").split("/"))
        assert answer.code == 200


def test_somebody_who_is_not_signed_in_is_sent_to_sign_in(fetch: Any) -> None:
    answer = fetch("allotment", headers={"Authorization": "token wrong"}, follow_redirects=False)
    assert answer.code == 302
    assert "/login" in answer.headers["Location"]


def test_the_address_with_a_slash_leads_to_the_page(fetch: Any) -> None:
    answer = fetch("allotment/", follow_redirects=False)
    assert (answer.code, answer.headers["Location"]) == (301, "/a%40b/allotment")


@pytest.mark.promise("SERVER-7")
def test_it_says_when_the_control_plane_is_away(fetch: Any, control_plane: Any) -> None:
    control_plane.problem = (503, "The record is away.")
    page = words(fetch("allotment").body.decode())
    assert (
        "The control plane does not tell now what you hold. You can go on working. The record is away."
        in page
    )
    assert "Not known: the control plane has not told yet." in page


def colours(css: str, opening: str) -> dict[str, str]:
    block = css[css.index(opening) :]
    return dict(re.findall(r"(--[\w-]+): (#\w+)", block[: block.index("}")]))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(":root {", ".allotment,"), ("dark) {", ':root[data-allotment-theme="dark"]')],
)
def test_its_colours_are_those_of_the_console(ours: str, theirs: str) -> None:
    style = (ROOT / "server_extension/allotment_server/static/status.css").read_text()
    tokens = (ROOT / "widgets/allotment_widgets/tokens.css").read_text()
    used = colours(style, ours)
    assert len(used) > 10
    assert used == {name: colours(tokens, theirs)[name] for name in used}


@pytest.mark.promise("LIMIT-1")
def test_it_shows_what_the_owners_groups_hold_of_what_they_may(page: str) -> None:
    assert "vision, pool a100 1 of 2 1 guaranteed, 3 free in the pool" in words(page)


@pytest.mark.parametrize(
    ("seconds", "past", "long"),
    [
        (-3, "just now", "0 seconds"),
        (4, "just now", "4 seconds"),
        (59, "59 seconds ago", "59 seconds"),
        (60, "1 minute ago", "1 minute"),
        (7199, "1 hour ago", "1 hour"),
        (86400 * 3, "3 days ago", "3 days"),
    ],
)
def test_times_are_said_as_people_say_them(seconds: int, past: str, long: str) -> None:
    now = datetime(2026, 11, 22, 15, tzinfo=UTC)
    time = now - timedelta(seconds=seconds)
    assert (ago(time, now), lasting(time, now)) == (past, long)


@pytest.mark.promise("IDLE-2")
def test_it_says_when_this_server_is_stopped_and_why(fetch: Any, control_plane: Any) -> None:
    control_plane.me["servers"][0]["endings"] = [ending_document()]
    page = words(fetch("allotment").body.decode())
    assert "This server is stopped in 15 minutes . Idle since 13:17 UTC: no cell or program" in page
    assert "It can be put off 3 more times" in page


@pytest.mark.promise("IDLE-4")
def test_it_says_until_when_this_server_is_left_alone(fetch: Any, control_plane: Any) -> None:
    keep = {"until": "2026-11-23T08:00:00Z", "said_by": "bob", "note": "<b>night</b>"}
    control_plane.me["servers"][0]["keep"] = keep
    page = fetch("allotment").body.decode()
    assert "It is left alone until 2026-11-23 08:00 UTC , though it looks idle: bob" in words(page)
    assert "&lt;b&gt;night&lt;/b&gt;" in page


@pytest.mark.promise("QUEUE-1")
def test_a_server_that_waits_is_listed_with_its_place_and_why(
    control_plane: Any, fetch: Any
) -> None:
    control_plane.me["tickets"] = [TICKET | {"name": "old", "display_name": "<Old>"}]

    page = words(fetch("allotment").body.decode())

    assert "&lt;Old&gt; pytorch-gpu" in page
    assert "Waiting, number 2 in line" in page
    assert "Of 2 devices in a100 0 can be given out" in page
