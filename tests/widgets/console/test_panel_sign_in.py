"""How people sign in, as an operator sees it and replaces the client's secret."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from allotment.record import sign_in
from control_planes import Platform

pytestmark = pytest.mark.promise("AUTH-1", "ADMIN-3")

OpenConsole = Callable[..., Any]
SETTINGS = """
sign_in:
  kind: oidc
  issuer: https://login.example.org
  client_id: allotment
  client_secret_file: secret
  accept_shared_user: true
  operators: [operator]
  groups:
    - {name: platform, role: operator}
    - {name: <b>seeing</b>, role: reader}
  local: [rescue]
"""


@pytest.fixture
def with_provider(platform: Platform) -> Platform:
    """The platform, where people sign in through a provider."""
    file = platform.folder / "settings.yaml"
    file.write_text(SETTINGS)
    (platform.folder / "secret").write_text("of the settings")
    platform.stop()
    platform.environment = replace(platform.environment, settings=file)
    platform.start()
    return platform


def replaced(platform: Platform) -> bool:
    with platform.record.reading() as reading:
        kept = sign_in.replaced_secret(reading, "https://login.example.org", "allotment")
    return kept is not None


def test_with_passwords_there_is_nothing_to_look_at(open_console: OpenConsole) -> None:
    page = open_console(panel="sign-in")
    page.sees("With passwords of the platform&#x27;s own")
    assert page.buttons() == []


@pytest.mark.usefixtures("with_provider")
def test_what_is_active_is_shown_and_looked_at(
    open_console: OpenConsole, platform: Platform
) -> None:
    found = {
        **platform.hub.looked({"of_settings": True}),
        "problems": ["sign_in.callback: is <none>"],
    }
    with platform.record.writing("hub", datetime.now(UTC)) as writing:
        sign_in.note_look(writing, "hub", found, succeeded=False)
    page = open_console(panel="sign-in")
    page.sees("sign_in.callback: is &lt;none&gt;")
    page.sees("https://login.example.org")
    page.sees("rescue, who has no password yet")
    page.sees("&lt;b&gt;seeing&lt;/b&gt;")
    page.act("Hubs", "look")
    page.sees("Nobody is signed in or out")
    page.press("Look now")
    page.has_row("Hubs", "hub", state="good")


@pytest.mark.promise("DATA-5")
def test_a_secret_is_replaced_once_the_provider_takes_it_and_never_shown(
    with_provider: Platform, open_console: OpenConsole
) -> None:
    page = open_console(panel="sign-in")
    page.sees("that of the settings, in the file")
    page.act("Hubs", "replace")
    page.fill("The new secret", "not-the-providers")
    page.press("Try and replace")
    page.sees("The provider does not take the secret")
    assert not replaced(with_provider)

    page.fill("The new secret", with_provider.hub.taken)
    page.press("Try and replace")
    page.sees("replaced by operator on")
    assert replaced(with_provider)
    assert with_provider.hub.taken not in page.text()

    page.act("Hubs", "withdraw")
    page.press("Try and use")
    page.sees("that of the settings, in the file")
    assert not replaced(with_provider)


@pytest.mark.promise("USER-8")
@pytest.mark.usefixtures("with_provider")
def test_a_reader_sees_how_people_sign_in_and_replaces_nothing(open_console: OpenConsole) -> None:
    page = open_console("auditor", panel="sign-in")
    page.sees("https://login.example.org")
    assert page.buttons() == []
