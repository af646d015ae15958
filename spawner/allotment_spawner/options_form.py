"""A plain launch form, for a hub whose launch page draws none of its own.

It is never empty: with an empty form, a mere visit to JupyterHub's launch page starts a server.
"""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import Any

from allotment.model.names import CONSOLE_PROFILE, CONSOLE_SERVER
from allotment.model.profiles import Profile
from allotment.model.refusals import Refusal
from allotment.record import Reading, people, profiles
from allotment_spawner import refusing
from allotment_spawner.options import options_from_form

NO_PROFILE = "<p>No profile is offered to you. Ask an operator to give you one.</p>"
RECORD_AWAY = "<p>What can be launched is not known now: the record did not answer. Try again in a minute.</p>"


def read_form(form: dict[str, Any]) -> dict[str, str | bool]:
    """The options that a form asks for.

    Raises:
        LaunchRefused: they were not understood.
    """
    try:
        return options_from_form(form)
    except Refusal as refusal:
        raise refusing.invalid_options(refusal) from None


def launch_form(reading: Reading, person: str, server: str, now: datetime) -> str:
    """The fields of the form, as HTML: one choice of a profile, one of a group where there are several."""
    authority = people.authority(reading, person, now)
    offered = [
        published.profile
        for published in profiles.all_profiles(reading)
        if published.offered
        and published.profile is not None
        and published.profile.visible_for(person, authority.groups)
        and (published.name == CONSOLE_PROFILE) == (server == CONSOLE_SERVER)
        and (published.name != CONSOLE_PROFILE or authority.opens_console)
    ]
    if not offered:
        return NO_PROFILE
    choices = _select("profile", "Profile", [(one.name, _words(one)) for one in offered])
    if len(authority.groups) > 1:
        choices += _select("group", "Group that pays", [(one, one) for one in authority.groups])
    return choices


def _words(profile: Profile) -> str:
    return f"{profile.title} ({profile.devices} devices)" if profile.devices else profile.title


def _select(name: str, label: str, choices: list[tuple[str, str]]) -> str:
    options = "".join(
        f'<option value="{escape(value)}">{escape(words)}</option>' for value, words in choices
    )
    return f'<label for="{name}">{label}</label><select class="form-control" id="{name}" name="{name}">{options}</select>'
