"""Filling forms in on the command line: fields as NAME=VALUE, secrets never among a program's arguments."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from allotment.cli.ending import Misused
from allotment.model.sources import Audience

Fields = Annotated[
    list[str] | None,
    typer.Option(
        "--set", "-s", metavar="NAME=VALUE", help="A field of its form; NAME= empties it."
    ),
]
Secrets = Annotated[
    list[str] | None,
    typer.Option(
        "--secret",
        metavar="NAME[=@FILE|=$VARIABLE]",
        help="A secret of its form, asked for, or read from a file or a variable. Never its value.",
    ),
]
Everyone = Annotated[bool, typer.Option("--everyone", help="Everybody may use it.")]
Groups = Annotated[
    list[str] | None, typer.Option("--for-group", metavar="GROUP", help="A group that may use it.")
]
People = Annotated[
    list[str] | None,
    typer.Option("--for-person", metavar="PERSON", help="A person who may use it."),
]
Nobody = Annotated[bool, typer.Option("--for-nobody", help="Nobody may use it.")]
ManagedBy = Annotated[
    str | None,
    typer.Option("--group", metavar="GROUP", help="The group whose leads manage it; empty: none."),
]
Enabled = Annotated[
    bool | None, typer.Option("--enable/--disable", help="Whether new servers can have it.")
]


def fields(given: Iterable[str] | None) -> dict[str, Any]:
    """The fields of NAME=VALUE texts; NAME= is None, which takes a value away.

    Raises:
        Misused: a text is none of those.
    """
    found: dict[str, Any] = {}
    for text in given or ():
        name, sign, value = text.partition("=")
        if not sign or not name:
            message = f"{text!r} is no field.\nWrite it as --set NAME=VALUE"
            raise Misused(message)
        found[name] = value or None
    return found


def secrets(given: Iterable[str] | None) -> dict[str, str]:
    """The secrets that are named, from where each is: asked for, a file, or a variable.

    Raises:
        Misused: it cannot be read, or its value stands among the arguments.
    """
    return {text.partition("=")[0]: _secret(text) for text in given or ()}


def _secret(text: str) -> str:
    name, sign, place = text.partition("=")
    if not sign:
        return _asked(name)
    if place.startswith("@"):
        try:
            return Path(place[1:]).expanduser().read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            message = f"The secret {name} cannot be read from {place[1:]}: {type(error).__name__}."
            raise Misused(message) from error
    if place.startswith("$"):
        value = os.environ.get(place[1:])
        if not value:
            message = f"The variable {place[1:]} is not set."
            raise Misused(message)
        return value
    message = (
        f"The value of the secret {name} stands among the arguments, where others can read it.\n"
        f"Write --secret {name} to be asked, or --secret {name}=@FILE, or --secret '{name}=$VARIABLE'"
    )
    raise Misused(message)


def _asked(name: str) -> str:
    if not sys.stdin.isatty():
        message = f"Nobody can be asked for {name} here.\nWrite --secret {name}=@FILE"
        raise Misused(message)
    return str(typer.prompt(name, hide_input=True, err=True))


def audience(
    groups: list[str] | None, people: list[str] | None, *, everyone: bool, nobody: bool
) -> Audience | None:
    """Who may use something; None where nothing was said.

    Raises:
        Misused: somebody and nobody.
    """
    said = everyone or bool(groups) or bool(people)
    if nobody and said:
        message = "--for-nobody, and somebody?\nSay who may use it, or that nobody may."
        raise Misused(message)
    if not said and not nobody:
        return None
    return Audience(everyone, tuple(groups or ()), tuple(people or ()))
