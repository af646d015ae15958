"""The page on which people say where their notices are sent."""

from __future__ import annotations

import pytest

from allotment.record import people
from page_hubs import PageHub


def address(hub: PageHub, person: str) -> str:
    with hub.record.reading() as reading:
        return people.get(reading, person).email


@pytest.mark.promise("IDLE-2", "OPS-4")
def test_people_say_where_their_notices_are_sent_and_end_it_again(page_hub: PageHub) -> None:
    browser = page_hub.signed_in("dan")
    token = browser.cookies.get("_xsrf", path="/hub/") or ""

    saved = browser.post("/notices", data={"_xsrf": token, "email": " dan@example.org "})

    assert saved.status_code == 200
    assert 'Notices are sent to <b class="break">dan@example.org</b>' in saved.text
    assert address(page_hub, "dan") == "dan@example.org"
    assert 'value="dan@example.org"' in browser.get("/notices").text
    assert "You get no mail" in browser.post("/notices", data={"_xsrf": token, "email": ""}).text
    assert address(page_hub, "dan") == ""


@pytest.mark.promise("OPS-4")
def test_what_is_no_address_comes_back_as_it_was_typed(page_hub: PageHub) -> None:
    browser = page_hub.signed_in("dan")
    token = browser.cookies.get("_xsrf", path="/hub/") or ""

    refused = browser.post("/notices", data={"_xsrf": token, "email": '"><b>dan'})

    assert refused.status_code == 400
    assert 'value="&#34;&gt;&lt;b&gt;dan"' in refused.text
    assert "expected an e-mail address" in refused.text.lower()


@pytest.mark.promise("OPS-4")
def test_a_post_from_another_page_changes_nothing(page_hub: PageHub) -> None:
    browser = page_hub.signed_in("dan")

    refused = browser.post("/notices", data={"email": "thief@example.org"})

    assert refused.status_code == 403
    assert address(page_hub, "dan") == ""
