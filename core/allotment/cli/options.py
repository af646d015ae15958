"""Options that several commands have, and how they lead to the control plane or to the record."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from allotment.cli.ending import Misused
from allotment.client import AllotmentClient
from allotment.model import currency
from allotment.model.currency import Currency
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import NotPermitted

API_PATH = "/services/allotment/api/v1"


def _remember_json(context: typer.Context, value: bool) -> bool:  # noqa: FBT001 - typer's signature
    if value:
        context.find_root().obj = True  # so that an error is told in JSON, too
    return value


Json = Annotated[
    bool,
    typer.Option(
        "--json", help="Write JSON, for programs.", callback=_remember_json, is_eager=True
    ),
]
Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        envvar="ALLOTMENT_API_URL",
        help="The hub's address, such as http://127.0.0.1:8000, or the API's.",
    ),
]
RecordAddress = Annotated[
    str | None,
    typer.Option(
        "--record",
        metavar="FILE|URL",
        help="Open the record itself instead of asking the control plane: its SQLite file, or its URL.",
    ),
]
SettingsFile = Annotated[
    Path | None,
    typer.Option(
        "--settings",
        envvar=["SETTINGS", "ALLOTMENT_SETTINGS"],
        metavar="FILE",
        help="The platform's settings file.",
    ),
]
StateFolder = Annotated[
    Path,
    typer.Option(
        "--state",
        envvar=["STATE", "ALLOTMENT_STATE"],
        metavar="FOLDER",
        help="The folder with all that the hub writes.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]


def api_url(address: str) -> str:
    """The API's address, from itself or from the hub's.

    Raises:
        Misused: it is no address.
    """
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        message = f"{address!r} is no address.\nGive one such as --url http://127.0.0.1:8000"
        raise Misused(message)
    address = address.rstrip("/").removesuffix("/hub")
    return address if address.endswith("/api/v1") else address + API_PATH


@contextmanager
def control_plane(url: str | None) -> Iterator[AllotmentClient]:
    """The control plane, asked with the token that the environment holds.

    Raises:
        Misused: no address, or no token; the message says where to get one.
    """
    if not url:
        message = (
            "Which platform? ALLOTMENT_API_URL is not set.\n"
            "Give the hub's address: --url http://127.0.0.1:8000"
        )
        raise Misused(message)
    address = api_url(url)
    token = os.environ.get("ALLOTMENT_TOKEN") or os.environ.get("JUPYTERHUB_API_TOKEN")
    if not token:
        message = f"Who asks? Neither ALLOTMENT_TOKEN nor JUPYTERHUB_API_TOKEN is set.\n{_get_token(address)}"
        raise Misused(message)
    # Asked only by what writes money, perhaps when everything else was answered.
    currency.learn_from(lambda: _currency(address, token))
    with AllotmentClient(address, token) as client:
        try:
            yield client
        except NotPermitted as refusal:
            raise _with_a_way_to_a_token(refusal, address) from refusal


def _currency(address: str, token: str) -> Currency:
    with AllotmentClient(address, token) as client:
        return client.currency()


def _get_token(address: str) -> str:
    hub = address.removesuffix(API_PATH)
    return (
        f"Make a token on {hub}/hub/token (operators and team leads choose 'Everything that I may do') "
        "and set ALLOTMENT_TOKEN to it."
    )


def _with_a_way_to_a_token(refusal: NotPermitted, address: str) -> NotPermitted:
    """The refusal, with how to get a token that reaches further."""
    about_tokens = any("token" in reason.sentence for reason in refusal.reasons)
    if not about_tokens:
        return refusal
    return NotPermitted(
        *refusal.reasons,
        Reason(Rule.PERMISSION, "Another token may help.", remedy=_get_token(address)),
    )


def record_url(address: str) -> str:
    """The address of a record from itself, or from the path of its SQLite file."""
    return address if "://" in address else f"sqlite:///{Path(address).expanduser().resolve()}"


@contextmanager
def needs_a_hubs_parts() -> Iterator[None]:
    """Say in words what must be installed where an import fails.

    Raises:
        Misused: a package is not there.
    """
    try:
        yield
    except ImportError as error:
        message = (
            f"This needs what a hub needs: {error.name} is not installed.\n"
            "Install it: pip install 'allotment[hub]'"
        )
        raise Misused(message) from error
