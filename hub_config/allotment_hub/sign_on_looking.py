"""What a hub found of its provider, for the record and for operators: at its start, and whenever one asks."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allotment.model.refusals import AllotmentError, RecordTooNew, RecordUnavailable
from allotment.record import Writing, open_record, sign_in
from allotment.record.sign_in import ReplacedSecret
from allotment.settings import Settings
from allotment.settings.sign_on import SignIn
from allotment_hub.sign_on_checks import Checked, check, digest_of
from allotment_hub.sign_on_endpoints import Endpoints

if TYPE_CHECKING:
    from allotment_hub.sign_on import ProviderAuthenticator

ACTOR = "hub"


@dataclass(frozen=True, slots=True)
class Kept:
    """What the record kept of the provider from before. Nothing, where there is no record yet."""

    endpoints: Endpoints | None = None
    replaced: ReplacedSecret | None = field(default=None, repr=False)


def kept(settings: Settings) -> Kept:
    """Read it, without making or changing anything.

    Raises:
        RecordTooNew, RecordUnavailable: the record cannot be used.
    """
    said = settings.sign_in
    file = Path(settings.record.removeprefix("sqlite:///"))
    if settings.record.startswith("sqlite:") and not file.exists():
        return Kept()
    try:
        record = open_record(settings.record)
    except (RecordTooNew, RecordUnavailable):
        raise
    except AllotmentError:  # of an earlier version, which the start brings up to date later
        return Kept()
    try:
        with record.reading() as reading:
            known = sign_in.known_provider(reading, digest_of(said))
            client = said.client_id or ""
            replaced = sign_in.replaced_secret(reading, said.provider_issuer, client)
    finally:
        record.close()
    return Kept(None if known is None else _endpoints(known), replaced)


def _endpoints(known: dict[str, Any]) -> Endpoints | None:
    try:
        return Endpoints.of_document(known)
    except (TypeError, KeyError):  # another version's
        return None


def keep(settings: Settings, callback: str, found: Checked, *, replaced: bool) -> None:
    """Write what was found at the start into the record."""
    record = open_record(settings.record)
    try:
        with record.writing(ACTOR, datetime.now(UTC)) as writing:
            note(writing, settings.hub, settings.sign_in, callback, found, replaced=replaced)
    finally:
        record.close()


def note(
    writing: Writing, hub: str, said: SignIn, callback: str, found: Checked, *, replaced: bool
) -> None:
    """Keep what was found; where the provider answers is remembered for a start at which it does not."""
    good = found.endpoints is not None and not found.problems and not found.away
    if good and found.endpoints is not None:
        sign_in.know_provider(writing, digest_of(said), found.endpoints.document())
    document = look_document(said, callback, found) | {"replaced": replaced}
    sign_in.note_look(writing, hub, document, succeeded=good)


def look_document(said: SignIn, callback: str, found: Checked) -> dict[str, Any]:
    """What was found, without any secret."""
    return {
        "kind": said.kind,
        "issuer": said.provider_issuer,
        "client_id": said.client_id,
        "callback": callback,
        "problems": [f"sign_in.{key}: {message}" for key, message in found.problems],
        "notes": list(found.notes),
        "away": found.away,
    }


async def look(mine: ProviderAuthenticator, secret: str | None) -> dict[str, Any]:
    """Ask the provider everything that can be asked without a person, in a thread.

    ``secret`` is tried instead of the client's own, and nothing of that is written down; it is good
    only where the provider's answer proves it, for every hub would use it. The answer then says by
    what the record is to know the settings' own.

    Raises:
        RecordUnavailable: the record did not take what was found.
    """
    tried = secret if secret is not None else await mine.current_secret()
    loop, callback = asyncio.get_running_loop(), mine.oauth_callback_url
    asked = partial(check, mine.settings, callback, tried, proven=secret is not None)
    found = await loop.run_in_executor(None, asked)
    document = look_document(mine.settings, callback, found)
    if secret is None:
        said, hub, replaced = mine.settings, mine.hub_name, tried != mine.sign_on.secret.said
        await mine.tell(
            ACTOR, lambda writing: note(writing, hub, said, callback, found, replaced=replaced)
        )
        return document
    instead_of = await loop.run_in_executor(None, lambda: mine.sign_on.secret.hash_of_said)
    return document | {"instead_of": instead_of}
