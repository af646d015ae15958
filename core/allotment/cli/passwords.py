"""A new password for somebody who cannot get in: for the person who runs the machine, on the record itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from allotment.cli.backing_up import DEFAULT_STATE, address_of
from allotment.cli.options import (
    Json,
    RecordAddress,
    SettingsFile,
    StateFolder,
    needs_a_hubs_parts,
)
from allotment.cli.output import Output
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import Refusal
from allotment.settings import Settings, load_settings
from allotment.settings.sign_on import LOCAL, SignIn

if TYPE_CHECKING:
    from allotment.record import Record


def add_to(app: typer.Typer) -> None:
    """Add this command to the program."""
    app.command()(password)


def password(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Who gets a new password.")],
    record: RecordAddress = None,
    settings: SettingsFile = None,
    state: StateFolder = DEFAULT_STATE,
    as_json: Json = False,
) -> None:
    """Draw a new password for people, all of them or nobody, and print it, once. The hub need not run.

    Sessions of before end: within a minute where the hub runs, else when it is back. API tokens go on.
    Who gets one is asked to choose their own after signing in. Without settings nobody gets one who is
    somebody's at a provider: only the settings say whether it would open anything.
    """
    with needs_a_hubs_parts():
        from allotment.cli import offline  # noqa: PLC0415 - this command needs a database
    out = Output(as_json=as_json)
    said = Settings() if settings is None else load_settings(settings, state)
    wanted = tuple(dict.fromkeys(name.strip().lower() for name in names))
    if settings is not None:
        _check_way_in(said.sign_in, wanted)
    with offline.opened(address_of(record, settings, state)) as opened:
        given = _give(opened, wanted, settings_known=settings is not None)
    if as_json:
        out.document({"passwords": given})
        return
    for name, drawn in given.items():
        out.say(f"{name}: {drawn}")
    out.say("Nobody can read it again. Sessions of before end; whoever got it chooses their own.")


def _check_way_in(sign_in: SignIn, names: tuple[str, ...]) -> None:
    """Check that these people sign in with passwords, as the settings have it.

    Raises:
        Refusal: they sign in through the provider.
    """
    if sign_in.kind == LOCAL:
        return
    others = [name for name in names if name not in sign_in.local]
    if others:
        message = f"{', '.join(others)} would not get in with a password: people sign in through the provider."
        kept = ", ".join(sign_in.local) or "nobody"
        remedy = f"sign_in.local names who keeps a password (now {kept}): add the name, and start the hub."
        raise Refusal(Reason(Rule.SETTINGS, message, remedy=remedy))


def _give(record: Record, names: tuple[str, ...], *, settings_known: bool) -> dict[str, str]:
    """Give each of them a password. Returns the passwords by name.

    Raises:
        NotFound: the platform knows nobody of a name.
        Refusal: somebody has left, or is a provider's, and no settings say who keeps a password.
    """
    from allotment.cli import offline  # noqa: PLC0415 - as above
    from allotment.record import credentials, password_hashes, session_ends, sign_ons  # noqa: PLC0415 - as above

    given = {name: password_hashes.generated() for name in names}
    hashes = {name: password_hashes.hashed(drawn) for name, drawn in given.items()}
    with record.writing(offline.whoever_asks(), datetime.now(UTC)) as writing:
        known_there = {name for name in names if sign_ons.identity_of(writing, name) is not None}
        if known_there and not settings_known:
            raise Refusal(_of_a_provider(sorted(known_there)))
        for name, hashed in hashes.items():
            credentials.check_here(writing, name)
            credentials.set_password(writing, name, hashed, must_change=True)
            session_ends.say(writing, name)
        if settings_known:
            # Of a provider's the hub says so, when the password has opened something.
            credentials.confirm_for_good(writing, [n for n in names if n not in known_there])
    return given


def _of_a_provider(names: list[str]) -> Reason:
    message = (
        f"Signed in through a provider: {', '.join(names)}. Whether a password opens anything for "
        "them is in the settings, and none are named."
    )
    return Reason(Rule.SETTINGS, message, remedy="Name the settings of the hub: --settings FILE.")
